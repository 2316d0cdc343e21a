#include "native.h"

#if defined(__x86_64__)

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "words_generic.h"

#include "matrix.h"
#include "rank.h"

#endif
