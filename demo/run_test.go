package main

import (
	"errors"
	"strings"
	"testing"
)

// Ten million sleeping goroutines are 30 GB. What the system does then is not ours to
// choose, and --n takes as many.
func TestTasksThatDoNotFitAreNotStarted(t *testing.T) {
	o := options{n: []int{1000, 10_000_000}}
	gigabytes := func(n int64) func() (int64, bool) { return func() (int64, bool) { return n << 30, true } }
	var missing *failure
	if err := o.fits(gigabytes(8)); !errors.As(err, &missing) || missing.code != exitEnvironment {
		t.Errorf("%v, with 8 GB free", err)
	}
	if err := o.fits(gigabytes(64)); err != nil {
		t.Errorf("%v, with 64 GB free", err)
	}
	if err := o.fits(func() (int64, bool) { return 0, false }); err != nil {
		t.Errorf("%v, where the system does not tell", err)
	}
}

// "run" is what the documents call it, and was an unknown command.
func TestTheDefaultCommandHasAName(t *testing.T) {
	stdout, stderr, code := demo(t, "run", "--experiments", "uneven", "--n", "2", "--policies", "fixed", "--report", "none")
	if code != exitOK || !strings.Contains(stdout, "uneven, 2 tasks") {
		t.Errorf("status %d\n%s%s", code, stdout, stderr)
	}
	if _, stderr, code := demo(t, "run", "now"); code != exitUsage || !strings.Contains(stderr, `"now"`) {
		t.Errorf("run now: status %d, %q", code, stderr)
	}
}
