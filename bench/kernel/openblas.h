#ifndef SAEDB_BENCH_OPENBLAS_H
#define SAEDB_BENCH_OPENBLAS_H

// openblas_load loads the library once; it returns NULL, or what the matter is. The
// other functions need it to have succeeded.
const char *openblas_load(void);

// openblas_kernel is the processor that OpenBLAS's kernels in use are for.
const char *openblas_kernel(void);

void openblas_threads(int threads);

// openblas_project writes directions [features, d] · tokens [tokens, d]ᵀ to out.
void openblas_project(const float *directions, const float *tokens, float *out,
                      int features, int token_count, int d);

#endif
