package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A rule that no longer fits the code it is about must be mended with that code.
func TestDefectNoLongerFitsTheCode(t *testing.T) {
	names := map[string]bool{}
	for _, d := range defects {
		if names[d.name] {
			t.Errorf("%q is there twice", d.name)
		}
		names[d.name] = true
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(d.file)))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), d.from); n != 1 {
			t.Errorf("%q: what it replaces is %d times in %s, want once", d.name, n, d.file)
		}
	}
	if len(defects) < 30 {
		t.Errorf("only %d defects", len(defects))
	}
}
