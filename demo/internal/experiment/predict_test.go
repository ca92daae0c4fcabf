package experiment

import (
	"slices"
	"testing"
	"time"
)

var (
	unbounded = Policy{Name: Unbounded}
	searches  = Policy{Name: Adaptive, Searches: true}
)

func batchOf(size int) Policy { return Policy{Name: Batch, Size: size} }
func fixedTo(n int) Policy    { return Policy{Name: Fixed, Limit: n} }
func rateOf(r float64) Policy { return Policy{Name: Rate, Rate: r, Burst: 1} }

// 8 workers × 10 ms and a timeout of 1 s: the threshold is 800.
func TestLawOfTimeouts(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy Policy
		n      int
		some   bool // time-outs are predicted
		open   bool
	}{
		{"all below", unbounded, 100, false, false},
		{"all above", unbounded, 1000, true, false},
		{"on the edge", unbounded, 800, false, true},
		{"just beside the edge", unbounded, 850, false, true},
		{"batches below", batchOf(200), 1000, false, false},
		{"batches above", batchOf(1500), 3000, true, false},
		{"a batch larger than everything", batchOf(1500), 100, false, false},
		{"limit below", fixedTo(16), 100_000, false, false},
		{"limit above", fixedTo(1000), 100_000, true, false},
		{"rate below capacity", rateOf(720), 100_000, false, false},
		{"rate above capacity, soon over", rateOf(1600), 1000, false, false},
		{"rate above capacity, for long", rateOf(1600), 10_000, true, false},
		{"adaptive", searches, 1000, false, false},
	} {
		q := predictTimeouts(tt.policy, tt.n, 800, 10*time.Millisecond, time.Second)
		if q.Open != tt.open || (q.AtLeast > 0) != tt.some || !tt.open && !tt.some && q.AtMost != 0 {
			t.Errorf("%s: %+v", tt.name, q)
		}
	}
}

func TestAPredictionOfTimeoutsCanFail(t *testing.T) {
	for _, tt := range []struct {
		name            string
		policy          Policy
		n               int
		atLeast, atMost int
		text            string
	}{
		{"all at once", unbounded, 1000, 100, 300, "about 200 (100 to 300): 1000 in flight > 800"},
		{"one batch of all", batchOf(1000), 1000, 100, 300, "about 200 (100 to 300): 1000 in flight > 800"},
		// 200, 400 and 600: each batch waits for what the ones before have left.
		{"batches", batchOf(1000), 3000, 900, 1500, "about 1200 (900 to 1500): 1000 in flight > 800"},
		{"hardly any", unbounded, 890, 1, 179, "about 90 (1 to 179): 890 in flight > 800"},
		{"nearly all", unbounded, 100_000, 89_200, 100_000, "about 99200 (89200 to 100000): 100000 in flight > 800"},
	} {
		q := predictTimeouts(tt.policy, tt.n, 800, 10*time.Millisecond, time.Second)
		if q.AtLeast != tt.atLeast || q.AtMost != tt.atMost || q.Text != tt.text || q.Open {
			t.Errorf("%s: %+v, want %d to %d, %q", tt.name, q, tt.atLeast, tt.atMost, tt.text)
		}
		for late, want := range map[int]bool{tt.atLeast - 1: false, tt.atLeast: true, tt.atMost: true, tt.atMost + 1: false} {
			if q.Held(Counts{TimedOut: late}) != want {
				t.Errorf("%s: %d time-outs hold: %v, want %v", tt.name, late, !want, want)
			}
		}
	}
}

func TestWhatTheUserChoseIsMarked(t *testing.T) {
	w := NewSleep(1, 0)
	for _, name := range []string{Batch, Fixed, Rate, Adaptive, AIMD, Vegas, Gradient2} {
		if mustPolicy(t, w, name, 100, Choices{}).Chosen || !mustPolicy(t, w, name, 100, Choices{Limit: 3, Batch: 3, Rate: 3, Initial: 3}).Chosen {
			t.Errorf("%s does not say who chose its parameter", name)
		}
	}
}

func TestLawOfRefusals(t *testing.T) {
	for _, tt := range []struct {
		name            string
		policy          Policy
		n               int
		atLeast, atMost int
		open            bool
	}{
		{"all fit", unbounded, 97, 0, 0, false},
		{"exactly those above the slots", unbounded, 500, 403, 403, false},
		{"three of each batch", batchOf(100), 500, 15, 500, false},
		{"the last batch fits", batchOf(100), 450, 12, 450, false},
		{"batches below", batchOf(50), 500, 0, 0, false},
		{"limit below", fixedTo(50), 500, 0, 0, false},
		{"limit without headroom", fixedTo(97), 500, 0, 500, true},
		{"limit above", fixedTo(120), 500, 1, 500, false},
		{"slow rate", rateOf(200), 500, 0, 0, false},
		{"fast rate", rateOf(600), 500, 0, 500, true},
		{"pool", Policy{Name: Pool, Limit: 97}, 500, 0, 0, false},
		{"pool above", Policy{Name: Pool, Limit: 200}, 500, 1, 500, false},
		{"adaptive", searches, 500, 0, 500, true},
	} {
		q := predictRefusals(tt.policy, tt.n, 97, 100*time.Millisecond)
		if q.AtLeast != tt.atLeast || q.AtMost != tt.atMost || q.Open != tt.open {
			t.Errorf("%s: %+v, want %d to %d, open %v", tt.name, q, tt.atLeast, tt.atMost, tt.open)
		}
	}
}

func TestFloor(t *testing.T) {
	const unit = 10 * time.Millisecond
	same := func(int) time.Duration { return unit }
	for _, tt := range []struct {
		name      string
		policy    Policy
		n, places int
		want      time.Duration
	}{
		{"all at once", unbounded, 1000, 0, unit},
		{"all at once on 8 places", unbounded, 1000, 8, 125 * unit},
		{"five batches", batchOf(200), 1000, 0, 5 * unit},
		{"a remainder is a batch", batchOf(200), 1001, 0, 6 * unit},
		{"batches of 20 on 8 places", batchOf(20), 100, 8, 5 * 3 * unit},
		{"fixed", fixedTo(16), 1000, 0, 63 * unit},
		{"fixed on 8 places", fixedTo(16), 1000, 8, 125 * unit},
		{"rate", rateOf(100), 101, 0, 100*unit + unit},
		{"rate that the places cannot follow", rateOf(1000), 100, 1, 100 * unit},
		{"search", searches, 1000, 8, 125 * unit},
	} {
		if got := floor(tt.policy, tt.n, tt.places, same); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFullQueueIsTakenForTimeouts(t *testing.T) {
	for _, row := range []struct {
		places int
		open   bool
	}{{58, false}, {719, false}, {721, true}, {5000, true}} {
		p := predictWithQueue(row.places, 1000, 800, time.Second)
		if p.Open != row.open || p.AtLeast != 0 || (p.AtMost == 0) == row.open {
			t.Errorf("%d places: %+v", row.places, p)
		}
	}
}

// A minute and a half of Gradient2 growing where nothing pushes back is not what
// somebody wants who has just typed "go run ./demo".
func TestDefaultRunWaitsForASearchThatFindsNothing(t *testing.T) {
	sleep := NewSleep(1, 0)
	for n, want := range map[int]bool{10_000: true, 100_000: false} {
		names := Worthwhile(sleep, n, DefaultPolicies)
		if slices.Contains(names, Gradient2) || slices.Contains(names, Adaptive) != want || !slices.Contains(names, Batch) {
			t.Errorf("%d sleeps: %v", n, names)
		}
	}
	if names := Worthwhile(NewUneven(1), 100, DefaultPolicies); !slices.Equal(names, DefaultPolicies) {
		t.Errorf("uneven tasks: %v", names)
	}
}
