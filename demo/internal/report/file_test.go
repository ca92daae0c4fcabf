package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnOldFileSurvivesUntilTheNewOneIsComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	content := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	f, err := Create(t.Context(), path, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if content() != "old" {
		t.Errorf("after Create it holds %q", content())
	}
	f.Discard()
	if content() != "old" {
		t.Errorf("after Discard it holds %q", content())
	}
	if f, err = Create(t.Context(), path, os.Stdout); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(&Document{Schema: Schema}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(content(), `{"schema":1`) {
		t.Errorf("after Commit it holds %q", content())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder (%v), want the one", len(entries), err)
	}
}

// A second Ctrl-C, or the end of whoever reads the tables through a pipe, ends the
// program between the two, and nothing of it clears up.
func TestAProgramThatIsKilledBetweenCreateAndCommitLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.json")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{old, filepath.Join(dir, "new.json")} {
		if _, err := Create(t.Context(), path, os.Stdout); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "old.json" {
		t.Errorf("the folder holds %v (%v), want old.json alone", entries, err)
	}
}

func TestAPathThatCannotBeWrittenIsKnownAtOnce(t *testing.T) {
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none", "x.json")} {
		if _, err := Create(t.Context(), path, os.Stdout); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error that names it", path, err)
		}
	}
}

// written creates path, commits an empty document and returns what was read.
func written(t *testing.T, path string) string {
	t.Helper()
	f, err := Create(t.Context(), path, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(&Document{Schema: Schema}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestASymbolicLinkIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "there"), 0o700); err != nil {
		t.Fatal(err)
	}
	target, link, via := filepath.Join(dir, "there", "target"), filepath.Join(dir, "link"), filepath.Join(dir, "via")
	for from, to := range map[string]string{link: filepath.Join("there", "target"), via: "link"} {
		if err := os.Symlink(to, from); err != nil {
			t.Skip(err)
		}
	}
	for _, state := range []string{"dangling", "over a file"} {
		text := written(t, via)
		for _, l := range []string{link, via} {
			if info, err := os.Lstat(l); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s: %s is no link any more (%v)", state, l, err)
			}
		}
		if got, err := os.ReadFile(target); err != nil || string(got) != text {
			t.Errorf("%s: the target holds %q (%v)", state, got, err)
		}
		if err := os.WriteFile(target, []byte("old, and longer than what is written: "+strings.Repeat("x", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALoopOfLinksIsAnErrorAndNotALoop(t *testing.T) {
	link := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(link, link); err != nil {
		t.Skip(err)
	}
	if _, err := Create(t.Context(), link, os.Stdout); err == nil {
		t.Error("no error")
	}
}

func TestAPrivateFileStaysPrivate(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o640, 0o666} {
		path := filepath.Join(t.TempDir(), "results.json")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // past the umask
			t.Fatal(err)
		}
		if text := written(t, path); !strings.HasPrefix(text, `{"schema":1`) {
			t.Errorf("it holds %q", text)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("mode %v, want %v (%v)", info.Mode(), mode, err)
		}
	}
}

func TestTheFileOfTheTablesIsNotTakenFromThem(t *testing.T) {
	tables, err := os.Create(filepath.Join(t.TempDir(), "tables"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tables.Close() }()
	if _, err := Create(t.Context(), tables.Name(), tables); err == nil || !strings.Contains(err.Error(), "tables") {
		t.Errorf("%v, want it to say that the tables go there", err)
	}
}
