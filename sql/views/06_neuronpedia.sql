CREATE OR REPLACE VIEW explanations AS
SELECT s.layer, e.feature, e.description, e.type, e.explainer, s.sae, s.release, s.model
FROM stored_explanations e JOIN saes s ON s.neuronpedia_id = e.neuronpedia_id;
COMMENT ON VIEW explanations IS 'Neuronpedia''s explanations of the features of loaded SAEs, from saedb load explanations: join it USING (sae, feature). A feature may have several, or none.';
COMMENT ON COLUMN explanations.sae IS 'The SAE, whose neuronpedia_id in saes is that of the explanations.';
COMMENT ON COLUMN explanations.release IS 'Its release.';
COMMENT ON COLUMN explanations.model IS 'Its model.';
COMMENT ON COLUMN explanations.layer IS 'Its layer, as in saes.';

CREATE OR REPLACE VIEW neuronpedia_features AS
SELECT s.layer, f.feature, f.max_activation, f.density, s.sae, s.release, s.model
FROM stored_neuronpedia_features f JOIN saes s ON s.neuronpedia_id = f.neuronpedia_id;
COMMENT ON VIEW neuronpedia_features IS 'How the features of loaded SAEs fire, from Neuronpedia''s exports of features (saedb load explanations reads them too).';
COMMENT ON COLUMN neuronpedia_features.sae IS 'The SAE, whose neuronpedia_id in saes is that of the export.';
COMMENT ON COLUMN neuronpedia_features.release IS 'Its release.';
COMMENT ON COLUMN neuronpedia_features.model IS 'Its model.';
COMMENT ON COLUMN neuronpedia_features.layer IS 'Its layer, as in saes.';
