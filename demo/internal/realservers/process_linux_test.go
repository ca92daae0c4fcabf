package realservers

import (
	"os/exec"
	"syscall"
)

// endsWithUs has the kernel end the child with this process, even if that is killed.
func endsWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
