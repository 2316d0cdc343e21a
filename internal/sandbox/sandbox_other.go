//go:build !linux

package sandbox

import (
	"os"
	"os/exec"
)

// systemVariables are what programs of Windows and macOS do not start without, or find
// libraries by.
var systemVariables = []string{"SYSTEMROOT", "PATH", "DYLD_LIBRARY_PATH", "TZ", "TEMP", "TMP"}

func executable() (string, error) { return os.Executable() }

func prepare(*exec.Cmd) {}

// Confined says that nothing of the sandbox holds here.
func Confined() (Holds, error) { return Holds{}, nil }

// Limit sets none of the limits on this system.
func Limit(int, Limits) error { return nil }

// Size is 0: this system does not say.
func Size(int) int64 { return 0 }
