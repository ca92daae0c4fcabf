//go:build !unix

package machine

// Files returns how many files and sockets this program may have open, and
// reports false where the system does not tell.
func Files() (n uint64, ok bool) { return 0, false }
