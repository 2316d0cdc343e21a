package main

/*
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>

// pin restricts the calling thread to the first cores of those allowed.
static int pin(const cpu_set_t *allowed, int cores) {
	cpu_set_t chosen;
	CPU_ZERO(&chosen);
	for (int cpu = 0; cpu < CPU_SETSIZE && cores > 0; cpu++) {
		if (CPU_ISSET(cpu, allowed)) {
			CPU_SET(cpu, &chosen);
			cores--;
		}
	}
	return sched_setaffinity(0, sizeof chosen, &chosen);
}

// An empty set, when the system does not tell, fails in pin.
static int allowed_cores(cpu_set_t *allowed) {
	CPU_ZERO(allowed);
	return sched_getaffinity(0, sizeof *allowed, allowed);
}

static int unpin(const cpu_set_t *allowed) { return sched_setaffinity(0, sizeof *allowed, allowed); }
*/
import "C"

import (
	"fmt"
	"os/exec"
	"runtime"
)

// allowed is the set of cores that this process may use, read before any thread of
// it is pinned: threads that the runtime starts later may inherit less.
var allowed = func() (set C.cpu_set_t) {
	C.allowed_cores(&set)
	return set
}()

// startPinned starts a process that can run on the first cores of this one's only. A
// process inherits this from the thread that starts it.
func startPinned(command *exec.Cmd, cores int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if status, err := C.pin(&allowed, C.int(cores)); status != 0 {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	started := command.Start()
	if status, err := C.unpin(&allowed); status != 0 {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	return started
}
