package measure

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Kernel builds bench/kernel, whose processes measure the multipliers alone, and returns its path.
func Kernel() (string, error) {
	path, err := filepath.Abs(filepath.Join(Scratch, "kernel"))
	if err != nil {
		return "", err
	}
	_, err = Command(nil, "go", "build", "-o", path, "./bench/kernel")
	return path, err
}

// Peak is the rate of multiply-adds in registers alone on all cores, in GFLOP/s: the most that
// this machine's multipliers do, the best of three measurements.
func Peak() (float64, error) {
	kernel, err := Kernel()
	if err != nil {
		return 0, err
	}
	const times = 3
	command := exec.Command(kernel, "-measure", "peak", "-cores", fmt.Sprint(runtime.NumCPU()))
	command.Stdin = strings.NewReader(strings.Repeat("\n", times))
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return 0, err
	}
	best := 0.0
	lines := strings.Fields(string(output))
	for _, line := range lines[min(1, len(lines)):] { // the first is the kernel's name
		rate, err := strconv.ParseFloat(line, 64)
		if err != nil {
			return 0, fmt.Errorf("bench/kernel -measure peak: expected GFLOP/s, found %q", line)
		}
		best = max(best, rate)
	}
	if best == 0 {
		return 0, fmt.Errorf("bench/kernel -measure peak: expected GFLOP/s, found none in %q", output)
	}
	return best, nil
}
