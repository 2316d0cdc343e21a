package measure

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Run is what one run of a program took.
type Run struct {
	Wall   time.Duration // from start to exit, loading of the program included
	CPU    time.Duration // user and system time, of all threads
	Peak   int64         // largest resident set, bytes
	Output string        // standard output
	// Others is the share of the cores that other programs used meanwhile, 0 to 1:
	// above a few hundredths, times are not worth much. 0 where it is not known.
	Others float64
}

// Command runs a program to its end, with these variables added to the
// environment. A program that fails gives an error with the end of what it wrote
// to standard error.
//
// Its peak memory is the kernel's ru_maxrss, in which a child starts from the
// parent's own peak: a benchmark that measures children has to stay small itself.
func Command(environment []string, program string, arguments ...string) (Run, error) {
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), environment...)
	var output, complaint bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaint
	begun, busyBefore := time.Now(), busy()
	if err := command.Start(); err != nil {
		return Run{}, err
	}
	preferAsVictim(command.Process.Pid)
	err := command.Wait()
	run := Run{Wall: time.Since(begun), Output: output.String()}
	if state := command.ProcessState; state != nil {
		run.CPU = state.UserTime() + state.SystemTime()
		if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
			run.Peak = int64(usage.Maxrss) * rusageUnit
		}
	}
	run.Others = max(0, (busy()-busyBefore-run.CPU).Seconds()/run.Wall.Seconds()/float64(runtime.NumCPU()))
	if err != nil {
		return run, fmt.Errorf("%s %s: %w: %s", program, strings.Join(arguments, " "), err, lastLines(complaint.String(), 5))
	}
	return run, nil
}

// rusageUnit is what ru_maxrss counts in: KiB, but bytes on macOS.
var rusageUnit = map[bool]int64{true: 1, false: 1 << 10}[runtime.GOOS == "darwin"]

// preferAsVictim makes the child the one that the kernel ends when memory runs
// out, and not whatever else the machine does. Where it is not allowed, nothing
// is lost.
func preferAsVictim(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("1000"), 0)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Script runs a Python program, which reports in its last line, behind the greetings of
// libraries, the seconds of its work, in some form, and its peak memory in bytes.
func Script[T any](environment []string, python, script string, arguments ...string) (seconds T, peak int64, run Run, err error) {
	environment = append([]string{"PYTHONDONTWRITEBYTECODE=1"}, environment...)
	if run, err = Command(environment, python, append([]string{script}, arguments...)...); err != nil {
		return seconds, 0, run, err
	}
	var report struct {
		Seconds   T
		PeakBytes int64 `json:"peak_bytes"`
	}
	if err := json.Unmarshal([]byte(lastLines(run.Output, 1)), &report); err != nil {
		return seconds, 0, run, fmt.Errorf("%s: its report: %w", script, err)
	}
	return report.Seconds, report.PeakBytes, run, nil
}
