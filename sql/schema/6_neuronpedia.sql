-- What Neuronpedia says of features. Its own names are the key, so that SAEs may be
-- loaded before or after; the views join them.
CREATE TABLE stored_explanations (
    load_id INTEGER NOT NULL,
    neuronpedia_id VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    description VARCHAR NOT NULL,
    type VARCHAR,
    explainer VARCHAR
);
COMMENT ON TABLE stored_explanations IS 'Explanations of features, from Neuronpedia''s exports.';
COMMENT ON COLUMN stored_explanations.load_id IS 'The load: a file.';
COMMENT ON COLUMN stored_explanations.neuronpedia_id IS 'Neuronpedia''s model and source, such as gpt2-small/8-res-jb.';
COMMENT ON COLUMN stored_explanations.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_explanations.description IS 'What the feature is said to respond to.';
COMMENT ON COLUMN stored_explanations.type IS 'Method that wrote the description, such as oai_token-act-pair; NULL where the file names none.';
COMMENT ON COLUMN stored_explanations.explainer IS 'Language model that wrote the description; NULL where the file names none.';

CREATE TABLE stored_neuronpedia_features (
    load_id INTEGER NOT NULL,
    neuronpedia_id VARCHAR NOT NULL,
    feature INTEGER NOT NULL,
    max_activation DOUBLE,
    density DOUBLE
);
COMMENT ON TABLE stored_neuronpedia_features IS 'How features fire, from Neuronpedia''s exports.';
COMMENT ON COLUMN stored_neuronpedia_features.load_id IS 'The load: a file.';
COMMENT ON COLUMN stored_neuronpedia_features.neuronpedia_id IS 'Neuronpedia''s model and source.';
COMMENT ON COLUMN stored_neuronpedia_features.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_neuronpedia_features.max_activation IS 'Highest activation that Neuronpedia saw (its maxActApprox).';
COMMENT ON COLUMN stored_neuronpedia_features.density IS 'Fraction of tokens on which the feature fired in Neuronpedia''s texts (its frac_nonzero).';
