//go:build unix

package report

import (
	"io/fs"
	"syscall"
)

// canTakePlace reports whether a new file can be renamed to an old one without
// a loss: the old one may belong to somebody else, as it does when root writes
// to it, and may have other names, which would keep the old content.
func canTakePlace(created, old fs.FileInfo) bool {
	a, okA := created.Sys().(*syscall.Stat_t)
	b, okB := old.Sys().(*syscall.Stat_t)
	return okA && okB && a.Uid == b.Uid && a.Gid == b.Gid && b.Nlink == 1
}
