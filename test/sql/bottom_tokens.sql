SELECT bottom_tokens(w_dec, model, -1) FROM decoder_directions LIMIT 1;

-- Those at the other end: the top ones of the reversed direction.
SELECT feature, [t.token FOR t IN bottom_tokens(w_dec, model, 3)] AS bottom,
       [t.token_id FOR t IN bottom_tokens(w_dec, model, 3)] = [t.token_id FOR t IN top_tokens(list_transform(w_dec, lambda x: -x), model, 3)] AS reversed
FROM decoder_directions WHERE layer = 29 AND feature IN (1328, 931) ORDER BY feature;
