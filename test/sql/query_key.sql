-- Heads are loaded where they are asked for, and the error says how.
SELECT query_key(w_dec, 'smollm2-135m', 9, 0) FROM decoder_directions LIMIT 1;

SELECT query_key(w_dec, 'nobody', 9, 0) FROM decoder_directions LIMIT 1;

SELECT query_key(w_dec, 'layer_29#decoder', 9, 0) FROM decoder_directions LIMIT 1;

SELECT query_key(NULL, 'smollm2-135m', 9, 0) AS no_direction, query_key([1]::FLOAT[], NULL, 9, 0) AS no_model,
       query_key([1]::FLOAT[], 'smollm2-135m', NULL, 0) AS no_layer, query_key([1]::FLOAT[], 'smollm2-135m', 9, NULL) AS no_head;

SELECT typeof(query_key(NULL, 'smollm2-135m', 9, 0)) AS type;

SELECT query_key([1]::FLOAT[], 'smollm2-135m', 9, 0, 'keys');

SELECT query_key([1]::FLOAT[], 'smollm2-135m', 9, 0, 'query');

SELECT query_key([1]::FLOAT[], 'smollm2-135m', 9, 0, NULL) AS nowhere;
