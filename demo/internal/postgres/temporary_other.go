//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package postgres

import (
	"context"
	"runtime"
)

// openTemporary declines: there is no signal here by which to shut a server
// down cleanly. A DSN works everywhere.
func openTemporary(context.Context, Config) (*Server, string, error) {
	return nil, "no temporary PostgreSQL on " + runtime.GOOS, nil
}
