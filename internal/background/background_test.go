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
		if top, vain := b.Vain(time.Minute, 40, 1, 0); vain != test.vain || vain && top != 100 {
			t.Errorf("%s: in vain is %v, from %v", name, vain, top)
		}
	}
}

// What is known must not cover a server that has since become slow, nor be believed for
// ever. If it allowed for chance in what there was lately, few calls could all be refused.
func TestBackgroundCoversWhateverComes(t *testing.T) {
	for name, test := range map[string]struct {
		start       time.Duration
		every       int // so many answers, one is a refusal
		least, most int // of 100 refusals are explained
	}{
		"as many as usual":        {time.Second, 20, 100, 100},
		"twice as many":           {time.Second, 10, 20, 50},
		"nothing but refusals":    {time.Second, 1, 8, 9},
		"after a pause":           {2 * time.Minute, 20, 0, 0},
		"when it is to be redone": {11 * time.Minute, 20, 0, 0},
	} {
		b := Background{share: 0.05, until: 10 * time.Minute, last: time.Second}
		if name == "when it is to be redone" {
			b.last = test.start
		}
		explained := 0
		for i := range 100 {
			for range test.every - 1 {
				b.Succeeded(0)
			}
			if b.Explains(test.start+time.Duration(i)*time.Millisecond, 0) {
				explained++
			}
		}
		if explained < test.least || explained > test.most {
			t.Errorf("%s: %d of 100 are explained", name, explained)
		}
	}
}

// A level that began above what the server can do, and above what is always refused,
// compares with the next half.
func TestDescentEndsWithItsFirstHalf(t *testing.T) {
	var b Background
	b.Descends(time.Second, 100)
	now := time.Second
	told := func(successes, refusals int, level float64) (top float64, vain bool) {
		for range successes {
			b.Succeeded(level)
		}
		for range refusals {
			now += time.Second / 4
			b.Explains(now, level)
			if top, vain = b.Vain(now, level, 1, time.Second); vain {
				break
			}
		}
		return top, vain
	}
	told(60, 40, 80)
	if _, vain := told(190, 10, 40); vain {
		t.Fatal("40 and 5 of 100 are taken for alike")
	}
	told(0, 1, 20)
	if top, vain := told(190, 10, 20); !vain || top != 50 {
		t.Errorf("in vain is %v, from %v", vain, top)
	}
}

// There is nothing to compare the least level with.
func TestRefusalsAtTheLeastLevelAreHeededForEver(t *testing.T) {
	var b Background
	b.Descends(time.Second, 2)
	for range 190 {
		b.Succeeded(1)
	}
	for range 5 {
		b.Explains(2*time.Second, 1)
	}
	if _, vain := b.Vain(2*time.Second, 1, 1, 0); !vain {
		t.Error("they are heeded")
	}
}

// A rate falls from far above what the server can do. Just below half it may be above
// still, and then as many are refused as were on the way, some of which came from before.
func TestServerThatIsStillAskedTooMuchHasABackground(t *testing.T) {
	var b Background
	b.Descends(time.Second, 1200)
	tell := func(now time.Duration, successes, refusals int, level float64) (vain bool) {
		for range successes {
			b.Succeeded(level)
		}
		for range refusals {
			b.Explains(now, level)
			_, again := b.Vain(now, level, 1, time.Second)
			vain = vain || again
		}
		return vain
	}
	tell(1100*time.Millisecond, 80, 20, 900)
	if tell(1200*time.Millisecond, 50, 10, 590) {
		t.Error("10 refusals within a tenth of a second are taken for the background")
	}
	if !tell(2200*time.Millisecond, 50, 10, 550) {
		t.Error("there are as many after a second, and they are not taken for the background")
	}
}
