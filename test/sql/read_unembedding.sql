FROM read_unembedding('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre');

FROM read_unembedding('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf', processing := 'some');

-- A file gives what a load stored.
SELECT count(*) AS tokens, count(*) FILTER (a.w_u <> b.w_u) AS different
FROM read_unembedding('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf') a JOIN unembeddings b USING (token_id);
