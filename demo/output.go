package main

import (
	"fmt"
	"io"
)

// An output keeps the first error of writing to a stream. What prints tables
// looks at no errors, and a full disk must still not pass for success.
//
// A standard output that is closed, as with >&-, cannot be told: Go's runtime
// opens the null device in its place before any of this program runs, and that
// looks the same as what other programs give us who want no output.
type output struct {
	w   io.Writer
	err error
}

// Write writes to the stream until that has failed once.
func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// lost returns the error because of which results are missing, if there is one.
func (o *output) lost() error {
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("writing the results: %w", o.err)
}
