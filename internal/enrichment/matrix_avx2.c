#include "native.h"

#if defined(__x86_64__)

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "matrix_words.h"

#include "matrix.h"

#endif
