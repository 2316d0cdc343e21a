#include "native.h"

#define NAME(name) name##_portable
#define TARGET

#include "words_generic.h"

#include "matrix.h"
#include "rank.h"
