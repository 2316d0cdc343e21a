FROM saedb_model('m', 'nowhere');

FROM saedb_model('smollm2-135m', '../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf');

FROM saedb_model('from a file', '../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf');
