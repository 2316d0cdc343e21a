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
