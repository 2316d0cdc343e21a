SELECT set_phrase(NULL, 'words') AS no_set;

SELECT set_phrase('number_words', 'words') AS words, set_phrase('nltk_pos_NNS', 'parts of speech') AS nouns, set_phrase('my_own_set', 'user') AS own;
