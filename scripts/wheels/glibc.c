// What GCC's libstdc++.a of Debian 12 asks of glibc that glibc 2.28 has not. Linked into
// the program for Linux by scripts/wheels.
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#define HIDDEN __attribute__((visibility("hidden")))

// Of glibc 2.32: whether the process has one thread yet. The program never has.
HIDDEN char __libc_single_threaded = 0;

// Of glibc 2.36, for std::random_device.
HIDDEN uint32_t arc4random(void) {
	uint32_t number;
	if (getrandom(&number, sizeof number, 0) != sizeof number) {
		abort();
	}
	return number;
}
