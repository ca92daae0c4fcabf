package httpclient

import (
	"testing"
	"time"
)

// Refusals that fall with the rate, or that are most of all answers, are what the rate is
// for. Taken for a background they would be ignored, and the server flooded.
func TestRefusalsThatTheRateBringsAboutAreTakenForTheBackground(t *testing.T) {
	for name, test := range map[string]struct {
		upper, lower tally // the last of whose refusals comes now
		vain         bool
	}{
		"as many at half of the rate":  {tally{950, 50}, tally{475, 25}, true},
		"nearly as many":               {tally{950, 50}, tally{970, 30}, true},
		"fewer":                        {tally{950, 50}, tally{980, 20}, false},
		"more, since a window ended":   {tally{990, 10}, tally{950, 50}, false},
		"most, since it can do little": {tally{700, 300}, tally{700, 300}, false},
		"too few to tell":              {tally{950, 50}, tally{76, 4}, false},
	} {
		var b background
		b.descends(time.Second, 100)
		b.upper, b.lower = test.upper, test.lower
		b.lower.refusals--
		if vain := b.vain(40); vain != test.vain {
			t.Errorf("%s: in vain is %v", name, vain)
		}
	}
}

// What is known of a background must not cover a server that has since become slow, nor
// be believed for ever.
func TestBackgroundCoversWhateverComes(t *testing.T) {
	b := background{share: 0.01}
	for _, test := range []struct {
		now      time.Duration
		second   tally
		explains bool
	}{
		{1 * time.Second, tally{990, 10}, true},
		{2 * time.Second, tally{950, 50}, false},
		{30 * time.Second, tally{19, 1}, true},
		{30 * time.Second, tally{8, 3}, false},
		{2 * time.Minute, tally{990, 10}, false}, // there were none for a minute
	} {
		if explains := b.explains(test.now, test.second); explains != test.explains {
			t.Errorf("at %v %v: %v", test.now, test.second, explains)
		}
	}
}
