-- Lenses: what leads from the residual stream behind a block to that behind the last.
CREATE TABLE stored_lenses (
    lens_id INTEGER NOT NULL,
    lens VARCHAR NOT NULL,
    model_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    dtype VARCHAR NOT NULL,
    d_model INTEGER NOT NULL,
    layers INTEGER[] NOT NULL,
    residual BOOLEAN NOT NULL,
    blocks INTEGER,
    fitted_on VARCHAR,
    corpus VARCHAR,
    prompts BIGINT
);

CREATE TABLE stored_lens_matrices (
    lens_id INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    dimension INTEGER NOT NULL,
    weights FLOAT[]
);
-- An SAE as it is read through a lens. Its figures are in the tables of figures, under a number of
-- their own in place of sae_id: what joins those with stored_saes, as all views do, sees none of them.
CREATE TABLE stored_lens_saes (
    lens_sae_id INTEGER NOT NULL,
    sae_id INTEGER NOT NULL,
    lens_id INTEGER NOT NULL,
    layer INTEGER NOT NULL
);
-- Apart from stored_statistics, which a feature has without it.
CREATE TABLE stored_lens_correlations (
    sae_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    rank_correlation DOUBLE
);
COMMENT ON TABLE stored_lenses IS 'One row a lens: matrices that lead from behind the blocks of a model to behind its last.';
COMMENT ON COLUMN stored_lenses.lens_id IS 'load_id of the load that made it.';
COMMENT ON COLUMN stored_lenses.lens IS 'Name of the lens, unique in this database.';
COMMENT ON COLUMN stored_lenses.model_id IS 'Model whose residual stream it is of.';
COMMENT ON COLUMN stored_lenses.kind IS 'jacobian, tuned, or matrices, of which the files say nothing more.';
COMMENT ON COLUMN stored_lenses.format IS 'File format: pt, safetensors, npz or npy.';
COMMENT ON COLUMN stored_lenses.dtype IS 'Type of the numbers in the files; F16 and BF16 are exact in the database, F64 is rounded to FLOAT.';
COMMENT ON COLUMN stored_lenses.d_model IS 'Rows and columns of each matrix.';
COMMENT ON COLUMN stored_lenses.layers IS 'Blocks behind which its matrices begin, ascending; -1 is the embedding''s output, before the first block.';
COMMENT ON COLUMN stored_lenses.residual IS 'Whether a direction w becomes w + M w, as of a tuned lens, and not M w.';
COMMENT ON COLUMN stored_lenses.blocks IS 'Number of the model''s blocks; NULL where neither the lens''s files nor the model''s say.';
COMMENT ON COLUMN stored_lenses.fitted_on IS 'Model that it was fitted on, as its files name it; NULL where they do not.';
COMMENT ON COLUMN stored_lenses.corpus IS 'Texts that it was fitted on; NULL where its files do not say.';
COMMENT ON COLUMN stored_lenses.prompts IS 'How many texts; NULL where its files do not say.';
COMMENT ON TABLE stored_lens_matrices IS 'The matrices of each lens, a row of one a row.';
COMMENT ON COLUMN stored_lens_matrices.lens_id IS 'The lens.';
COMMENT ON COLUMN stored_lens_matrices.layer IS 'Block behind which the matrix begins, as in stored_lenses.layers.';
COMMENT ON COLUMN stored_lens_matrices.dimension IS 'Row of the matrix: dimension of the residual stream behind the last block, from 0 on.';
COMMENT ON COLUMN stored_lens_matrices.weights IS 'The row, d_model values: their products with a direction add up to this dimension of what it becomes. NULL in a database of results alone.';
COMMENT ON TABLE stored_lens_saes IS 'Which SAEs are computed through which lenses (compute --lens).';
COMMENT ON COLUMN stored_lens_saes.lens_sae_id IS 'Number below 0 that stands for sae_id in stored_computations, stored_statistics, stored_significance, stored_enrichment, stored_labels and stored_lens_correlations.';
COMMENT ON COLUMN stored_lens_saes.sae_id IS 'The SAE.';
COMMENT ON COLUMN stored_lens_saes.lens_id IS 'The lens.';
COMMENT ON COLUMN stored_lens_saes.layer IS 'Block behind which its decoder writes, whose matrix is taken; behind the last one there is none, and the directions stay as they are.';
COMMENT ON TABLE stored_lens_correlations IS 'How far lenses move features over the whole vocabulary, of what compute --lens --rank-correlation has computed.';
COMMENT ON COLUMN stored_lens_correlations.sae_id IS 'The SAE''s number in stored_lens_saes.';
COMMENT ON COLUMN stored_lens_correlations.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_lens_correlations.rank_correlation IS 'Spearman''s rank correlation of its logit weights with those through the lens, over the tokens that its figures through the lens count; NULL where all of either are equal.';
