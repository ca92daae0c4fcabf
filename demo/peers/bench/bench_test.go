package main

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
)

func TestRejectsWhatItCannotDo(t *testing.T) {
	for _, args := range [][]string{
		{"-rounds", "0"},
		{"-rounds", "many"},
		{"-benchtime", "-1s"},
		{"-benchtime", "0x"},
		{"-benchtime", "fast"},
		{"-run", "("},
		{"Fixed"},
	} {
		var stderr bytes.Buffer
		if code := run(context.Background(), args, &stderr, &stderr); code != exitUsage {
			t.Errorf("%q: exit code %d, want %d; it said %q", args, code, exitUsage, &stderr)
		}
	}
}

func TestRatioIsWithinRounds(t *testing.T) {
	// The machine is three times slower from the fourth round on: the medians
	// differ by chance, the ratios do not.
	theirs := []float64{2, 2, 2, 6, 6, 6}
	us := []float64{1, 1, 1, 3, 3, 3}
	r := ratio(theirs, us)
	if r.Center != 2 || r.Lo != 2 || r.Hi != 2 {
		t.Errorf("ratio %v (%v - %v), want exactly 2", r.Center, r.Lo, r.Hi)
	}
	if theirs[0] != 2 || theirs[5] != 6 {
		t.Error("the rounds have been put out of order")
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{1.5, 1.9, "met"},
		{1.5, 2, "met"},
		{1.9, 2.1, "open"},
		{2.1, 2.5, "MISSED"},
		{math.Inf(-1), math.Inf(1), "open"}, // too few rounds
	} {
		if got := word(c.lo, c.hi, 2); got != c.want {
			t.Errorf("%v to %v against a bar of 2: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

// Every bar is about a benchmark and sides that exist: a renamed one must not
// make its bar vanish from the table without a word.
func TestTheTable(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the benchmarks")
	}
	var stdout, stderr bytes.Buffer
	args := []string{"-rounds", "1", "-benchtime", "1x", "-run", "^[^K]"} // Keyed is slow and has no bar
	if code := run(context.Background(), args, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	out := stdout.String()
	t.Log("\n" + out)
	for _, b := range bars {
		found := false
		for line := range strings.Lines(out) {
			found = found || strings.Contains(line, b.operation+" ") && strings.Contains(line, b.promise)
		}
		if !found {
			t.Errorf("no verdict on %s: %s", b.operation, b.promise)
		}
	}
	for name, title := range titles {
		if name != "Keyed" && !strings.Contains(out, name+": "+title) {
			t.Errorf("no figures for %s", name)
		}
	}
}
