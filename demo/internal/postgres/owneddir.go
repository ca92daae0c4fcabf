//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	dirPrefix = "tidegate-postgres-"
	ownerFile = "owner"
	// strayAge is when a directory without an owner file counts as left behind.
	// Its maker was killed in the instant between two system calls, or is in it.
	strayAge = time.Hour
)

// An ownedDir is a temporary directory with a lock that lives exactly as long
// as this process or the directory, whichever ends first. A lock is better than
// a process id in a file: ids are used again, and mean something else in the
// next container that shares the folder.
type ownedDir struct {
	path string
	lock *os.File
}

// newOwnedDir makes a directory that a can pass through but not change.
func newOwnedDir(a account) (*ownedDir, error) {
	parent, err := parentFor(a)
	if err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return nil, err
	}
	d := &ownedDir{path: path}
	if err := d.claim(a); err != nil {
		_ = d.remove()
		return nil, err
	}
	return d, nil
}

func (d *ownedDir) claim(a account) error {
	if a.credential != nil {
		if err := os.Chmod(d.path, 0o711); err != nil {
			return err
		}
	}
	// The file gets its name only once it is locked, so that nobody can see it
	// without a lock and take the directory for abandoned.
	early := filepath.Join(d.path, "."+ownerFile)
	var err error
	if d.lock, err = os.OpenFile(early, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("lock %s: %w", early, err)
	}
	return os.Rename(early, filepath.Join(d.path, ownerFile))
}

// remove deletes the directory and only then lets go of the lock.
func (d *ownedDir) remove() error {
	err := os.RemoveAll(d.path)
	if d.lock != nil {
		_ = d.lock.Close()
	}
	return err
}

// sweep removes the directories in parent whose owners were killed. What it
// cannot remove it leaves to somebody else's sweep.
func sweep(parent string, log func(string)) {
	found, _ := filepath.Glob(filepath.Join(parent, dirPrefix+"*")) // Fails for a malformed pattern only.
	for _, path := range found {
		if !ours(path) || !abandoned(path) {
			continue
		}
		if err := os.RemoveAll(path); err == nil {
			log("removed " + path + ", left behind by a run that was killed")
		}
	}
}

// ours reports whether path is a directory that this user made. Anybody can
// put something of that name into /tmp, and root must not be led astray by it.
func ours(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// abandoned reports whether nobody holds the lock of the directory.
func abandoned(path string) bool {
	lock, err := os.OpenFile(filepath.Join(path, ownerFile), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		info, statErr := os.Stat(path)
		return os.IsNotExist(err) && statErr == nil && time.Since(info.ModTime()) > strayAge
	}
	defer func() { _ = lock.Close() }()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
