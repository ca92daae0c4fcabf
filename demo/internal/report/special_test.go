//go:build unix

package report

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	return path
}

// A device goes the same way: all that is not a regular file does.
func TestWhatIsNotAFileIsWrittenToAndNotReplaced(t *testing.T) {
	path := fifo(t)
	read := make(chan []byte)
	go func() {
		text, _ := os.ReadFile(path)
		read <- text
	}()
	f, err := Create(t.Context(), path, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(&Document{Schema: Schema}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Fatalf("the pipe is now %v (%v)", info.Mode(), err) // its reader waits for ever
	}
	if text := <-read; string(text[:min(len(text), 11)]) != `{"schema":1` {
		t.Errorf("the reader got %q", text)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder (%v), want the one", len(entries), err)
	}
}

func TestInterruptEndsTheWaitForTheReaderOfAPipe(t *testing.T) {
	path := fifo(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Create(ctx, path, os.Stdout); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	// A reader, which is never closed, lets go of the goroutine that waits for
	// one, or will.
	if _, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		t.Fatal(err)
	}
}

func TestAFileWithTwoNamesStaysOneFile(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "results.json"), filepath.Join(dir, "other")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, other); err != nil {
		t.Skip(err)
	}
	text := written(t, path)
	if got, err := os.ReadFile(other); err != nil || string(got) != text {
		t.Errorf("under its other name it holds %q (%v)", got, err)
	}
}

func TestANewFileHasTheModeOfAnyNewFile(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027)) // one that the answer depends on
	dir := t.TempDir()
	other, path := filepath.Join(dir, "other"), filepath.Join(dir, "results.json")
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	written(t, path)
	want, err := os.Stat(other)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.Stat(path); err != nil || got.Mode() != want.Mode() {
		t.Errorf("mode %v, want %v (%v)", got.Mode(), want.Mode(), err)
	}
}
