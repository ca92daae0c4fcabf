package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// ErrNoAnswer is returned if not even a lone call succeeds.
var ErrNoAnswer = errors.New("no call succeeded")

const (
	cycles      = 5 // of a lone call, in a window
	firstWindow = 400 * time.Millisecond
	slowWindow  = 5 * time.Second
	leastWindow = 250 * time.Millisecond
	step        = 1.5
	// proportion is the part of what the limit promises that a step must bring.
	proportion = 0.93
	rounds     = 4
	tries      = 3 // with a limit that falls short
	mostAdded  = 5 // limits between those that enclose the knee
	// A call that takes this many times as long as a lone one is harm, if it
	// is also much longer in itself: a machine that is busy for a moment is
	// not the endpoint's trouble.
	harmfully = 10
	leastHarm = 500 * time.Millisecond
	ofGoodput = 0.9
	// doubt is how many standard errors of a goodput may be chance.
	doubt = 2
	// exact is the standard error, relative to the goodput, that a window is long
	// enough for, and longest the part of the time that it may take for that.
	exact   = 0.03
	longest = 25
)

// errStop ends a probe whose result says why.
var errStop = errors.New("probe: stop")

type search struct {
	Config
	target load.Target
	result *Result
	lone   time.Duration
	// variation is that of the latencies of a lone call.
	variation float64
	trial     load.Trial // of the next measurement, but for its limit
	round     int        // that the next measurement belongs to
}

// Run probes the target. The result says how it ended, whatever happens. The
// error is ErrNoAnswer if not even a lone call has succeeded.
func Run(ctx context.Context, target load.Target, c Config) (*Result, error) {
	s := &search{Config: c, target: target, result: &Result{Caps: c.Caps}}
	err := s.all(ctx)
	s.result.Interrupted = ctx.Err() != nil
	if s.result.Interrupted {
		s.result.Stopped = "interrupted"
	}
	s.conclude()
	if errors.Is(err, ErrNoAnswer) && !s.result.Interrupted {
		return s.result, err
	}
	return s.result, nil
}

func (s *search) all(ctx context.Context) error {
	if err := s.alone(ctx); err != nil {
		return err
	}
	for {
		if err := s.climb(ctx); err != nil {
			return err
		}
		for round := range rounds {
			if err := s.repeat(ctx, round); err != nil {
				return err
			}
		}
		if err := s.confirm(ctx); err != nil {
			return err
		}
		if s.short(s.largest()) {
			break
		}
		// The rounds have shown that the climb ended too early.
	}
	s.result.Stopped = "done"
	return nil
}

// alone measures one call at a time, which says how long a call takes.
func (s *search) alone(ctx context.Context) error {
	s.trial = load.Trial{Warm: firstWindow / 10, Window: firstWindow, Careful: true, Longest: s.Timeout}
	m, err := s.measure(ctx, "alone", 1)
	if pause := time.Duration(m.RetryAfter * float64(time.Second)); err != nil && pause > 0 && s.Wait != nil && m.All.Succeeded == 0 &&
		s.spent()+pause.Seconds() < s.Caps.Time.Seconds()/2 {
		s.result.Seconds += pause.Seconds()
		if s.Wait(ctx, pause) == nil {
			s.result.Harm, s.result.RetryAfter = "", 0
			m, err = s.measure(ctx, "alone", 1)
		}
	}
	if err == nil && m.Counts.Succeeded < cycles {
		s.result.Measurements = nil
		s.trial.Window = slowWindow
		m, err = s.measure(ctx, "alone", 1)
	}
	switch {
	case m.All.Succeeded == 0 && m.Harm != "":
		return fmt.Errorf("%w: %s", ErrNoAnswer, m.Harm)
	case err != nil:
		return err
	case m.Counts.Succeeded == 0:
		s.result.Stopped = fmt.Sprintf("no call ended within %v", s.trial.Window)
		return fmt.Errorf("%w within %v", ErrNoAnswer, s.trial.Window)
	}
	s.lone, s.variation = time.Duration(m.Latency.Mean*float64(time.Millisecond)), m.Variation
	s.trial = load.Trial{
		Ramp: 2 * s.lone, Warm: s.lone, Window: max(leastWindow, cycles*s.lone),
		Careful: true, Longest: max(harmfully*s.lone, s.lone+leastHarm),
	}
	return nil
}

// climb raises the limit until that brings less than it should.
func (s *search) climb(ctx context.Context) (err error) {
	// Nobody has seen a knee if it is not harm that ended the climb.
	defer func() { s.result.AtLeast = err != nil && s.result.Harm == "" }()
	limit := s.largest()
	for !s.short(limit) {
		last := limit
		if limit = min(max(last+1, int(step*float64(last))), s.Caps.Concurrency); limit <= last {
			s.result.Stopped = fmt.Sprintf("the cap of %d calls at once was reached", s.Caps.Concurrency)
			return errStop
		}
		// More than once, if it falls short: that may be a moment of this
		// machine's own, which makes calls slower and never quicker.
		for try := 0; try == 0 || try < tries && s.short(limit); try++ {
			if _, err := s.measure(ctx, "climb", limit); err != nil {
				return err
			}
		}
		if s.best(limit) > ofGoodput*s.Caps.Rate {
			s.result.Stopped = fmt.Sprintf("the cap of %.0f calls per second was reached", s.Caps.Rate)
			return errStop
		}
	}
	return nil
}

// largest is the largest limit that was clean.
func (s *search) largest() int {
	limit := 1
	for _, m := range s.result.Measurements {
		limit = max(limit, m.Limit)
	}
	return limit
}

// short reports whether the limit, the largest so far, brings less than it
// should, judged by the best of all measurements of it and of smaller ones.
//
// Calls that do not all take equally long make goodputs that chance has a part in.
// What might be chance is no shortfall: with exponential service times the luckiest of
// the first few limits would be the measure of all others, and an endpoint with 32
// places would be found to have 8.
func (s *search) short(limit int) bool {
	perCall, best := 0.0, 0.0
	for _, m := range s.result.Measurements {
		chance := doubt * m.Variation / math.Sqrt(max(1, float64(m.Counts.Succeeded)))
		switch {
		case m.Limit < limit:
			perCall = max(perCall, m.Goodput*(1-chance)/float64(m.Limit))
		case m.Limit == limit:
			best = max(best, m.Goodput*(1+chance))
		}
	}
	// Against all smaller ones, and not the last alone: at several steps of
	// 6 % each a curve would bend unseen.
	return best < proportion*perCall*float64(limit)
}

// best is the best goodput with the limit.
func (s *search) best(limit int) (goodput float64) {
	for _, m := range s.result.Measurements {
		if m.Limit == limit {
			goodput = max(goodput, m.Goodput)
		}
	}
	return goodput
}

// measure makes a measurement, if the caps still allow it. Its error is errStop
// if the probe must end, and the result says why then.
func (s *search) measure(ctx context.Context, step string, limit int) (load.Measurement, error) {
	t := s.trial
	t.Limit = limit
	t.Window = max(t.Window, s.window(limit))
	expected := (t.Ramp + t.Warm + t.Window + 2*s.lone).Seconds()
	switch {
	case s.spent()+expected > s.Caps.Time.Seconds():
		s.result.Stopped = fmt.Sprintf("the cap of %v was reached", s.Caps.Time)
		return load.Measurement{Limit: limit}, errStop
	case s.result.Calls >= s.Caps.Requests:
		s.result.Stopped = fmt.Sprintf("the cap of %d requests was reached", s.Caps.Requests)
		return load.Measurement{Limit: limit}, errStop
	}
	// The calls that are under way when a window ends are waited for, and one of them may
	// take as long as its timeout.
	within, cancel := context.WithTimeout(ctx, s.Caps.Time-time.Duration(s.spent()*float64(time.Second)))
	defer cancel()
	m, err := s.target.Measure(within, t)
	m.Round = s.free(limit)
	s.result.Calls += m.All.Sum()
	s.result.Failed += m.All.Sum() - m.All.Succeeded - m.All.Cancelled
	s.result.Seconds += m.Seconds
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		s.result.Stopped = fmt.Sprintf("the cap of %v was reached", s.Caps.Time)
		return m, errStop
	}
	if err != nil {
		return m, err
	}
	if s.Measured != nil {
		s.Measured(step, m)
	}
	switch {
	case m.Harm != "":
		s.result.Harm, s.result.RetryAfter = m.Harm, m.RetryAfter
		s.result.Stopped = fmt.Sprintf("the first sign of harm, with %d at once: %s", limit, m.Harm)
		return m, errStop
	case s.result.Calls >= s.Caps.Requests:
		// The last trial may have been cut by the cap, and is not kept.
		s.result.Stopped = fmt.Sprintf("the cap of %d requests was reached", s.Caps.Requests)
		return m, errStop
	}
	s.result.Measurements = append(s.result.Measurements, m)
	return m, nil
}

// window is how long calls must be counted for their number to say how many there are
// in the long run: the less alike they are, the longer, and the shorter the more of
// them are made at once.
func (s *search) window(limit int) time.Duration {
	calls := s.variation * s.variation / (exact * exact)
	return min(time.Duration(calls/float64(limit)*float64(s.lone)), s.Caps.Time/longest)
}

// free is the round of the next measurement with the limit: the one that is under
// way, so that it is held against what was measured at about the same time, or a
// later one if that has the limit already.
func (s *search) free(limit int) int {
	round := s.round
	for slices.ContainsFunc(s.result.Measurements, func(m load.Measurement) bool { return m.Limit == limit && m.Round == round }) {
		round++
	}
	return round
}

func (s *search) spent() float64 { return s.result.Seconds }

// points are the clean measurements as package knee wants them.
func (s *search) points() []knee.Point { return sweep.CurveOf(s.result.Measurements) }
