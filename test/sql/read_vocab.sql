FROM read_vocab('../examples/smollm2-135m/saes');

SELECT count(*) AS tokens, count(*) FILTER (is_special) AS special, count(*) FILTER (is_padding) AS padding
FROM read_vocab('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf');

FROM read_vocab('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf') WHERE token_id IN (0, 260, 198) ORDER BY token_id;
