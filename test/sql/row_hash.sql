SELECT row_hash(NULL, [1]::FLOAT[]) AS no_id, row_hash(1, NULL) AS no_weights;

SELECT row_hash(0, [1, 2]::FLOAT[]) AS hash, row_hash(1, [1, 2]::FLOAT[]) AS other_id, row_hash(0, [2, 1]::FLOAT[]) AS other_order, row_hash(0, []::FLOAT[]) AS empty;

-- What a load recorded.
SELECT sae, bit_xor(row_hash(feature, w_dec)) AS hash FROM decoder_directions WHERE layer = 29 GROUP BY sae;
