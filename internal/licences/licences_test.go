package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListIsOutOfDate(t *testing.T) {
	was, err := os.ReadFile(filepath.Join(root, "LICENSES.md"))
	if err != nil {
		t.Fatal(err)
	}
	var is strings.Builder
	if err := write(&is); err != nil {
		t.Fatal(err)
	}
	if is.String() != string(was) {
		t.Errorf("what is linked has changed; look at it, and then: cd internal/licences && go run . >../../LICENSES.md\n%s", is.String())
	}
}

const gpl = `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.`

func TestLicenceIsTakenForAllowed(t *testing.T) {
	for name, text := range map[string]string{
		"copyleft": gpl,
		"unknown":  "You may look at this, but only on Sundays, and you owe us a cake for each time.",
		"empty":    "",
	} {
		if ids, err := identify([]byte(text)); err == nil {
			t.Errorf("%s: taken for %v", name, ids)
		}
	}
	own, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := identify(own); err != nil || len(ids) != 1 || ids[0] != "MIT" {
		t.Errorf("our own: %v, %v; want MIT", ids, err)
	}
}
