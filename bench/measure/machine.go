// Package measure is what the benchmarks share: running a program as a child and
// measuring it, describing the machine, and comparing figures.
package measure

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine describes the machine and how busy it is, in one line, so that a printed
// result says where it comes from.
func Machine() string {
	load := "unknown"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(text), " ")
	}
	return fmt.Sprintf("%s, %d cores, %.1f GiB memory, %s/%s, load %s before the run",
		Processor(), runtime.NumCPU(), GiB(memory("MemTotal")), runtime.GOOS, runtime.GOARCH, load)
}

// AvailableMemory is what the kernel thinks a new program could take without
// swapping, in bytes; 0 where it does not say.
func AvailableMemory() int64 { return memory("MemAvailable") }

// GiB converts bytes.
func GiB(bytes int64) float64 { return float64(bytes) / (1 << 30) }

// MiB converts bytes.
func MiB(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// Processor is the processor's name with its family and model numbers: virtual
// machines often hide the product's name, but not these.
func Processor() string {
	fields := colonFields("/proc/cpuinfo")
	if fields["model name"] == "" {
		return "unknown processor"
	}
	return fmt.Sprintf("%s (family %s, model %s)", fields["model name"], fields["cpu family"], fields["model"])
}

// memory reads a line of /proc/meminfo, which counts in KiB.
func memory(field string) int64 {
	number, _, _ := strings.Cut(colonFields("/proc/meminfo")[field], " ")
	kib, _ := strconv.ParseInt(number, 10, 64) // 0 where the system has no such line
	return kib << 10
}

// colonFields reads the "name : value" lines of a file, the first of each name.
func colonFields(path string) map[string]string {
	fields := make(map[string]string)
	file, err := os.Open(path)
	if err != nil {
		return fields
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, found := strings.Cut(lines.Text(), ":")
		name = strings.TrimSpace(name)
		if _, seen := fields[name]; found && !seen {
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields
}

// busy is the time that all cores have worked since the start, whoever for; 0 where
// the system does not say.
func busy() time.Duration {
	const tick = time.Second / 100 // what Linux counts in, on every platform that Go knows
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	all, _, _ := strings.Cut(string(text), "\n")
	var total time.Duration
	for i, field := range strings.Fields(all) {
		// cpu user nice system idle iowait irq softirq steal …
		if ticks, err := strconv.ParseInt(field, 10, 64); err == nil && i <= 8 && i != 4 && i != 5 {
			total += time.Duration(ticks) * tick
		}
	}
	return total
}
