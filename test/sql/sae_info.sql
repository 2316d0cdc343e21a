FROM sae_info('nowhere');

FROM sae_info('../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf');

FROM sae_info('../examples/smollm2-135m/saes/blocks.29.hook_resid_pre');
