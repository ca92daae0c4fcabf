package scenario

import "testing"

// mustName returns the scenario of that name.
func mustName(t *testing.T, name string) *World {
	t.Helper()
	w, ok := Named(name)
	if !ok {
		t.Fatal("no scenario", name)
	}
	return w
}

// mustMake returns what makes policies of that name.
func mustMake(t *testing.T, name string) Maker {
	t.Helper()
	m, err := MakerOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
