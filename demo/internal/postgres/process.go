//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// errEnded says that a server ended by itself while we waited for it.
var errEnded = errors.New("ended at once")

// A process is a child of ours.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // Closed when the process has ended.
	err  error         // Of cmd.Wait; to be read after done.
}

// startProcess starts cmd. On Linux the child dies with this process, whose
// goroutine here must keep its thread for that: the kernel counts the end of
// the thread that started a child as the end of its parent.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the process, first with the signal by which PostgreSQL cuts off its
// clients and shuts down cleanly, then by which it drops everything, then by
// force. It returns when the process has ended.
func (p *process) stop() error {
	for _, step := range []struct {
		signal os.Signal
		wait   time.Duration
	}{
		{syscall.SIGINT, 5 * time.Second},
		{syscall.SIGQUIT, 2 * time.Second},
		{syscall.SIGKILL, 2 * time.Second},
	} {
		// An error means that it has ended, which done is about to say.
		_ = p.cmd.Process.Signal(step.signal)
		t := time.NewTimer(step.wait)
		select {
		case <-p.done:
			t.Stop()
			return nil
		case <-t.C:
		}
	}
	return fmt.Errorf("postgres: process %d does not end, not even by SIGKILL; its directory has been removed", p.cmd.Process.Pid)
}
