CREATE OR REPLACE VIEW feature_links AS
WITH ends AS (
    SELECT pair_id, feature, 'excites' AS direction, unnest(range(1, len(top_features) + 1)) AS rank, unnest(top_features) AS other, unnest(top_weights) AS weight
    FROM stored_links
    UNION ALL
    SELECT pair_id, feature, 'inhibits', unnest(range(1, len(bottom_features) + 1)), unnest(bottom_features), unnest(bottom_weights)
    FROM stored_links
),
linked AS (
    SELECT e.feature AS source_feature, e.other AS target_feature, e.direction, 'source' AS ranked_for, e.rank, e.weight, p.mean, p.std, p.sae_id AS source_id, p.other_id AS target_id
    FROM ends e JOIN stored_sae_pairs p ON e.pair_id = p.pair_id WHERE p.kind = 'outgoing'
    UNION ALL
    SELECT e.other, e.feature, e.direction, 'target', e.rank, e.weight, p.mean, p.std, p.other_id, p.sae_id
    FROM ends e JOIN stored_sae_pairs p ON e.pair_id = p.pair_id WHERE p.kind = 'incoming'
)
SELECT s.layer AS source_layer, l.source_feature, t.layer AS target_layer, l.target_feature, l.direction, l.ranked_for, l.rank, l.weight,
       (l.weight - l.mean) / nullif(l.std, 0) AS z, normal_tail((l.weight - l.mean) / nullif(l.std, 0)) AS nominal_p,
       s.sae AS source_sae, t.sae AS target_sae, s.model
FROM linked l
JOIN saes s ON s.load_id = l.source_id
JOIN saes t ON t.load_id = l.target_id;
COMMENT ON VIEW feature_links IS 'The strongest direct weights from features to features, decoder direction times encoder row, of the pairs of SAEs that saedb compute --links was asked for. A feature''s own list is where it is source or target, as ranked_for says; a link that is in both lists is there twice. docs/links.md says what a direct weight leaves out.';
COMMENT ON COLUMN feature_links.source_layer IS 'Layer of the SAE whose decoder writes, as in saes.';
COMMENT ON COLUMN feature_links.source_feature IS 'Feature that writes.';
COMMENT ON COLUMN feature_links.target_layer IS 'Layer of the SAE whose encoder reads, as in saes: of a transcoder, that of its decoder.';
COMMENT ON COLUMN feature_links.target_feature IS 'Feature that reads.';
COMMENT ON COLUMN feature_links.direction IS 'excites: among the highest weights of the list. inhibits: among the lowest.';
COMMENT ON COLUMN feature_links.ranked_for IS 'Whose list the link is in: source, the targets of the source feature; target, the sources of the target feature.';
COMMENT ON COLUMN feature_links.rank IS 'Rank at that end of the list, from 1; equal weights rank by the lower index of the feature.';
COMMENT ON COLUMN feature_links.weight IS 'Direct weight: decoder direction of the source times encoder row of the target, both as they are stored.';
COMMENT ON COLUMN feature_links.z IS 'Weight less the mean over the standard deviation of all weights between the two SAEs; NULL until all of them are computed.';
COMMENT ON COLUMN feature_links.nominal_p IS 'Two-sided tail of the normal distribution beyond z. It is nominal: weights between features have heavier tails, and millions of them are ranked.';
COMMENT ON COLUMN feature_links.source_sae IS 'SAE of the source feature.';
COMMENT ON COLUMN feature_links.target_sae IS 'SAE of the target feature.';
COMMENT ON COLUMN feature_links.model IS 'Their model.';

CREATE OR REPLACE VIEW feature_neighbours AS
WITH near AS (
    SELECT pair_id, feature, unnest(range(1, len(neighbours) + 1)) AS rank, unnest(neighbours) AS neighbour, unnest(cosines) AS cosine
    FROM stored_neighbours
)
SELECT s.layer, n.feature, n.rank, t.layer AS neighbour_layer, n.neighbour, n.cosine, s.sae, t.sae AS neighbour_sae, s.release, s.model
FROM near n
JOIN stored_sae_pairs p ON n.pair_id = p.pair_id
JOIN saes s ON s.load_id = p.sae_id
JOIN saes t ON t.load_id = p.other_id;
COMMENT ON VIEW feature_neighbours IS 'The features whose decoder directions have the highest cosines with that of each feature, in each SAE that saedb compute --neighbours was asked for. A zero direction has none, and is nobody''s.';
COMMENT ON COLUMN feature_neighbours.layer IS 'Layer, as in saes.';
COMMENT ON COLUMN feature_neighbours.rank IS 'Rank among the features of the neighbour''s SAE, from 1, without the feature itself; equal cosines rank by the lower index.';
COMMENT ON COLUMN feature_neighbours.neighbour_layer IS 'Layer of the neighbour.';
COMMENT ON COLUMN feature_neighbours.neighbour IS 'The feature that is near.';
COMMENT ON COLUMN feature_neighbours.cosine IS 'Cosine of the two decoder directions.';
COMMENT ON COLUMN feature_neighbours.sae IS 'The SAE.';
COMMENT ON COLUMN feature_neighbours.neighbour_sae IS 'SAE of the neighbour.';
COMMENT ON COLUMN feature_neighbours.release IS 'Release of the SAE.';
COMMENT ON COLUMN feature_neighbours.model IS 'Its model.';

CREATE OR REPLACE VIEW neuron_links AS
WITH ends AS (
    SELECT pair_id, number, 'excites' AS direction, unnest(range(1, len(top_numbers) + 1)) AS rank, unnest(top_numbers) AS other, unnest(top_weights) AS weight
    FROM stored_neuron_links
    UNION ALL
    SELECT pair_id, number, 'inhibits', unnest(range(1, len(bottom_numbers) + 1)), unnest(bottom_numbers), unnest(bottom_weights)
    FROM stored_neuron_links
)
SELECT s.layer AS source_layer, CASE p.kind WHEN 'outgoing' THEN e.number ELSE e.other END AS source_feature,
       p.layer AS neuron_layer, p.matrix, CASE p.kind WHEN 'outgoing' THEN e.other ELSE e.number END AS neuron,
       e.direction, CASE p.kind WHEN 'outgoing' THEN 'source' ELSE 'neuron' END AS ranked_for, e.rank, e.weight,
       (e.weight - p.mean) / nullif(p.std, 0) AS z, normal_tail((e.weight - p.mean) / nullif(p.std, 0)) AS nominal_p,
       s.sae AS source_sae, s.model
FROM ends e
JOIN stored_neuron_pairs p ON e.pair_id = p.pair_id
JOIN saes s ON s.load_id = p.sae_id;
COMMENT ON VIEW neuron_links IS 'The strongest direct weights from features to neurons of an MLP, decoder direction times input weights, that saedb compute --links --to MODEL#mlp_in.LAYER was asked for. A link that is in the list of its feature and in that of its neuron is there twice, as ranked_for says. docs/links.md says what a direct weight leaves out.';
COMMENT ON COLUMN neuron_links.source_layer IS 'Layer of the SAE whose decoder writes, as in saes.';
COMMENT ON COLUMN neuron_links.source_feature IS 'Feature that writes.';
COMMENT ON COLUMN neuron_links.neuron_layer IS 'Index of the block whose MLP reads.';
COMMENT ON COLUMN neuron_links.matrix IS 'in for the neurons'' inputs, gate for their gates where MLPs are gated.';
COMMENT ON COLUMN neuron_links.neuron IS 'Index of the neuron.';
COMMENT ON COLUMN neuron_links.direction IS 'excites: among the highest weights of the list. inhibits: among the lowest.';
COMMENT ON COLUMN neuron_links.ranked_for IS 'Whose list the link is in: source, the neurons of the feature; neuron, the features of the neuron.';
COMMENT ON COLUMN neuron_links.rank IS 'Rank at that end of the list, from 1; equal weights rank by the lower index.';
COMMENT ON COLUMN neuron_links.weight IS 'Direct weight: decoder direction of the feature times input weights of the neuron, both as they are stored.';
COMMENT ON COLUMN neuron_links.z IS 'Weight less the mean over the standard deviation of all weights between the SAE and the MLP; NULL until all of them are computed.';
COMMENT ON COLUMN neuron_links.nominal_p IS 'Two-sided tail of the normal distribution beyond z, nominal as that of feature_links.';
COMMENT ON COLUMN neuron_links.source_sae IS 'SAE of the feature.';
COMMENT ON COLUMN neuron_links.model IS 'Its model.';
