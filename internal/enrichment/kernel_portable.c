#include "native.h"

#define NAME(name) name##_portable
#define TARGET

#include "words_generic.h"

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_signed __attribute__((vector_size(16)));

// above counts the MEMBER_LANES values from from on that are greater than a weight.
WORDS uint32_t above(const float *from, const float *weight) {
	four v[MEMBER_LANES / 4], than = {*weight, *weight, *weight, *weight};
	memcpy(v, from, sizeof v);
	four_signed less = (v[0] > than) + (v[1] > than) + (v[2] > than) + (v[3] > than); // by 1 for each
	return (uint32_t)(0 - less[0] - less[1] - less[2] - less[3]);
}

#include "matrix.h"
#include "rank.h"
#include "memberranks.h"
