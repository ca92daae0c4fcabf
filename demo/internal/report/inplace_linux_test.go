package report

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asNobody makes this test's thread one that may not do everything, since root
// may write to any folder.
func asNobody(t *testing.T) (restore func()) {
	t.Helper()
	runtime.LockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setfsuid(os.Geteuid()); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	}
}

func TestAFileInAFolderThatCannotBeWrittenIsWrittenInPlace(t *testing.T) {
	dir, path := t.TempDir(), "results.json"
	t.Chdir(dir) // nobody need be able to get here
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(dir, 0o700) }()
	restore := asNobody(t)
	defer restore()
	if text := written(t, path); !strings.HasPrefix(text, `{"schema":1`) || strings.Contains(text, "old") {
		t.Errorf("it holds %.100q", text)
	}
	if _, err := Create(t.Context(), "new.json", os.Stdout); err == nil {
		t.Error("a new file in a folder that cannot be written is no error")
	}
}

func TestAFileThatCannotBeWrittenIsNotReplaced(t *testing.T) {
	dir, path := t.TempDir(), "results.json"
	t.Chdir(dir) // nobody need be able to get here
	if err := os.WriteFile(path, []byte("old"), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	restore := asNobody(t)
	defer restore()
	if _, err := Create(t.Context(), path, os.Stdout); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("%v, want permission denied", err)
	}
}
