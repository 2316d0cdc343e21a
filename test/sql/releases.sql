SELECT count(DISTINCT release) AS releases, count(*) AS saes FROM releases();

SELECT sae, width, l0, neuronpedia_id FROM releases() WHERE model = 'gemma-2-2b' AND layer = 12 AND hook LIKE '%resid_post' ORDER BY width DESC, l0 LIMIT 3;
