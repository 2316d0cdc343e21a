FROM read_embedding('nowhere');

FROM read_embedding('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre');

FROM read_embedding(NULL);

-- A row a token, as the file has it. This model's unembedding is the same matrix; what is stored is centred over the vocabulary.
SELECT count(*) AS tokens, min(len(w_e)) AS d_model, count(*) FILTER (w_e <> w_u) AS other_than_as_stored
FROM read_embedding('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf')
JOIN read_unembedding('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf', processing := 'none') USING (token_id);
