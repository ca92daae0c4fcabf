//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The two ways to be without PostgreSQL must not look the same, nor like a real
// server.
func TestStandInSaysWhyItStandsIn(t *testing.T) {
	defer func(places []string) { usualPlaces = places }(usualPlaces)
	usualPlaces = nil
	var lines []string
	check := func(want ...string) {
		t.Helper()
		lines = nil
		s, err := Open(t.Context(), Config{Log: func(line string) { lines = append(lines, line) }})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		said := strings.Join(lines, "\n")
		for _, w := range append(want, "stand-in") {
			if !strings.Contains(s.Label(), w) || !strings.Contains(said, w) {
				t.Errorf("label %q and log %q do not both say %q", s.Label(), said, w)
			}
		}
		if s.Kind() != StandIn || strings.Contains(s.Label(), "\n") {
			t.Errorf("kind %v, label %q", s.Kind(), s.Label())
		}
		if err := s.NewWorkload(0).Own(t.Context()); err != nil {
			t.Error(err)
		}
		t.Log(s.Label())
	}

	t.Setenv("PATH", "")
	check("no PostgreSQL found")

	// In /tmp, because t.TempDir is closed to the user that root lends.
	broken, err := os.MkdirTemp("/tmp", "broken-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(broken) }()
	if err := os.Chmod(broken, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho 'initdb: error: the disk is made of cheese' >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(broken, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", broken)
	check("PostgreSQL found in "+broken, "did not start", "made of cheese")
	if left := orphans(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNewestVersionComesFirst(t *testing.T) {
	for folder, want := range map[string]int{
		"/usr/lib/postgresql/15/bin":            15,
		"/usr/lib/postgresql/9.6/bin":           9,
		"/usr/pgsql-17/bin":                     17,
		"/opt/homebrew/opt/postgresql@16/bin":   16,
		"/usr/lib/postgresql/nothing-known/bin": 0,
	} {
		if got := versionIn(folder); got != want {
			t.Errorf("versionIn(%q) = %d, want %d", folder, got, want)
		}
	}
}
