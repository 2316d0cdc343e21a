#include "native.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

// The compilers that know the instructions, on the system that is asked for the registers.
#if defined(__x86_64__) && defined(__linux__) && (defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11)

#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL(name) name##_amx
#define TARGET __attribute__((target("avx512f,avx512dq,avx2,fma,amx-tile,amx-bf16")))
enum { TILE_ROWS = 32 };

#include "simd_avx512.h"

#include "product.h"
#include "statistics.h"
#include "transform.h"
#include "measure.h"
#include "gather.h"
#include "amx.h"
#include "sweep.h"

const struct native_kernel *native_amx(void) { return &kernel_amx; }

bool native_amx_permitted(void) {
	enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

#else

const struct native_kernel *native_amx(void) { return NULL; }
bool native_amx_permitted(void) { return false; }

#endif
