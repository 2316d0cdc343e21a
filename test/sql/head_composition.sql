FROM head_composition('nobody', 'all');

FROM head_composition('layer_29', '3');

-- Of a model without heads there are no rows.
SELECT count(*) AS scores FROM head_composition('layer_29', 'all');

SELECT string_agg(column_name || ' ' || column_type, ', ') AS columns FROM (DESCRIBE FROM head_composition('layer_29', 'all'));
