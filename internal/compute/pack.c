#include "native.h"

void native_pack(const float *rows, int64_t count, int64_t stride, int64_t depth,
                 float *panel, int64_t width) {
	// Panels are written whole lines at a time; the rows read beside each other are
	// few enough for their lines to stay in L1.
	for (int64_t k = 0; k < depth; k++) {
		for (int64_t i = 0; i < count; i++) {
			panel[k * width + i] = rows[i * stride + k];
		}
		for (int64_t i = count; i < width; i++) {
			panel[k * width + i] = 0;
		}
	}
}

void native_unpack(const float *weights, int64_t tokens, int64_t d_model, int64_t depth,
                   int64_t panel_tokens, float scale, int64_t position, float *row) {
	int64_t first = position / GROUP_TOKENS * GROUP_TOKENS;
	int64_t in_group = tokens - first < GROUP_TOKENS ? tokens - first : GROUP_TOKENS;
	int64_t width = (in_group + panel_tokens - 1) / panel_tokens * panel_tokens; // of the group's panels together
	int64_t panel = (position - first) / panel_tokens, place = (position - first) % panel_tokens;
	const float *part = weights + first * d_model;
	for (int64_t from = 0; from < d_model; from += depth) {
		int64_t rows = d_model - from < depth ? d_model - from : depth;
		const float *values = part + panel * rows * panel_tokens + place;
		for (int64_t k = 0; k < rows; k++) {
			// Each value is in a line of its own, and strides end at pages for the hardware.
			__builtin_prefetch(values + (k + 32) * panel_tokens);
			row[from + k] = values[k * panel_tokens] * scale;
		}
		part += rows * width;
	}
}

void native_dots_of_packed(const struct native_kernel *kernel, const float *directions, const float *weights,
                           int64_t tokens, int64_t d_model, int64_t depth, float scale,
                           const struct native_pair *pairs, int64_t n, float *scratch, double *out) {
	for (int64_t i = 0; i < n; i++) {
		if (i == 0 || pairs[i].row != pairs[i - 1].row) {
			native_unpack(weights, tokens, d_model, depth, kernel->panel_tokens, scale, pairs[i].row, scratch);
		}
		struct native_pair restored = pairs[i];
		restored.row = 0;
		kernel->dots(directions, scratch, d_model, &restored, 1, out);
	}
}
