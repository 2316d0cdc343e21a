-- Features multiplied with features. A row has a feature's ends of the ranking, as lists: a
-- pair of SAEs of 24,576 features would have 604 million products.
CREATE TABLE stored_sae_pairs (
    pair_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    sae_id INTEGER NOT NULL,
    other_id INTEGER NOT NULL,
    top INTEGER NOT NULL,
    kernel VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    features INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE
);

CREATE TABLE stored_links (
    pair_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE,
    top_features INTEGER[],
    top_weights DOUBLE[],
    bottom_features INTEGER[],
    bottom_weights DOUBLE[]
);

CREATE TABLE stored_neighbours (
    pair_id INTEGER NOT NULL,
    feature INTEGER NOT NULL,
    neighbours INTEGER[],
    cosines DOUBLE[],
    mean_absolute_cosine DOUBLE
);

-- Features multiplied with the input weights of an MLP's neurons, likewise.
CREATE TABLE stored_neuron_pairs (
    pair_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    sae_id INTEGER NOT NULL,
    model_id INTEGER NOT NULL,
    layer INTEGER NOT NULL,
    matrix VARCHAR NOT NULL,
    top INTEGER NOT NULL,
    kernel VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    computed_at TIMESTAMP NOT NULL,
    features INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE
);

CREATE TABLE stored_neuron_links (
    pair_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    mean DOUBLE,
    std DOUBLE,
    top_numbers INTEGER[],
    top_weights DOUBLE[],
    bottom_numbers INTEGER[],
    bottom_weights DOUBLE[]
);
COMMENT ON TABLE stored_sae_pairs IS 'Which features were multiplied with which: the directions of one SAE with the rows of another, or of itself.';
COMMENT ON COLUMN stored_sae_pairs.pair_id IS 'Number of the pair in this database.';
COMMENT ON COLUMN stored_sae_pairs.kind IS 'outgoing: the decoder of sae_id with the encoder of other_id. incoming: the encoder of sae_id with the decoder of other_id. neighbours: the decoders of both, at unit length.';
COMMENT ON COLUMN stored_sae_pairs.sae_id IS 'SAE whose features have a row each.';
COMMENT ON COLUMN stored_sae_pairs.other_id IS 'SAE whose features are in the lists.';
COMMENT ON COLUMN stored_sae_pairs.top IS 'How many are kept of each end.';
COMMENT ON COLUMN stored_sae_pairs.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_sae_pairs.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_sae_pairs.computed_at IS 'When they were begun, in UTC.';
COMMENT ON COLUMN stored_sae_pairs.features IS 'How many features have their row, recorded as they are stored; fewer than the SAE has while it is computed.';
COMMENT ON COLUMN stored_sae_pairs.mean IS 'Mean over all products of the pair; NULL until all are computed.';
COMMENT ON COLUMN stored_sae_pairs.std IS 'Population standard deviation over all products of the pair, likewise.';
COMMENT ON TABLE stored_links IS 'Direct weights between features: of each feature the strongest, of either sign.';
COMMENT ON COLUMN stored_links.pair_id IS 'The pair: outgoing or incoming.';
COMMENT ON COLUMN stored_links.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_links.mean IS 'Mean of its weights with all features of the other SAE.';
COMMENT ON COLUMN stored_links.std IS 'Their population standard deviation.';
COMMENT ON COLUMN stored_links.top_features IS 'Features with the highest weights, highest first; equal ones by their index.';
COMMENT ON COLUMN stored_links.top_weights IS 'Their weights.';
COMMENT ON COLUMN stored_links.bottom_features IS 'Features with the lowest weights, lowest first; equal ones by their index.';
COMMENT ON COLUMN stored_links.bottom_weights IS 'Their weights.';
COMMENT ON TABLE stored_neighbours IS 'Features whose decoder directions have the highest cosines with that of a feature.';
COMMENT ON COLUMN stored_neighbours.pair_id IS 'The pair: neighbours.';
COMMENT ON COLUMN stored_neighbours.feature IS 'Index of the feature.';
COMMENT ON COLUMN stored_neighbours.neighbours IS 'Features with the highest cosines, highest first, equal ones by their index, without the feature itself; empty where the decoder direction is zero.';
COMMENT ON COLUMN stored_neighbours.cosines IS 'Their cosines.';
COMMENT ON COLUMN stored_neighbours.mean_absolute_cosine IS 'Mean magnitude of the cosines with all decoder directions of the other SAE that are not zero, the feature''s own among them; NULL where the decoder direction is zero.';
COMMENT ON TABLE stored_neuron_pairs IS 'Which SAEs were multiplied with the input weights of which MLPs of their model.';
COMMENT ON COLUMN stored_neuron_pairs.pair_id IS 'Number of the pair in this database.';
COMMENT ON COLUMN stored_neuron_pairs.kind IS 'outgoing: a row for each feature of the SAE, with lists of neurons. incoming: a row for each neuron, with lists of features.';
COMMENT ON COLUMN stored_neuron_pairs.sae_id IS 'The SAE, whose decoder writes.';
COMMENT ON COLUMN stored_neuron_pairs.model_id IS 'The model.';
COMMENT ON COLUMN stored_neuron_pairs.layer IS 'Index of the block whose MLP reads.';
COMMENT ON COLUMN stored_neuron_pairs.matrix IS 'in or gate, as in stored_mlp_weights.';
COMMENT ON COLUMN stored_neuron_pairs.top IS 'How many are kept of each end.';
COMMENT ON COLUMN stored_neuron_pairs.kernel IS 'Kernel that computed them.';
COMMENT ON COLUMN stored_neuron_pairs.saedb_version IS 'Version of saedb.';
COMMENT ON COLUMN stored_neuron_pairs.computed_at IS 'When they were begun, in UTC.';
COMMENT ON COLUMN stored_neuron_pairs.features IS 'How many features, or neurons, have their row, recorded as they are stored.';
COMMENT ON COLUMN stored_neuron_pairs.mean IS 'Mean over all products of the pair; NULL until all are computed.';
COMMENT ON COLUMN stored_neuron_pairs.std IS 'Population standard deviation over all products of the pair, likewise.';
COMMENT ON TABLE stored_neuron_links IS 'Direct weights between features and neurons: of each the strongest, of either sign.';
COMMENT ON COLUMN stored_neuron_links.pair_id IS 'The pair, of stored_neuron_pairs.';
COMMENT ON COLUMN stored_neuron_links.number IS 'Index of the feature where the pair is outgoing, of the neuron where it is incoming.';
COMMENT ON COLUMN stored_neuron_links.mean IS 'Mean of its weights with all on the other side.';
COMMENT ON COLUMN stored_neuron_links.std IS 'Their population standard deviation.';
COMMENT ON COLUMN stored_neuron_links.top_numbers IS 'Those on the other side with the highest weights, highest first; equal ones by their index.';
COMMENT ON COLUMN stored_neuron_links.top_weights IS 'Their weights.';
COMMENT ON COLUMN stored_neuron_links.bottom_numbers IS 'Those with the lowest weights, lowest first; equal ones by their index.';
COMMENT ON COLUMN stored_neuron_links.bottom_weights IS 'Their weights.';
