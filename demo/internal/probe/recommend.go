package probe

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// ofLatency is what makes a timeout of a latency; see the package comment.
const ofLatency = 4

// LeastTimeout is the shortest timeout that is recommended.
const LeastTimeout = 100 * time.Millisecond

// conclude makes the recommendation.
func (s *search) conclude() {
	r := s.result
	r.Points = sweep.Summarise(r.Measurements)
	if len(r.Points) == 0 {
		return
	}
	best := slices.MaxFunc(r.Points, func(a, b sweep.Point) int {
		switch {
		case a.Goodput < b.Goodput:
			return -1
		case a.Goodput > b.Goodput:
			return 1
		}
		return 0
	})
	r.Limit, r.From, r.To = best.Limit, best.Limit, best.Limit
	r.Rate = ofGoodput * best.Goodput
	climbed := fmt.Sprintf("nothing above it was clean: %s", r.Stopped)
	if k, err := knee.Find(s.points()); err == nil {
		// While the largest limit brings what it should there is no knee yet,
		// and it is the best that is known.
		if s.short(s.largest()) {
			r.Knee = &k
			r.Limit, r.From, r.To = k.Limit, k.From, k.To
			r.Rate = ofGoodput * k.Best
			climbed = fmt.Sprintf("it is the smallest with %.0f %% of the best goodput, %.0f/s", 100*knee.Share, k.Best)
		}
	}
	if r.AtLeast {
		climbed = fmt.Sprintf("%s and the endpoint still kept up: it may take more", r.Stopped)
	}
	r.Because = climbed
	r.Timeout = timeout(r.Points, r.Limit)
}

// timeout is the recommended one for the limit, in seconds with two digits.
func timeout(points []sweep.Point, limit int) float64 {
	at := slices.IndexFunc(points, func(p sweep.Point) bool { return p.Limit >= limit })
	if at < 0 {
		at = len(points) - 1
	}
	s := max(LeastTimeout.Seconds(), ofLatency*points[at].P99/1000)
	unit := math.Pow10(int(math.Floor(math.Log10(s))) - 1)
	return math.Round(math.Ceil(s/unit-1e-9)*unit*1e9) / 1e9
}
