SELECT bottom_neurons(w_dec, 'smollm2-135m#mlp_gate.9') FROM decoder_directions LIMIT 1;

SELECT bottom_neurons(w_dec, 'layer_29#encoder') FROM decoder_directions LIMIT 1;

SELECT bottom_neurons([1]::FLOAT[], NULL) AS no_reader, typeof(bottom_neurons(NULL, NULL)) AS type;
