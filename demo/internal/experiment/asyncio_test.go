package experiment

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func python(t *testing.T) *Asyncio {
	t.Helper()
	a, err := FindAsyncio(t.Context())
	if errors.Is(err, ErrNoAsyncio) {
		t.Skip("skipped: no python3 with asyncio")
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAsyncioLosesNoTask(t *testing.T) {
	a := python(t)
	h, err := OpenHTTP(t.Context(), origin.Config{}, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	const n = 53 // no multiple of five
	for _, w := range []Workload{NewSleep(1, 0), NewSleep(1, 0.5), h} {
		policies := AsyncioPolicies(w, Policies(w, []string{Unbounded, Batch, Fixed}, n, Choices{}), a)
		if len(policies) != 2 {
			t.Fatalf("%s: %d policies, want the post's two", w.Name(), len(policies))
		}
		for _, p := range policies {
			r, err := new(Runner).Run(t.Context(), w, n, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			if r.Counts.Succeeded != n || r.Runtime != a.Version() || r.Calls.Count() != n || len(r.Tasks) != n {
				t.Errorf("%s, %s: %+v", w.Name(), p.Text, r.Counts)
			}
			if r.WallSeconds < 0.99*r.FloorSeconds {
				t.Errorf("%s, %s: %v s, below the floor of %v s", w.Name(), p.Text, r.WallSeconds, r.FloorSeconds)
			}
			if most := max(p.Size, 0); most > 0 && r.PeakInFlight > most {
				t.Errorf("%s, %s: %d at once", w.Name(), p.Text, r.PeakInFlight)
			}
			if w == Workload(h) && r.ConnectionsOpened != n {
				t.Errorf("%s, %s: %d connections, want one each", w.Name(), p.Text, r.ConnectionsOpened)
			}
		}
	}
}

func TestAsyncioCountsTimeouts(t *testing.T) {
	a := python(t)
	h, err := OpenHTTP(t.Context(), origin.Config{Workers: 1, Service: 100 * time.Millisecond}, 350*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	p := AsyncioPolicies(h, Policies(h, []string{Unbounded}, 10, Choices{}), a)[0]
	r, err := new(Runner).Run(t.Context(), h, 10, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	// Three are served in time; the others wait behind them.
	if r.Counts.TimedOut < 5 || r.Counts.Succeeded < 1 || r.Counts.Sum() != 10 {
		t.Errorf("%+v", r.Counts)
	}
}

func TestAsyncioEndsWithTheInterrupt(t *testing.T) {
	a := python(t)
	w := NewSleep(1, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	p := AsyncioPolicies(w, Policies(w, []string{Batch}, 1000, Choices{Batch: 1}), a)[0] // 300 s
	r, err := new(Runner).Run(ctx, w, 1000, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || r.Counts.Cancelled != 1000 {
		t.Errorf("%+v, interrupted %v", r.Counts, r.Interrupted)
	}
}
