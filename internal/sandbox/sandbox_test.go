//go:build linux

package sandbox

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is the program that runs in the sandbox, too: it tries what it may and what it
// may not, and writes what became of it.
func TestMain(m *testing.M) {
	if !Inside() {
		os.Exit(m.Run())
	}
	if os.Getenv("TZ") == "wait" {
		time.Sleep(time.Minute)
	}
	holds, err := Confined()
	found := map[string]string{"confined": message(err)}
	try := func(name string, attempt func() error) { found[name] = message(attempt()) }
	given := os.Getenv(readVariable + "0")
	read := func(path string) func() error {
		return func() error { _, err := os.ReadFile(path); return err }
	}
	write := func(path string) func() error {
		return func() error { return os.WriteFile(path, []byte("written"), 0o600) }
	}
	try("read what was given", read(given))
	try("write in the directory", write(filepath.Join(Directory(), "new")))
	try("read in the directory", read(filepath.Join(Directory(), "new")))
	try("remove in the directory", func() error { return os.Remove(filepath.Join(Directory(), "new")) })
	try("goroutines", func() error { return thread(func() error { return nil }) })
	for name, attempt := range map[string]func() error{
		"read another file":         read("/etc/passwd"),
		"read beside":               read(filepath.Join(filepath.Dir(given), "beside")),
		"read its own environment":  read("/proc/self/environ"),
		"list a directory":          func() error { _, err := os.ReadDir("/"); return err },
		"write what was given":      write(given),
		"write elsewhere":           write(filepath.Join(os.TempDir(), "saedb-sandbox-elsewhere")),
		"link what was given":       func() error { return os.Symlink(given, filepath.Join(Directory(), "link")) },
		"rename what was given":     func() error { return os.Rename(given, filepath.Join(Directory(), "mine")) },
		"change its mode":           func() error { return os.Chmod(given, 0o777) },
		"connect":                   func() error { _, err := net.Dial("tcp", "127.0.0.1:1"); return err },
		"listen":                    func() error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err },
		"listen at a path":          func() error { _, err := net.Listen("unix", filepath.Join(Directory(), "s")); return err },
		"start a program":           func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"fork":                      fork,
		"send its parent a signal":  func() error { return syscall.Kill(os.Getppid(), 0) },
		"raise a limit":             func() error { return unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1, Max: 1}, nil) },
		"change another's limit":    func() error { return unix.Prlimit(os.Getppid(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 5, Max: 5}, nil) },
		"trace its parent":          func() error { return unix.PtraceAttach(os.Getppid()) },
		"other namespaces":          func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"read another in a thread":  func() error { return thread(read("/etc/passwd")) },
		"inherit what was open":     func() error { _, err := os.NewFile(9, "9").Stat(); return err },
		"a variable of the program": func() error { return absent("SAEDB_SANDBOX_SECRET") },
	} {
		try("not "+name, attempt)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"holds": holds, "found": found})
	os.Exit(0)
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// thread runs an attempt on another thread than the one that was confined first.
func thread(attempt func() error) error {
	done := make(chan error)
	for range 8 {
		go func() {
			time.Sleep(time.Millisecond)
			done <- attempt()
		}()
	}
	var err error
	for range 8 {
		err = <-done
	}
	return err
}

func fork() error {
	_, _, number := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if number == 0 {
		return nil
	}
	return number
}

func absent(variable string) error {
	if os.Getenv(variable) != "" {
		return nil
	}
	return syscall.ENOENT
}

func confined(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	t.Setenv("SAEDB_SANDBOX_SECRET", "secret")
	outside, directory := t.TempDir(), t.TempDir()
	for _, name := range []string{"given", "beside"} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	given := filepath.Join(outside, "given")
	command, err := Sandbox{Read: []string{given, filepath.Join(outside, "not there")}, Directory: directory}.Command()
	if err != nil {
		t.Fatal(err)
	}
	return command, given
}

// TestSandbox tries, inside, what it is there to keep from happening.
func TestSandbox(t *testing.T) {
	command, given := confined(t)
	open, err := os.Open(given)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	command.ExtraFiles = []*os.File{nil, nil, nil, nil, nil, nil, open} // the last is 9
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	ended, err := Start(command)
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	var answer struct {
		Holds Holds             `json:"holds"`
		Found map[string]string `json:"found"`
	}
	if err := json.Unmarshal([]byte(stdout.String()), &answer); err != nil {
		t.Fatalf("%v: %q, %q", err, stdout.String(), stderr.String())
	}
	if !answer.Holds.Files || !answer.Holds.Calls {
		t.Skip("this kernel has no Landlock, or no seccomp")
	}
	if len(answer.Found) < 25 {
		t.Errorf("only %d things were tried", len(answer.Found))
	}
	for name, problem := range answer.Found {
		if must := strings.HasPrefix(name, "not "); must != (problem != "") {
			t.Errorf("%s: %q", name, problem)
		} else {
			t.Logf("%s: %q", name, problem)
		}
	}
	if content, err := os.ReadFile(given); err != nil || string(content) != "content" {
		t.Errorf("the file that was given is %q now, %v", content, err)
	}
}

// TestLimits: what is set from outside is there, and never above what was inherited.
func TestLimits(t *testing.T) {
	t.Setenv("TZ", "wait")
	command, _ := confined(t)
	ended, err := Start(command)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		command.Process.Kill()
		<-ended
	}()
	if err := unix.Prlimit(command.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100, Max: 100}, nil); err != nil {
		t.Fatal(err)
	}
	before := Size(command.Process.Pid)
	if err := Limit(command.Process.Pid, Limits{Memory: 1 << 30, Processor: 1500 * time.Millisecond, FileSize: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	for resource, want := range map[int]uint64{unix.RLIMIT_CPU: 2, unix.RLIMIT_FSIZE: 100, unix.RLIMIT_CORE: 0} {
		var found unix.Rlimit
		if err := unix.Prlimit(command.Process.Pid, resource, nil, &found); err != nil || found.Cur != want || found.Max != want {
			t.Errorf("limit %d: expected %d, found %+v, %v", resource, want, found, err)
		}
	}
	// The process goes on while it is limited, and may give memory back as well as take some.
	const between = 16 << 20
	var space unix.Rlimit
	err = unix.Prlimit(command.Process.Pid, unix.RLIMIT_AS, nil, &space)
	if limited := int64(space.Max) - 1<<30; err != nil || limited < before-between || limited > before+between {
		t.Errorf("address space: %+v of a process of %d bytes, %v", space, before, err)
	}
}
