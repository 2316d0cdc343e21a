// What is read of the rows of a matrix before they are packed, over the words of a simd_*.h.
//
// Products that are added here are rounded first: fused into sums on some processors and not on
// others, they would give other figures.

// APART has a product rounded before it goes into a sum.
#if defined(__x86_64__)
#define APART(product) __asm__("" : "+v"(product))
#elif defined(__aarch64__)
#define APART(product) __asm__("" : "+w"(product))
#else
#define APART(product) (void)0
#endif

SIMD wide load_wide(const double *p) {
	wide a;
	memcpy(&a, p, sizeof a);
	return a;
}

SIMD void store_wide(double *p, wide a) { memcpy(p, &a, sizeof a); }

// add_averages adds what the average rows are made of, of v = row·scale - shift: v, v², v·inverse
// and its square, each as sums [d_model] over the rows that came before, in their order.
static inline TARGET __attribute__((always_inline)) void
KERNEL(add_averages)(const float *row, int64_t d_model, bool scaled, double scale, const double *shift, double inverse, double *sums) {
	double *mean = sums, *square = sums + d_model, *cosine_mean = sums + 2 * d_model, *cosine_square = sums + 3 * d_model;
	int64_t i = 0;
	for (; i + WIDE_DOUBLES <= d_model; i += WIDE_DOUBLES) {
		wide v = widen(row + i);
		if (scaled) {
			v *= scale;
			APART(v);
		}
		if (shift != NULL) {
			v -= load_wide(shift + i);
		}
		wide cosine = v * inverse, squared = v * v;
		APART(cosine);
		APART(squared);
		wide cosine_squared = cosine * cosine;
		APART(cosine_squared);
		store_wide(mean + i, load_wide(mean + i) + v);
		store_wide(square + i, load_wide(square + i) + squared);
		store_wide(cosine_mean + i, load_wide(cosine_mean + i) + cosine);
		store_wide(cosine_square + i, load_wide(cosine_square + i) + cosine_squared);
	}
	for (; i < d_model; i++) {
		double v = row[i];
		if (scaled) {
			v *= scale;
			APART(v);
		}
		if (shift != NULL) {
			v -= shift[i];
		}
		double cosine = v * inverse, squared = v * v;
		APART(cosine);
		APART(squared);
		double cosine_squared = cosine * cosine;
		APART(cosine_squared);
		mean[i] += v;
		square[i] += squared;
		cosine_mean[i] += cosine;
		cosine_square[i] += cosine_squared;
	}
}

// square_of returns ‖row‖² in the order of dots, and the largest magnitude in it.
static inline TARGET __attribute__((always_inline)) double
KERNEL(square_of)(const float *row, int64_t d_model, float *largest) {
	vector highest = spread(0), lowest = highest;
	int64_t k = 0;
	for (; k + VECTOR_FLOATS <= d_model; k += VECTOR_FLOATS) {
		vector values = load(row + k);
		highest = larger(values, highest);
		lowest = smaller(values, lowest);
	}
	float ends[2 * VECTOR_FLOATS], most = 0;
	store(ends, highest);
	store(ends + VECTOR_FLOATS, lowest);
	for (int i = 0; i < 2 * VECTOR_FLOATS; i++) {
		most = fabsf(ends[i]) > most ? fabsf(ends[i]) : most;
	}
	for (; k < d_model; k++) {
		most = fabsf(row[k]) > most ? fabsf(row[k]) : most;
	}
	*largest = most;
	return KERNEL(dot)(row, row, d_model, NULL);
}

// measure: see native.h.
static TARGET double KERNEL(measure)(const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                                     double *scales, double *inverse_norms, double *squares, double *sums) {
	double largest = 0;
	for (int64_t j = 0; j < n; j++) {
		const float *row = rows + tokens[j] * d_model;
		float most;
		double square = KERNEL(square_of)(row, d_model, &most), scale = 1;
		if (!(square <= DBL_MAX)) {
			return NAN;
		}
		inverse_norms[j] = square == 0 ? 0 : 1 / sqrt(square);
		if (scales != NULL) {
			scales[j] = scale = inverse_norms[j];
			inverse_norms[j] = square == 0 ? 0 : 1;
		}
		squares[j] = scale * scale * square;
		largest = scale * most > largest ? scale * most : largest;
		if (scales != NULL) {
			KERNEL(add_averages)(row, d_model, true, scale, NULL, inverse_norms[j], sums);
		} else {
			KERNEL(add_averages)(row, d_model, false, 1, NULL, inverse_norms[j], sums);
		}
	}
	return largest;
}

// measure_without: see native.h.
static TARGET double KERNEL(measure_without)(const float *rows, const int32_t *tokens, int64_t n, int64_t d_model, const double *scales,
                                             const double *inverse_norms, const double *shift, double *squares, double *sums) {
	double largest = 0;
	for (int64_t j = 0; j < n; j++) {
		const float *row = rows + tokens[j] * d_model;
		double scale = scales == NULL ? 1 : scales[j], parts[4] = {0};
		for (int64_t i = 0; i < d_model; i++) {
			double v = row[i] * scale;
			APART(v);
			double difference = v - shift[i];
			parts[i % 4] += difference * difference;
			largest = fabs(difference) > largest ? fabs(difference) : largest;
		}
		squares[j] = (parts[0] + parts[1]) + (parts[2] + parts[3]);
		KERNEL(add_averages)(row, d_model, true, scale, shift, inverse_norms[j], sums);
	}
	return largest;
}

// scale_row: see native.h.
static TARGET void KERNEL(scale_row)(const float *row, int64_t d_model, double scale, const double *shift, double factor, float *out) {
	if (shift == NULL && scale == 1) {
		for (int64_t i = 0; i < d_model; i++) {
			out[i] = (float)(row[i] * factor);
		}
		return;
	}
	for (int64_t i = 0; i < d_model; i++) {
		double v = row[i] * scale;
		APART(v);
		out[i] = (float)((shift == NULL ? v : v - shift[i]) * factor);
	}
}

// pack: see native.h.
static TARGET void KERNEL(pack)(const float *rows, const int32_t *tokens, int64_t n, int64_t d_model, int64_t depth, float factor, float *out) {
	vector scale = spread(factor);
	for (int64_t from = 0; from < d_model; from += depth) {
		int64_t last = from + depth < d_model ? from + depth : d_model;
		for (int64_t first = 0; first < n; first += PANEL_TOKENS) {
			for (int64_t k = from; k < last; k += VECTOR_FLOATS) {
				int values = last - k < VECTOR_FLOATS ? (int)(last - k) : VECTOR_FLOATS;
				for (int64_t j = 0; j < PANEL_TOKENS; j += VECTOR_FLOATS) {
					vector block[VECTOR_FLOATS];
					for (int i = 0; i < VECTOR_FLOATS; i++) {
						if (first + j + i >= n) {
							block[i] = spread(0);
						} else if (values == VECTOR_FLOATS) {
							block[i] = multiply(load(rows + tokens[first + j + i] * d_model + k), scale);
						} else {
							float rest[VECTOR_FLOATS] = {0};
							memcpy(rest, rows + tokens[first + j + i] * d_model + k, (size_t)values * sizeof(float));
							block[i] = multiply(load(rest), scale);
						}
					}
					transpose(block);
					for (int i = 0; i < values; i++) {
						store(out + i * PANEL_TOKENS + j, block[i]);
					}
				}
				out += values * PANEL_TOKENS;
			}
		}
	}
}
