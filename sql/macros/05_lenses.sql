-- Which lens people mean by its name, and which SAEs are computed through it. The macros of
-- figures, features_through, feature_tokens_through and enrichment_through, are made from the views
-- that they have the columns of (lenses.go).
CREATE OR REPLACE MACRO saes_through(lens_name) AS TABLE
    SELECT s.sae, r.layer AS lens_layer, c.tokens, c.counted_tokens, c.features, l.lens, r.sae_id AS load_id, r.lens_sae_id
    FROM stored_lens_saes r
    JOIN stored_saes s ON s.sae_id = r.sae_id
    JOIN stored_lenses l ON l.lens_id = r.lens_id
    LEFT JOIN stored_computations c ON c.sae_id = r.lens_sae_id
    WHERE l.lens = (SELECT CASE WHEN count(*) FILTER (n.lens = lens_name) > 0 THEN lens_name
                                ELSE error('no lens is called ' || coalesce(lens_name, 'NULL') || ' (loaded: ' || coalesce(string_agg(n.lens, ', ' ORDER BY n.lens), 'none') || ')') END
                    FROM stored_lenses n);
COMMENT ON MACRO TABLE saes_through IS 'saes_through(lens): the SAEs that were computed through a lens (compute --lens), with the block behind which each begins there, and the tokens that count.';
