#include "openblas.h"

#include <dlfcn.h>
#include <stddef.h>

// Of cblas.h.
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

typedef void sgemm_function(int order, int transpose_a, int transpose_b, int m, int n, int k,
                            float alpha, const float *a, int lda, const float *b, int ldb,
                            float beta, float *c, int ldc);

static sgemm_function *sgemm;
static char *(*corename)(void);
static void (*set_threads)(int);

const char *openblas_load(void) {
	if (sgemm != NULL) {
		return NULL;
	}
	void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		return dlerror();
	}
	corename = (char *(*)(void))dlsym(library, "openblas_get_corename");
	set_threads = (void (*)(int))dlsym(library, "openblas_set_num_threads");
	sgemm = (sgemm_function *)dlsym(library, "cblas_sgemm");
	if (sgemm == NULL || corename == NULL || set_threads == NULL) {
		sgemm = NULL;
		return "libopenblas.so.0 lacks cblas_sgemm, openblas_get_corename or openblas_set_num_threads";
	}
	return NULL;
}

const char *openblas_kernel(void) { return corename(); }

void openblas_threads(int threads) { set_threads(threads); }

void openblas_project(const float *directions, const float *tokens, float *out,
                      int features, int token_count, int d) {
	sgemm(ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, features, token_count, d,
	      1, directions, d, tokens, d, 0, out, token_count);
}
