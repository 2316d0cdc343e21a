-- Models and SAEs, with their weights.
CREATE TABLE stored_models (
    model_id INTEGER NOT NULL,
    model VARCHAR NOT NULL,
    architecture VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    dtype VARCHAR NOT NULL,
    d_model INTEGER NOT NULL,
    d_vocab INTEGER NOT NULL,
    unembedding_tensor VARCHAR NOT NULL,
    tied BOOLEAN NOT NULL,
    processing VARCHAR NOT NULL,
    norm VARCHAR NOT NULL,
    norm_tensor VARCHAR,
    norm_offset DOUBLE NOT NULL,
    norm_folded BOOLEAN NOT NULL,
    norm_bias_folded BOOLEAN NOT NULL,
    centered_over_d_model BOOLEAN NOT NULL,
    centered_over_vocabulary BOOLEAN NOT NULL,
    soft_cap DOUBLE,
    embedding_tensor VARCHAR,
    embedding_sha256 VARCHAR,
    embedding_in VARCHAR
);
COMMENT ON TABLE stored_models IS 'One row a model: its sizes and how its unembedding was processed.';
COMMENT ON COLUMN stored_models.model_id IS 'load_id of the load that made it.';
COMMENT ON COLUMN stored_models.model IS 'Name of the model in this database.';
COMMENT ON COLUMN stored_models.architecture IS 'Architecture, as the model''s configuration names it.';
COMMENT ON COLUMN stored_models.format IS 'File format: huggingface or gguf.';
COMMENT ON COLUMN stored_models.dtype IS 'Type of the numbers in the stored unembedding.';
COMMENT ON COLUMN stored_models.d_model IS 'Width of the residual stream.';
COMMENT ON COLUMN stored_models.d_vocab IS 'Columns of the unembedding, padding included.';
COMMENT ON COLUMN stored_models.unembedding_tensor IS 'Tensor that the unembedding was read from.';
COMMENT ON COLUMN stored_models.tied IS 'Whether that tensor is the token embedding.';
COMMENT ON COLUMN stored_models.processing IS 'Processing asked for: transformerlens, fold-only or none; the columns after it say what came of it.';
COMMENT ON COLUMN stored_models.norm IS 'Kind of the final norm: LayerNorm or RMSNorm.';
COMMENT ON COLUMN stored_models.norm_tensor IS 'Tensor of the final norm''s weight; NULL when it has none.';
COMMENT ON COLUMN stored_models.norm_offset IS 'What was added to the stored norm weight before it was folded (1 for Gemma, otherwise 0).';
COMMENT ON COLUMN stored_models.norm_folded IS 'Whether the unembedding was multiplied by the final norm''s weight.';
COMMENT ON COLUMN stored_models.norm_bias_folded IS 'Whether the final norm''s bias was folded into the unembedding''s bias, which logit weights do not use.';
COMMENT ON COLUMN stored_models.centered_over_d_model IS 'Whether each token''s column was centred over the residual stream.';
COMMENT ON COLUMN stored_models.centered_over_vocabulary IS 'Whether each row of the unembedding was centred over the vocabulary.';
COMMENT ON COLUMN stored_models.soft_cap IS 'Soft cap of the model''s logits; recorded, never applied to logit weights.';
COMMENT ON COLUMN stored_models.embedding_tensor IS 'Tensor that the embedding was read from; NULL where it was not loaded (load model --embedding).';
COMMENT ON COLUMN stored_models.embedding_sha256 IS 'SHA-256 of the files that the embedding was read from, as of those of a load.';
COMMENT ON COLUMN stored_models.embedding_in IS 'Table that has the embedding''s rows: stored_embeddings, or stored_unembeddings where the unembedding is the same matrix and was left as it is.';

CREATE TABLE stored_tokens (
    model_id INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    token VARCHAR,
    text VARCHAR,
    is_special BOOLEAN NOT NULL,
    is_padding BOOLEAN NOT NULL
);
COMMENT ON TABLE stored_tokens IS 'The vocabulary of each model.';
COMMENT ON COLUMN stored_tokens.model_id IS 'The model.';
COMMENT ON COLUMN stored_tokens.token_id IS 'Id of the token: its column of the unembedding.';
COMMENT ON COLUMN stored_tokens.token IS 'Token as the tokenizer spells it; NULL for padding.';
COMMENT ON COLUMN stored_tokens.text IS 'Decoded text; NULL for padding.';
COMMENT ON COLUMN stored_tokens.is_special IS 'Whether it is a special token.';
COMMENT ON COLUMN stored_tokens.is_padding IS 'Whether the unembedding has this column but the tokenizer no such token.';

CREATE TABLE stored_unembeddings (
    model_id INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    w_u FLOAT[] USING COMPRESSION uncompressed
);
COMMENT ON TABLE stored_unembeddings IS 'The processed unembedding of each model, a row a token.';
COMMENT ON COLUMN stored_unembeddings.model_id IS 'The model.';
COMMENT ON COLUMN stored_unembeddings.token_id IS 'Id of the token.';
COMMENT ON COLUMN stored_unembeddings.w_u IS 'The token''s column of the processed unembedding, d_model values; NULL in a database of results alone.';

CREATE TABLE stored_embeddings (
    model_id INTEGER NOT NULL,
    token_id INTEGER NOT NULL,
    w_e FLOAT[] USING COMPRESSION uncompressed
);
COMMENT ON TABLE stored_embeddings IS 'The embedding of each model that was loaded with it, a row a token, as its files have it; of a model whose stored unembedding is the same matrix, there.';
COMMENT ON COLUMN stored_embeddings.model_id IS 'The model.';
COMMENT ON COLUMN stored_embeddings.token_id IS 'Id of the token.';
COMMENT ON COLUMN stored_embeddings.w_e IS 'The token''s row of the embedding, d_model values; NULL in a database of results alone.';

CREATE TABLE stored_attention (
    model_id INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    n_heads INTEGER NOT NULL,
    n_kv_heads INTEGER NOT NULL,
    d_head INTEGER NOT NULL,
    dtype VARCHAR NOT NULL,
    tensors VARCHAR NOT NULL,
    norm_tensor VARCHAR,
    norm_folded BOOLEAN NOT NULL,
    head_norms VARCHAR,
    centered BOOLEAN NOT NULL,
    post_norm BOOLEAN NOT NULL,
    sha256 VARCHAR NOT NULL
);
COMMENT ON TABLE stored_attention IS 'One row for each layer whose heads were loaded (load model --attention): how many, and how they were processed.';
COMMENT ON COLUMN stored_attention.model_id IS 'The model.';
COMMENT ON COLUMN stored_attention.layer IS 'Index of the block.';
COMMENT ON COLUMN stored_attention.n_heads IS 'Heads of the block.';
COMMENT ON COLUMN stored_attention.n_kv_heads IS 'Key-value heads: head h has the keys and values of head h // (n_heads / n_kv_heads).';
COMMENT ON COLUMN stored_attention.d_head IS 'Width of a head.';
COMMENT ON COLUMN stored_attention.dtype IS 'Type of the numbers in the stored W_O.';
COMMENT ON COLUMN stored_attention.tensors IS 'Tensors that they were read from.';
COMMENT ON COLUMN stored_attention.norm_tensor IS 'Weight of the norm before the attention; NULL where there is none, or none with a weight.';
COMMENT ON COLUMN stored_attention.norm_folded IS 'Whether W_Q, W_K and W_V were multiplied with norms'' weights: that of the norm before them and, W_Q and W_K, those of head_norms.';
COMMENT ON COLUMN stored_attention.head_norms IS 'Weights of norms of queries and keys that were folded; NULL where there are none.';
COMMENT ON COLUMN stored_attention.centered IS 'Whether all four matrices were centred over the residual stream, as TransformerLens does where norms are LayerNorms.';
COMMENT ON COLUMN stored_attention.post_norm IS 'Whether the block normalises what its attention writes, which is left out.';
COMMENT ON COLUMN stored_attention.sha256 IS 'SHA-256 of the files that they were read from, as of those of a load.';

CREATE TABLE stored_head_weights (
    model_id INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    matrix VARCHAR NOT NULL,
    head_row INTEGER NOT NULL,
    weights FLOAT[] USING COMPRESSION uncompressed
);
COMMENT ON TABLE stored_head_weights IS 'W_Q, W_K, W_V and W_O of the layers whose heads were loaded, a row of d_model values each.';
COMMENT ON COLUMN stored_head_weights.model_id IS 'The model.';
COMMENT ON COLUMN stored_head_weights.layer IS 'Index of the block.';
COMMENT ON COLUMN stored_head_weights.matrix IS 'q, k, v or o, for W_Q, W_K, W_V or W_O.';
COMMENT ON COLUMN stored_head_weights.head_row IS 'Head · d_head + dimension of the head; of W_K and W_V the key-value head. In the order of the files, which some converters to GGUF change in W_Q and W_K alike.';
COMMENT ON COLUMN stored_head_weights.weights IS 'What the dimension reads from the residual stream, of W_O what it writes, d_model values; NULL in a database of results alone.';

CREATE TABLE stored_mlps (
    model_id INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    d_mlp INTEGER NOT NULL,
    gated BOOLEAN NOT NULL,
    dtype VARCHAR NOT NULL,
    tensors VARCHAR NOT NULL,
    norm_tensor VARCHAR,
    norm_folded BOOLEAN NOT NULL,
    centered BOOLEAN NOT NULL,
    sha256 VARCHAR NOT NULL
);
COMMENT ON TABLE stored_mlps IS 'One row for each layer whose MLP''s input weights were loaded (load model --mlp): how many neurons, and how they were processed.';
COMMENT ON COLUMN stored_mlps.model_id IS 'The model.';
COMMENT ON COLUMN stored_mlps.layer IS 'Index of the block.';
COMMENT ON COLUMN stored_mlps.d_mlp IS 'Neurons of its MLP.';
COMMENT ON COLUMN stored_mlps.gated IS 'Whether a neuron has a gate besides: act(x · w_gate) · (x · w_in) in place of act(x · w_in + b).';
COMMENT ON COLUMN stored_mlps.dtype IS 'Type of the numbers in the stored W_in.';
COMMENT ON COLUMN stored_mlps.tensors IS 'Tensors that they were read from.';
COMMENT ON COLUMN stored_mlps.norm_tensor IS 'Weight of the norm before the MLP; NULL where there is none, or none with a weight.';
COMMENT ON COLUMN stored_mlps.norm_folded IS 'Whether they were multiplied with it.';
COMMENT ON COLUMN stored_mlps.centered IS 'Whether they were centred over the residual stream, as TransformerLens does where the norm is a LayerNorm.';
COMMENT ON COLUMN stored_mlps.sha256 IS 'SHA-256 of the files that they were read from, as of those of a load.';

CREATE TABLE stored_mlp_weights (
    model_id INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    matrix VARCHAR NOT NULL,
    neuron INTEGER NOT NULL,
    w_in FLOAT[] USING COMPRESSION uncompressed
);
COMMENT ON TABLE stored_mlp_weights IS 'The input weights of the MLPs that were loaded, a row a neuron, of gated ones a second.';
COMMENT ON COLUMN stored_mlp_weights.model_id IS 'The model.';
COMMENT ON COLUMN stored_mlp_weights.layer IS 'Index of the block.';
COMMENT ON COLUMN stored_mlp_weights.matrix IS 'in or gate, for W_in (which checkpoints of gated MLPs call up) or W_gate.';
COMMENT ON COLUMN stored_mlp_weights.neuron IS 'Index of the neuron.';
COMMENT ON COLUMN stored_mlp_weights.w_in IS 'What the neuron reads the residual stream by, d_model values; NULL in a database of results alone.';

CREATE TABLE stored_saes (
    sae_id INTEGER NOT NULL,
    sae VARCHAR NOT NULL,
    release VARCHAR NOT NULL,
    short_name VARCHAR NOT NULL,
    model_id INTEGER NOT NULL,
    format VARCHAR NOT NULL,
    architecture VARCHAR NOT NULL,
    d_model INTEGER NOT NULL,
    d_sae INTEGER NOT NULL,
    hook VARCHAR,
    block INTEGER,
    layer INTEGER,
    dtype VARCHAR NOT NULL,
    scale VARCHAR NOT NULL,
    neuronpedia_id VARCHAR,
    l0 DOUBLE,
    encoder_hook VARCHAR
);
COMMENT ON TABLE stored_saes IS 'One row an SAE.';
COMMENT ON COLUMN stored_saes.sae_id IS 'load_id of the load that made it.';
COMMENT ON COLUMN stored_saes.sae IS 'Name of the SAE, unique in this database: release/name where it was loaded with a release, its own name without one.';
COMMENT ON COLUMN stored_saes.release IS 'Release that it belongs to; local where it was loaded without one.';
COMMENT ON COLUMN stored_saes.short_name IS 'Name of the SAE in its release.';
COMMENT ON COLUMN stored_saes.model_id IS 'Model whose residual stream it writes to.';
COMMENT ON COLUMN stored_saes.format IS 'File format, as detected.';
COMMENT ON COLUMN stored_saes.architecture IS 'Architecture: standard, topk, jumprelu, ….';
COMMENT ON COLUMN stored_saes.d_model IS 'Length of a decoder direction.';
COMMENT ON COLUMN stored_saes.d_sae IS 'Number of features.';
COMMENT ON COLUMN stored_saes.hook IS 'Hook point that the decoder writes to.';
COMMENT ON COLUMN stored_saes.block IS 'Index of the block in the hook point''s name; NULL when it has none.';
COMMENT ON COLUMN stored_saes.layer IS 'Layer: the block''s index in the hook point''s name, whatever point of the block it is; for an SAE of a published release that numbers otherwise, as that release does. It is settled when the SAE is loaded. NULL where the hook point names no block.';
COMMENT ON COLUMN stored_saes.dtype IS 'Type of the numbers in the stored decoder.';
COMMENT ON COLUMN stored_saes.scale IS 'Scale convention of the decoder.';
COMMENT ON COLUMN stored_saes.neuronpedia_id IS 'Neuronpedia''s model and source, such as gpt2-small/8-res-jb.';
COMMENT ON COLUMN stored_saes.l0 IS 'Mean number of features that fire on a token; NULL where the files do not say.';
COMMENT ON COLUMN stored_saes.encoder_hook IS 'Hook point that the encoder reads; NULL where the encoder was not loaded (load sae --encoder).';

CREATE TABLE stored_decoders (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    w_dec FLOAT[] USING COMPRESSION uncompressed,
    log_sparsity FLOAT
);
COMMENT ON TABLE stored_decoders IS 'The decoder of each SAE, a row a feature.';
COMMENT ON COLUMN stored_decoders.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_decoders.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_decoders.w_dec IS 'The feature''s decoder direction, d_model values; NULL in a database of results alone.';
COMMENT ON COLUMN stored_decoders.log_sparsity IS 'log10 of how often the feature fires; NULL where the files do not say.';

CREATE TABLE stored_encoders (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    w_enc FLOAT[] USING COMPRESSION uncompressed,
    bias FLOAT,
    threshold FLOAT
);
COMMENT ON TABLE stored_encoders IS 'The encoder of each SAE that was loaded with it, a row a feature, as its files have it.';
COMMENT ON COLUMN stored_encoders.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_encoders.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_encoders.w_enc IS 'What the feature reads the residual stream by, d_model values, in the units of what the SAE was trained on; NULL in a database of results alone.';
COMMENT ON COLUMN stored_encoders.bias IS 'Bias of the encoder, of a gated SAE that of its gate; NULL where the files have none.';
COMMENT ON COLUMN stored_encoders.threshold IS 'Threshold above which the feature fires; NULL where the files have none.';

-- Weights that stay in their files (load sae --in-place): rows of stored_decoders and
-- stored_encoders are there then, with NULL for w_dec and w_enc.
CREATE TABLE stored_in_place (
    sae_id INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    decoder VARCHAR NOT NULL,
    layout VARCHAR NOT NULL
);
COMMENT ON TABLE stored_in_place IS 'One row for each SAE whose weights stay in their files (load sae --in-place).';
COMMENT ON COLUMN stored_in_place.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_in_place.path IS 'Absolute path that its format''s reader opens, PATH#PART where one path holds several SAEs.';
COMMENT ON COLUMN stored_in_place.decoder IS 'Scale at which the decoder is read: as-stored, unit-norm or saelens.';
COMMENT ON COLUMN stored_in_place.layout IS 'The tensor of the decoder, its type and shape, and whether it is read transposed.';

CREATE TABLE stored_weight_files (
    sae_id INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL
);
COMMENT ON TABLE stored_weight_files IS 'The files that the weights of such an SAE are read from, as they were when it was loaded.';
COMMENT ON COLUMN stored_weight_files.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_weight_files.path IS 'Absolute path of the file.';
COMMENT ON COLUMN stored_weight_files.bytes IS 'Size in bytes.';
COMMENT ON COLUMN stored_weight_files.modified IS 'When it was last modified, in nanoseconds since 1970 (UTC).';
COMMENT ON COLUMN stored_weight_files.sha256 IS 'SHA-256 of the content, in hexadecimal.';
