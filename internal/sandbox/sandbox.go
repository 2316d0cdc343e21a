package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// Inside tells whether this process was started by Command.
func Inside() bool { return os.Getenv(directoryVariable) != "" }

// Directory is the one that this process may write to, where it is inside a sandbox.
func Directory() string { return os.Getenv(directoryVariable) }

// Command is this program again, in a sandbox. In its main it must ask Inside before all
// else. Its working directory is the sandbox's.
func (s Sandbox) Command() (*exec.Cmd, error) {
	program, err := executable()
	if err != nil {
		return nil, err
	}
	// With the arguments of this process, it is told apart by who looks for a program that
	// has the files open: there is one to be ended, this one.
	command := &exec.Cmd{Path: program, Args: os.Args, Dir: s.Directory}
	command.Env = []string{directoryVariable + "=" + s.Directory}
	for i, path := range s.Read {
		command.Env = append(command.Env, fmt.Sprintf("%s%d=%s", readVariable, i, path))
	}
	for _, name := range append(s.Environment, systemVariables...) {
		if value, found := os.LookupEnv(name); found {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	prepare(command)
	return command, nil
}

// Start starts a command of Command's. The channel is closed when the process has ended
// and everything that it wrote to the command's writers is there.
func Start(command *exec.Cmd) (ended <-chan struct{}, err error) {
	started, done := make(chan error), make(chan struct{})
	go func() {
		// Linux ends the process when the thread ends that started it, which Go does with
		// threads as it likes, but for one that a goroutine has to itself.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // how it ended is in command.ProcessState
			close(done)
		}
	}()
	return done, <-started
}

// Missing are the parts that this system is known for, and does not hold.
func (h Holds) Missing() []string {
	var missing []string
	if runtime.GOOS == "linux" && !h.Files {
		missing = append(missing, "Landlock")
	}
	if runtime.GOOS == "linux" && !h.Calls {
		missing = append(missing, "seccomp")
	}
	return missing
}
