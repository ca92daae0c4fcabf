package page

import (
	"strings"
	"testing"
)

// The points of a sweep were marked †, and what that means for the answer stood nowhere;
// where calls are refused, the page said that more of them only bring latency.
func TestAPageOfASweepSaysWhatCastsDoubtOnIt(t *testing.T) {
	text := sweep("an origin")
	noisy := strings.Replace(text, `"limit":16,`, `"limit":16,"noisy":true,`, 1)
	failing := strings.Replace(text, `"flat_to":64,`, `"flat_to":64,"failing_from":16,`, 1)
	for _, tt := range []struct {
		json, want string
		there      bool
	}{
		{text, "Other programs were busy", false},
		{noisy, "Other programs were busy", true},
		{text, "up to 64 it only brings latency", true},
		{failing, "it only brings latency", false},
		{failing, "up to 64 it brings none, and from 16 on calls fail", true},
	} {
		f, err := Parse([]byte(tt.json))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(made(t, f), tt.want); got != tt.there {
			t.Errorf("%q is there: %v, want %v", tt.want, got, tt.there)
		}
	}
}

// A probe that is done said "It ended because of this: done".
func TestAProbeThatIsDoneDidNotEndEarly(t *testing.T) {
	for stopped, want := range map[string]bool{"done": false, "the cap of 2s was reached": true} {
		f, err := Parse([]byte(`{"schema":1,"probe":{"stopped":"` + stopped + `","points":[{"limit":1,"goodput":9}]}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(made(t, f), "It ended early"); got != want {
			t.Errorf("%s: ended early %v, want %v", stopped, got, want)
		}
	}
}
