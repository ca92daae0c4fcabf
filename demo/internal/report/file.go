package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// A File is where a Document will be written. It exists from before the runs,
// so that a path that cannot be written is known before anybody has waited, and
// what was there keeps its content until the new one is complete.
//
// Only a regular file can be replaced. Anything else, such as a pipe or a
// device, is what it is because of its place, and is written to.
type File struct {
	file   *os.File
	target string // what file is renamed to; empty if file is written in place
	cut    bool   // file holds what was there before
}

// Create prepares to write to path. It waits for whoever reads a pipe, as a
// shell does, until ctx ends. The tables are where the tables go: a file cannot
// hold both.
func Create(ctx context.Context, path string, tables *os.File) (*File, error) {
	f, err := create(ctx, path, tables)
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		err = inPath.Err // without the name of another file, which nobody has given
	}
	if err != nil {
		return nil, fmt.Errorf("cannot write to %s: %w", path, err)
	}
	return f, nil
}

func create(ctx context.Context, path string, tables *os.File) (*File, error) {
	old, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createNew(path)
	case err != nil:
		return nil, err
	case old.IsDir():
		return nil, errors.New("it is a directory; give the name of a file")
	case !old.Mode().IsRegular():
		file, err := openSpecial(ctx, path)
		return &File{file: file}, err
	}
	if info, err := tables.Stat(); err == nil && os.SameFile(info, old) {
		return nil, errors.New("the tables go to this file; give another one, or - for JSON on standard output alone")
	}
	return createOver(path, old)
}

// createNew prepares to write a file that does not exist, though a symbolic
// link to it may.
func createNew(path string) (*File, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, err
	}
	temp, err := tempBeside(target, 0o666) // the umask takes its share, as of any new file
	return &File{file: temp, target: target}, err
}

// createOver prepares to write a file that exists.
func createOver(path string, old fs.FileInfo) (*File, error) {
	// Renaming asks nobody whether the file itself may be written.
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	inPlace := &File{file: file, cut: true}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return inPlace, nil
	}
	// Never wider than the old one, not even for a moment.
	temp, err := tempBeside(target, old.Mode().Perm())
	if err != nil {
		return inPlace, nil
	}
	info, err := temp.Stat()
	if err == nil {
		err = temp.Chmod(old.Mode().Perm())
	}
	if err != nil || !canTakePlace(info, old) {
		_ = temp.Close()
		_ = os.Remove(temp.Name())
		return inPlace, nil
	}
	_ = file.Close() // nothing was written
	return &File{file: temp, target: target}, nil
}

// openSpecial opens what is not a regular file. Opening a pipe waits for its
// reader, and no signal ends that; the goroutine that waits ends with the
// program.
func openSpecial(ctx context.Context, path string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		opened <- result{file, err}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// resolve follows symbolic links to a name that does not exist.
func resolve(path string) (string, error) {
	const most = 40 // as the kernel has it
	for range most {
		// Not filepath.Dir, which would take x/.. for nothing even where x is
		// a link to elsewhere.
		dir, base := filepath.Split(path)
		if dir == "" {
			dir = "."
		}
		dir, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, base)
		to, err := os.Readlink(path)
		switch {
		case err != nil:
			return path, nil
		case filepath.IsAbs(to):
			path = to
		default:
			path = dir + string(filepath.Separator) + to
		}
	}
	return "", errors.New("too many symbolic links")
}

// tempBeside creates a file in the folder of path. It is not os.CreateTemp,
// whose files ignore the umask.
func tempBeside(path string, mode fs.FileMode) (*os.File, error) {
	for {
		name := ".tidegate-demo-" + strconv.FormatUint(rand.Uint64(), 36)
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// A Writer is a document that can be written.
type Writer interface{ Write(w io.Writer) error }

// Commit writes d and puts it in its place.
func (f *File) Commit(d Writer) error {
	var text bytes.Buffer // complete before anything that was there is cut
	if err := d.Write(&text); err != nil {
		f.Discard()
		return err
	}
	return f.CommitText(text.Bytes())
}

// CommitText writes text and puts it in its place.
func (f *File) CommitText(text []byte) (err error) {
	if f.cut {
		err = f.file.Truncate(0)
	}
	if err == nil {
		_, err = f.file.Write(text)
	}
	if closeErr := f.file.Close(); err == nil {
		err = closeErr
	}
	if f.target == "" {
		return err
	}
	if err == nil {
		err = os.Rename(f.file.Name(), f.target)
	}
	if err != nil {
		_ = os.Remove(f.file.Name())
	}
	return err
}

// Discard gives up. The file that was there is as it was.
func (f *File) Discard() {
	_ = f.file.Close()
	if f.target != "" {
		_ = os.Remove(f.file.Name())
	}
}
