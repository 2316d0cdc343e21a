#include "native.h"

#include <math.h>

struct native_terms native_terms(const float *direction, const double *mean, const double *square, int64_t d_model) {
	double sum = 0, length = 0, drift = 0;
	for (int64_t i = 0; i < d_model; i++) {
		double weight = direction[i];
		sum += weight * mean[i];
		drift += sum * sum;
		length += weight * weight * square[i];
	}
	return (struct native_terms){sum, sqrt(length), sqrt(drift / (double)d_model)};
}

void native_unscale(float *products, int64_t n, double shift, double unit) {
	for (int64_t i = 0; i < n; i++) {
		products[i] = (float)((products[i] + shift) * unit);
	}
}
