package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
)

// ErrNoAnswer is returned if a lone call does not succeed.
var ErrNoAnswer = errors.New("sweep: no call succeeded")

const (
	firstWindow = 300 * time.Millisecond // nothing is known yet
	leastWindow = 250 * time.Millisecond
	mostWindow  = 20 * time.Second
	cycles      = 6 // of a lone call, in a window
	// doublings is how many of them must have brought nothing.
	doublings = 3
	// brings is what a doubling must bring, relative to the best before it.
	brings = 1.03
	// wide is the width of an interval, relative to the knee, that is worth
	// more rounds. Of six with extraRounds, the order statistics leave out one
	// value at either end, and with it a moment at which the machine was busy.
	wide        = 0.12
	extraRounds = 3
	// refinements bounds how many limits are added around the knee.
	refinements = 24
)

// A search is a sweep under way.
type search struct {
	Config
	target load.Target
	random *rand.Rand
	result *Result
	warm   time.Duration // at least
	best   float64       // goodput so far
	added  int
}

// Run sweeps the target. When ctx ends the result is of what has been measured,
// and says Interrupted; other ends before the end are errors, with the result
// that there is. It never returns a nil result with a valid Config.
func Run(ctx context.Context, target load.Target, c Config) (*Result, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &search{
		Config: c, target: target, random: rand.New(rand.NewPCG(c.Seed, 1)),
		result: &Result{Share: knee.Share, Seed: c.Seed, Rounds: c.Rounds, Max: c.Max},
	}
	err = s.all(ctx)
	if ctx.Err() != nil {
		s.result.Interrupted, err = true, nil
	}
	s.result.conclude()
	return s.result, err
}

func (s *search) all(ctx context.Context) error {
	if err := s.scan(ctx); err != nil {
		return err
	}
	if err := s.refine(ctx, 0); err != nil {
		return err
	}
	for round := 1; round < s.Rounds || s.Rounds > 1 && round < s.Rounds+extraRounds && s.wide(); round++ {
		step := fmt.Sprintf("round %d of %d", round+1, max(s.Rounds, round+1))
		limits := s.deciding()
		s.random.Shuffle(len(limits), func(i, j int) { limits[i], limits[j] = limits[j], limits[i] })
		for _, limit := range limits {
			if _, err := s.measure(ctx, step, limit, round); err != nil {
				return err
			}
		}
		if err := s.refine(ctx, round); err != nil {
			return err
		}
	}
	return s.fill(ctx)
}

// wide reports whether the interval is wider than a person would like.
func (s *search) wide() bool {
	k, err := knee.Find(s.result.points())
	return err == nil && float64(k.To-k.From) > max(3, wide*float64(k.Limit))
}

// measure makes one measurement.
func (s *search) measure(ctx context.Context, step string, limit, round int) (load.Measurement, error) {
	// The first calls of a trial find nobody before them. Once so many have
	// ended as there are callers, all wait as long as they are going to.
	warm := max(s.warm, s.Warm)
	if s.best > 0 {
		warm = min(max(warm, seconds(1.2*float64(limit)/s.best)), mostWindow)
	}
	m, err := s.target.Measure(ctx, load.Trial{Limit: limit, Warm: warm, Window: s.Window})
	if err != nil {
		return m, err // of a part of the window, which is worth nothing
	}
	m.Round = round
	s.best = max(s.best, m.Goodput)
	s.result.Measurements = append(s.result.Measurements, m)
	if s.Measured != nil {
		s.Measured(step, m)
	}
	return m, nil
}

// scan doubles the limit.
func (s *search) scan(ctx context.Context) error {
	chosen := s.Window
	if s.Window == 0 {
		s.Window = firstWindow
	}
	s.warm = s.Window / 10
	alone, err := s.measure(ctx, "scan", 1, 0)
	if err != nil {
		return err
	}
	if chosen == 0 && alone.Counts.Succeeded < cycles {
		// A slow one: the window was too short to learn even how slow.
		s.result.Measurements = nil
		s.Window = mostWindow / 4
		if alone, err = s.measure(ctx, "scan", 1, 0); err != nil {
			return err
		}
	}
	if alone.Counts.Succeeded == 0 {
		return fmt.Errorf("%w: of %d calls, one at a time, %d timed out, %d were refused and %d failed", ErrNoAnswer,
			alone.All.Sum(), alone.All.TimedOut, alone.All.Refused, alone.All.Failed)
	}
	lone := time.Duration(alone.Latency.Mean * float64(time.Millisecond))
	if chosen == 0 {
		s.Window = min(max(leastWindow, cycles*lone), mostWindow)
	}
	s.warm = 3 * lone / 2
	s.result.WindowSeconds = s.Window.Seconds()

	best, since := alone.Goodput, 0
	for limit := 2; since < doublings; limit *= 2 {
		limit = min(limit, s.Max)
		m, err := s.measure(ctx, "scan", limit, 0)
		if err != nil {
			return err
		}
		since++
		if m.Goodput > brings*best {
			since = 0
		}
		best = max(best, m.Goodput)
		if limit == s.Max || m.Counts.Succeeded < m.Counts.Sum()/2 {
			return nil
		}
	}
	return nil
}

// refine measures between the two limits between which the goodput reaches its
// share of the best, until they are next to each other.
func (s *search) refine(ctx context.Context, round int) error {
	for s.added < refinements {
		next, ok := knee.Next(s.result.points())
		if !ok {
			return nil
		}
		s.added++
		if _, err := s.measure(ctx, "refine", next, round); err != nil {
			return err
		}
	}
	return nil
}

// deciding are the limits that the answer rests on: a lone call, those around
// the knee, and some of the plateau.
func (s *search) deciding() []int {
	points := s.result.points()
	k, err := knee.Find(points)
	if err != nil {
		return nil
	}
	limits := []int{1}
	plateau := 0
	for _, p := range points {
		near := float64(p.Limit) >= 0.9*float64(k.From) && float64(p.Limit) <= 1.15*float64(k.To)
		flat := p.Limit > k.Limit && mean(p.Goodput) >= knee.Share*k.Best
		if flat && !near {
			plateau++
		}
		if p.Limit != 1 && (near || flat && plateau <= doublings) {
			limits = append(limits, p.Limit)
		}
	}
	return limits
}

// fill repeats what was added late and lies next to the knee, so that it counts
// as much as the others.
func (s *search) fill(ctx context.Context) error {
	for round := s.Rounds + extraRounds; round < 2*s.Rounds+extraRounds; round++ {
		limits := s.lacking()
		if len(limits) == 0 {
			return nil
		}
		s.random.Shuffle(len(limits), func(i, j int) { limits[i], limits[j] = limits[j], limits[i] })
		for _, limit := range limits {
			if _, err := s.measure(ctx, "fill", limit, round); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *search) lacking() []int {
	points := s.result.points()
	k, err := knee.Find(points)
	if err != nil {
		return nil
	}
	var limits []int
	for i, p := range points {
		inside := p.Limit >= k.From && p.Limit <= k.To
		below := i+1 < len(points) && p.Limit < k.From && points[i+1].Limit >= k.From
		above := i > 0 && p.Limit > k.To && points[i-1].Limit <= k.To
		has := len(slices.DeleteFunc(slices.Clone(p.Goodput), math.IsNaN))
		if (inside || below || above) && has < s.Rounds {
			limits = append(limits, p.Limit)
		}
	}
	return limits
}

// mean leaves out the rounds that are missing.
func mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}
