#include "native.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "simd_portable.h"

#include "product.h"
#include "statistics.h"
#include "transform.h"
#include "measure.h"
#include "gather.h"
#include "tiles.h"
#include "sweep.h"

const struct native_kernel *native_portable(void) { return &kernel_portable; }
