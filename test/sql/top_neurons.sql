SELECT top_neurons(w_dec, 'smollm2-135m#mlp_in.9') FROM decoder_directions LIMIT 1;

SELECT top_neurons(w_dec, 'nobody#mlp_in.9') FROM decoder_directions LIMIT 1;

SELECT top_neurons(w_dec, 'layer_29#decoder') FROM decoder_directions LIMIT 1;

SELECT top_neurons(w_dec, 'smollm2-135m') FROM decoder_directions LIMIT 1;

SELECT top_neurons(NULL, 'smollm2-135m#mlp_in.9') AS no_direction, typeof(top_neurons(NULL, 'smollm2-135m#mlp_in.9')) AS type;
