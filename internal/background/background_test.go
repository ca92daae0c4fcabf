package background

import (
	"testing"
	"time"
)

// Refusals that fall with the level, or that are most of all answers, are what the level
// is for. Taken for a background they would be ignored, and the server flooded.
func TestRefusalsThatTheLevelBringsAboutAreTakenForTheBackground(t *testing.T) {
	for name, test := range map[string]struct {
		upper, lower Tally // the last of whose refusals comes now
		vain         bool
	}{
		"as many at half":              {Tally{950, 50}, Tally{475, 25}, true},
		"nearly as many":               {Tally{950, 50}, Tally{970, 30}, true},
		"fewer":                        {Tally{950, 50}, Tally{980, 20}, false},
		"more, since a window ended":   {Tally{990, 10}, Tally{950, 50}, false},
		"most, since it can do little": {Tally{700, 300}, Tally{700, 300}, false},
		"too few to tell":              {Tally{950, 50}, Tally{76, 4}, false},
	} {
		var b Background
		b.Descends(time.Second, 100)
		b.upper, b.lower = test.upper, test.lower
		b.lower.Refusals--
		if top, vain := b.Vain(40); vain != test.vain || vain && top != 100 {
			t.Errorf("%s: in vain is %v, from %v", name, vain, top)
		}
	}
}

// What is known must not cover a server that has since become slow, nor
// be believed for ever.
func TestBackgroundCoversWhateverComes(t *testing.T) {
	b := Background{share: 0.01}
	for _, test := range []struct {
		now      time.Duration
		second   Tally
		explains bool
	}{
		{1 * time.Second, Tally{990, 10}, true},
		{2 * time.Second, Tally{950, 50}, false},
		{30 * time.Second, Tally{19, 1}, true},
		{30 * time.Second, Tally{8, 3}, false},
		{2 * time.Minute, Tally{990, 10}, false}, // there were none for a minute
	} {
		if explains := b.Explains(test.now, test.second); explains != test.explains {
			t.Errorf("at %v %v: %v", test.now, test.second, explains)
		}
	}
}
