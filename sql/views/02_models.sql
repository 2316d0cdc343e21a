CREATE OR REPLACE VIEW models AS
SELECT model, architecture, d_model, d_vocab, format, dtype, unembedding_tensor, tied, processing, norm, norm_tensor, norm_offset,
       norm_folded, norm_bias_folded, centered_over_d_model, centered_over_vocabulary, soft_cap, embedding_tensor, embedding_sha256, model_id AS load_id
FROM stored_models
ORDER BY model;
COMMENT ON VIEW models IS 'Every loaded model: its sizes and how its unembedding was processed.';
COMMENT ON COLUMN models.model IS 'Name of the model, as functions take it.';
COMMENT ON COLUMN models.load_id IS 'The load that made it, as in loads.';

CREATE OR REPLACE VIEW tokens AS
SELECT m.model, t.token_id, t.token, t.text, t.is_special, t.is_padding
FROM stored_tokens t JOIN stored_models m ON t.model_id = m.model_id;
COMMENT ON VIEW tokens IS 'The vocabulary of every loaded model.';
COMMENT ON COLUMN tokens.model IS 'The model.';
COMMENT ON COLUMN tokens.token IS 'Token as the tokenizer spells it (Ġthe, ▁the); NULL for padding.';
COMMENT ON COLUMN tokens.text IS 'Decoded text ( the); each byte that is no UTF-8 by itself shows as <0xBB>; NULL for padding.';

CREATE OR REPLACE VIEW unembeddings AS
SELECT m.model, u.token_id, u.w_u
FROM stored_unembeddings u JOIN stored_models m ON u.model_id = m.model_id;
COMMENT ON VIEW unembeddings IS 'The processed unembedding of every loaded model, a row a token.';
COMMENT ON COLUMN unembeddings.model IS 'The model.';

CREATE OR REPLACE VIEW embeddings AS
SELECT m.model, e.token_id, e.w_e
FROM stored_embeddings e JOIN stored_models m ON e.model_id = m.model_id
UNION ALL
SELECT m.model, u.token_id, u.w_u
FROM stored_unembeddings u JOIN stored_models m ON u.model_id = m.model_id
WHERE m.embedding_in = 'stored_unembeddings';
COMMENT ON VIEW embeddings IS 'The token embedding of every model that was loaded with it (load model --embedding), a row a token, as its files have it: without position embeddings, and before what some families do to it (docs/formats.md).';
COMMENT ON COLUMN embeddings.model IS 'The model.';
COMMENT ON COLUMN embeddings.token_id IS 'Id of the token.';
COMMENT ON COLUMN embeddings.w_e IS 'The token''s row of the embedding, d_model values; NULL in a database of results alone.';

CREATE OR REPLACE VIEW attention AS
SELECT m.model, a.layer, a.n_heads, a.n_kv_heads, a.d_head, a.dtype, a.tensors, a.norm_tensor, a.norm_folded, a.head_norms, a.centered, a.post_norm, a.sha256
FROM stored_attention a JOIN stored_models m ON a.model_id = m.model_id;
COMMENT ON VIEW attention IS 'Every layer whose heads are loaded (load model --attention): how many there are, and how they were processed.';
COMMENT ON COLUMN attention.model IS 'The model.';

CREATE OR REPLACE VIEW head_weights AS
SELECT m.model, w.layer, w.matrix, w.head_row // a.d_head AS head, w.head_row % a.d_head AS dimension, w.weights
FROM stored_head_weights w JOIN stored_attention a ON w.model_id = a.model_id AND w.layer = a.layer JOIN stored_models m ON w.model_id = m.model_id;
COMMENT ON VIEW head_weights IS 'W_Q, W_K, W_V and W_O of the heads that are loaded, a row for each dimension of a head.';
COMMENT ON COLUMN head_weights.model IS 'The model.';
COMMENT ON COLUMN head_weights.head IS 'Index of the head in its block; of W_K and W_V that of the key-value head.';
COMMENT ON COLUMN head_weights.dimension IS 'Dimension of the head, from 0. In the order of the files, which some converters to GGUF change in W_Q and W_K alike.';

CREATE OR REPLACE VIEW mlps AS
SELECT m.model, p.layer, p.d_mlp, p.gated, p.dtype, p.tensors, p.norm_tensor, p.norm_folded, p.centered, p.sha256
FROM stored_mlps p JOIN stored_models m ON p.model_id = m.model_id;
COMMENT ON VIEW mlps IS 'Every layer whose MLP''s input weights are loaded (load model --mlp): how many neurons, and how they were processed. They are the readers MODEL#mlp_in.LAYER and, of gated MLPs, MODEL#mlp_gate.LAYER.';
COMMENT ON COLUMN mlps.model IS 'The model.';
