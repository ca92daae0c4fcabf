package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load/loadtest"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/probe"
)

// The tests of package probe have caps of their own. With those of the command a probe
// of 32 or 64 workers × 10 ms ended at 2,000 calls per second, and said 19.
func TestTheUsualCapsLeaveRoomForTheOriginsThatAreKnown(t *testing.T) {
	for _, workers := range []int{4, 8, 32, 64} {
		for _, network := range []time.Duration{0, 50 * time.Millisecond} {
			w := knee.Network{Workers: workers, Service: 10 * time.Millisecond, Delay: network}
			c := withDefaults(probe.Caps{Time: 25 * time.Second}, nil, false)
			o := &loadtest.Origin{Network: w, Lag: time.Millisecond, Random: rand.New(rand.NewPCG(1, 3))}
			r, err := probe.Run(t.Context(), o, probe.Config{Caps: c, Timeout: 5 * time.Second})
			if err != nil || r.AtLeast || math.Abs(float64(r.Limit)/float64(w.Knee())-1) > 0.2 {
				t.Errorf("%d workers, network %v: %v, limit %d, want about %d: %s", workers, network, err, r.Limit, w.Knee(), r.Stopped)
			}
		}
	}
}

func TestAnotherHostIsLoadedLess(t *testing.T) {
	given := map[string]string{"max-rate": "7"}
	got := withDefaults(probe.Caps{Rate: 7}, given, true)
	if got.Rate != 7 || got.Concurrency >= capsHere.Concurrency || got.Requests >= capsHere.Requests {
		t.Errorf("%+v", got)
	}
}

// A cap of 3 ended the climb where the endpoint still kept up. The table named a knee,
// and the report another answer than the advice above it.
func TestAProbeThatHasSeenNoKneeNamesNone(t *testing.T) {
	o, err := origin.Start(t.Context(), origin.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	stdout, stderr, code := demo(t, "probe", o.URL(), "--max-concurrency", "3")
	if code != exitOK || strings.Contains(stdout, "knee") || !strings.Contains(stdout, "it may take more") {
		t.Errorf("status %d:\n%s%s", code, stdout, stderr)
	}
}
