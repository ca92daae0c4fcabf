//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import "syscall"

// childAttributes has no means here to tie the child's life to this process; the
// package comment says what ends a server whose owner was killed. A group of its
// own keeps Ctrl-C in a terminal from reaching the server before the demo has
// finished with it.
func childAttributes(a account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
}
