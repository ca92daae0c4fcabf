//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

// Find returns the path of the server program of which a temporary server would
// be made, and reports false if there is none.
func Find() (path string, ok bool) {
	p, ok := findPrograms()
	return p.postgres, ok
}
