-- The example has no lens.
SELECT through_lens(w_dec, 'jlens', 3) FROM decoder_directions;
SELECT through_lens(NULL, 'jlens', 3) AS none;
SELECT through_lens(w_dec, 'jlens', NULL) AS none FROM decoder_directions LIMIT 1;
SELECT count(through_lens(w_dec, lens, layer - 1)) AS features FROM decoder_directions JOIN lenses USING (model);
