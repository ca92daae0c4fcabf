//go:build unix

package machine

import "syscall"

// Files returns how many files and sockets this program may have open, and
// reports false where the system does not tell.
func Files() (n uint64, ok bool) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0, false
	}
	return uint64(limit.Cur), true //nolint:unconvert // it is signed on FreeBSD
}
