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
// The new content is in a file of its own for as long as it takes to write it,
// and not from before the runs: a program that a second Ctrl-C or a closed pipe
// ends in the middle of them has no chance to clear up.
//
// Only a regular file can be replaced. Anything else, such as a pipe or a
// device, is what it is because of its place, and is written to.
type File struct {
	file *os.File // what is written in place; nil if target is replaced
	cut  bool     // file holds what was there before

	target string
	mode   fs.FileMode // of what replaces target
	exact  bool        // the umask takes no share of mode
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
	f := &File{target: target, mode: 0o666} // the umask takes its share, as of any new file
	_, err = f.attempt()
	return f, err
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
	f := &File{target: target, mode: old.Mode().Perm(), exact: true}
	if created, err := f.attempt(); err != nil || !canTakePlace(created, old) {
		return inPlace, nil
	}
	_ = file.Close() // nothing was written
	return f, nil
}

// attempt makes what would replace the target, and removes it again.
func (f *File) attempt() (fs.FileInfo, error) {
	temp, err := f.replacement()
	if err != nil {
		return nil, err
	}
	info, err := temp.Stat()
	_ = temp.Close()
	return info, errors.Join(err, os.Remove(temp.Name()))
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

// replacement creates an empty file in the folder of the target. It is not
// os.CreateTemp, whose files ignore the umask.
func (f *File) replacement() (*os.File, error) {
	for {
		name := filepath.Join(filepath.Dir(f.target), ".tidegate-demo-"+strconv.FormatUint(rand.Uint64(), 36))
		// Never wider than the old one, not even for a moment.
		temp, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil && f.exact {
			if err = temp.Chmod(f.mode); err != nil {
				_ = temp.Close()
				_ = os.Remove(name)
			}
		}
		return temp, err
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
	if f.target == "" {
		if f.cut {
			err = f.file.Truncate(0)
		}
		if err == nil {
			_, err = f.file.Write(text)
		}
		return errors.Join(err, f.file.Close())
	}
	temp, err := f.replacement()
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp.Name(), f.target)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}

// Discard gives up. The file that was there is as it was.
func (f *File) Discard() {
	if f.file != nil {
		_ = f.file.Close()
	}
}
