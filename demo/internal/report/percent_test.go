package report

import "testing"

// "2 (0 %) under adaptive" stood in a sentence about who was refused.
func TestFewOfManyAreNotNone(t *testing.T) {
	for _, tt := range []struct {
		count float64
		n     int
		want  string
	}{{0, 500, "0"}, {2, 500, "0.4"}, {1, 100_000, "0.001"}, {5, 500, "1"}, {499, 500, "over 99"}, {500, 500, "100"}} {
		if got := Percent(tt.count, tt.n); got != tt.want {
			t.Errorf("%v of %d: %q, want %q", tt.count, tt.n, got, tt.want)
		}
	}
}
