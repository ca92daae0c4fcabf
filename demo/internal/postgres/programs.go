//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// programs are the paths of what it takes to make and run a server.
type programs struct{ initdb, postgres string }

// usualPlaces are where packages put PostgreSQL without linking it into PATH:
// Debian, Red Hat, and Homebrew on either kind of Mac. A variable for the tests.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// findPrograms looks on PATH, where a user who has several versions says which
// one is meant, and then in the usual places, newest version first.
func findPrograms() (programs, bool) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// initdb makes files for the postgres next to it, which on PATH may be
		// a link away. Another version could not read them.
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			initdb = real
		}
		if p, ok := programsIn(filepath.Dir(initdb)); ok {
			return p, true
		}
	}
	var folders []string
	for _, pattern := range usualPlaces {
		found, _ := filepath.Glob(pattern) // Fails for a malformed pattern only.
		folders = append(folders, found...)
	}
	slices.SortStableFunc(folders, func(a, b string) int { return versionIn(b) - versionIn(a) })
	for _, folder := range folders {
		if p, ok := programsIn(folder); ok {
			return p, true
		}
	}
	return programs{}, false
}

func programsIn(folder string) (programs, bool) {
	p := programs{initdb: filepath.Join(folder, "initdb"), postgres: filepath.Join(folder, "postgres")}
	for _, path := range []string{p.initdb, p.postgres} {
		if _, err := exec.LookPath(path); err != nil {
			return programs{}, false
		}
	}
	return p, true
}

// versionIn is the major version in a path such as /usr/lib/postgresql/15/bin,
// as a number, because 9.6 sorts after 15 as a text. Without one it is 0.
func versionIn(folder string) int {
	name := filepath.Base(filepath.Dir(folder))
	name = name[strings.LastIndexAny(name, "-@")+1:]
	major, _, _ := strings.Cut(name, ".")
	n, _ := strconv.Atoi(major)
	return n
}
