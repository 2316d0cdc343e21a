SELECT reader_row('layer_29#decoder', 1536);

SELECT reader_row('layer_29#decoder', -1);

SELECT reader_row('nobody#decoder', 0);

SELECT reader_row(NULL, 0) AS no_reader, reader_row('layer_29#decoder', NULL) AS no_row;

SELECT count(*) AS n FROM layer_29 f JOIN decoder_directions d USING (sae, feature) WHERE reader_row('layer_29#decoder', f.feature) = d.w_dec;

SELECT count(*) AS n FROM decoder_directions_of('layer_29') JOIN decoder_directions USING (sae, feature, w_dec);

SELECT i AS token_id, round(logit_weight(w_dec, 'smollm2-135m', i), 4) AS by_function, round(list_inner_product(w_dec, reader_row('smollm2-135m', i)), 4) AS by_hand
FROM decoder_directions, (SELECT unnest([0::INTEGER, 49151, 17]) AS i) WHERE layer = 29 AND feature = 63 ORDER BY i;
