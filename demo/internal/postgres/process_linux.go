package postgres

import "syscall"

// childAttributes lets the kernel end the child with this process, even if that
// is killed. A group of its own keeps Ctrl-C in a terminal from reaching the
// server before the demo has finished with it.
func childAttributes(a account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Credential: a.credential,
		Setpgid:    true,
		Pdeathsig:  syscall.SIGINT,
	}
}
