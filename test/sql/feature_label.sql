SELECT feature_label('promoted', NULL, [], []) AS no_phrase;

SELECT feature_label('promoted', 'number words', [' five', ' years', 'Five', ' eight'], [true, false, true, true]) AS members,
       feature_label('suppressed', 'number words', [' five', ' years'], [false, false]) AS none,
       feature_label('promoted', 'brackets', [')', '?)', ').', '),'], [true, true, true, true]) AS variants;
