// Bulk conversions to binary32 (convert.c). n is a number of values; sources are
// little endian and need not be aligned.
#ifndef SAEDB_TENSOR_CONVERT_H
#define SAEDB_TENSOR_CONVERT_H

#include <stddef.h>

void saedb_from_bf16(float *to, const void *from, size_t n);
void saedb_from_f16(float *to, const void *from, size_t n);
void saedb_from_f64(float *to, const void *from, size_t n);
int saedb_all_finite(const float *values, size_t n);

#endif
