FROM unlike_sets('smollm2-135m', ['1 digit', 'all_digits', 'months']);

FROM unlike_sets('smollm2-135m', ['all_digits', '1 digit', 'months']);
