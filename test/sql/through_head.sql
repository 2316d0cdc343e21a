-- Heads are loaded where they are asked for, and the error says how.
SELECT through_head(w_dec, 'smollm2-135m', 9, 0) FROM decoder_directions LIMIT 1;

SELECT through_head(w_dec, 'nobody', 9, 0) FROM decoder_directions LIMIT 1;

SELECT through_head(w_dec, 'layer_29#decoder', 9, 0) FROM decoder_directions LIMIT 1;

SELECT through_head(NULL, 'smollm2-135m', 9, 0) AS no_direction, through_head([1]::FLOAT[], NULL, 9, 0) AS no_model,
       through_head([1]::FLOAT[], 'smollm2-135m', NULL, 0) AS no_layer, through_head([1]::FLOAT[], 'smollm2-135m', 9, NULL) AS no_head;

SELECT typeof(through_head(NULL, 'smollm2-135m', 9, 0)) AS type;
