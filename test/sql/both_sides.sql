SELECT both_sides('excited by months', 'promotes numbers') AS both, both_sides(NULL, 'promotes numbers') AS output, both_sides('excited by months', NULL) AS input, both_sides(NULL, NULL) AS neither;
