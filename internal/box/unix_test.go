//go:build unix

package box

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEndsWithItsParent: a process whose parent was killed is gone as well.
func TestEndsWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), holdBox+"="+database(t), "TMPDIR="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	process, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(line)
	}
	if !runs(process) {
		t.Errorf("process %d does not run", process)
	}
	parent.Process.Kill()
	parent.Wait()
	for begun := time.Now(); runs(process); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > 5*time.Second {
			t.Fatalf("process %d runs without its parent", process)
		}
	}
}

// runs tells whether a process is there, as another than a zombie's.
func runs(process int) bool {
	if err := syscall.Kill(process, 0); err != nil {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	return err != nil || !strings.Contains(string(status), ") Z ")
}
