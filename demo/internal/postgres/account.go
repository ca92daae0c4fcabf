//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// An account is who a temporary server runs as. Nil credentials mean this
// process's own user.
type account struct{ credential *syscall.Credential }

// serverAccount picks the account. PostgreSQL refuses to run as root, so root
// lends it the user postgres, or else nobody.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if errors.Join(errU, errG) == nil {
			return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// own gives path to the account.
func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// reaches reports whether the account can get to path: another user needs the
// right to pass through each folder above. We do not widen folders that are not
// ours, we look for a better one.
func (a account) reaches(path string) bool {
	if a.credential == nil {
		return true
	}
	for {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
		path = filepath.Dir(path)
	}
}

// tempParents are the folders for temporary directories, best first.
func tempParents() []string {
	parents := []string{"/tmp", "/var/tmp"}
	if own, err := filepath.Abs(os.TempDir()); err == nil && own != "/tmp" {
		parents = append([]string{own}, parents...)
	}
	return parents
}

// parentFor is the first of them that the account can reach.
func parentFor(a account) (string, error) {
	for _, p := range tempParents() {
		if a.reaches(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("no temporary folder that user %d can reach among %v; set TMPDIR to one", a.credential.Uid, tempParents())
}
