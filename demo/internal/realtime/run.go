package realtime

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
	"github.com/tidegate-go/tidegate/limiter"
)

// A Runner plays stories under policies, one after the other. The zero Long and
// Timeout are not usable.
type Runner struct {
	Makers  []scenario.Maker
	Long    time.Duration // of each phase
	Timeout time.Duration // of a call in flight

	// Begins is told before each run, if it is not nil.
	Begins func(s *Story, policy string)

	lab scenario.Lab
}

// Lasts returns how long it takes to play stories.
func (r *Runner) Lasts(stories []Story) (d time.Duration) {
	for i := range stories {
		d += time.Duration(len(r.makers())*len(stories[i].Phases)) * r.Long
	}
	return d
}

// makers are those asked for, after the one that all are compared with.
func (r *Runner) makers() []scenario.Maker {
	best := bestMaker()
	makers := []scenario.Maker{best}
	for _, m := range r.Makers {
		if m.Name != best.Name {
			makers = append(makers, m)
		}
	}
	return makers
}

// bestMaker makes policies that have the best fixed limit of each phase.
func bestMaker() scenario.Maker {
	m, err := scenario.MakerOf("oracle")
	if err != nil {
		panic(err) // the package has it
	}
	return m
}

// Run plays the stories and returns the results that there are, also when ctx ends
// before: then those of the phase that was under way are marked.
func (r *Runner) Run(ctx context.Context, stories []Story) (results []Result, err error) {
	for i := range stories {
		s := &stories[i]
		w := s.world(r.Long, r.Timeout)
		var best []Result
		for _, m := range r.makers() {
			if ctx.Err() != nil {
				return results, nil
			}
			if r.Begins != nil {
				r.Begins(s, m.Name)
			}
			got, err := r.play(ctx, s, w, m)
			if err != nil {
				return results, fmt.Errorf("%s under %s: %w", s.Name, m.Name, err)
			}
			if best == nil {
				best = got
			}
			for k := range got {
				if k < len(best) && !got[k].Interrupted && !best[k].Interrupted {
					got[k].compare(&best[k])
				}
			}
			results = append(results, got...)
		}
	}
	return results, nil
}

// play plays one story under one policy, with a new origin.
func (r *Runner) play(ctx context.Context, s *Story, w *scenario.World, m scenario.Maker) (results []Result, err error) {
	o, err := origin.Start(ctx, s.Phases[0].Origin)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		return nil, err
	}
	defer o.Close()
	transport := s.Phases[0].Origin.Transport()
	defer transport.CloseIdleConnections()

	calling, stop := context.WithCancel(ctx)
	var callers sync.WaitGroup
	defer callers.Wait()
	defer stop()
	target := &load.HTTP{Transport: transport, URL: o.URL(), Timeout: r.Timeout}
	clients := make([]*client, s.Clients)
	for i := range clients {
		c := &client{limiter: limiter.New(m.New(r.lab.Setup(w, &m, i))), target: target, now: newTally()}
		clients[i] = c
		for range w.Phases[0].Clients[i].Callers {
			callers.Go(func() { c.caller(calling) })
		}
	}
	for k := range s.Phases {
		if k > 0 {
			if err := o.Change(ctx, s.Phases[k].Origin); err != nil && ctx.Err() == nil {
				return results, err
			}
		}
		began := time.Now()
		mean, last := r.watch(ctx, clients)
		result := Result{
			Story: s.Name, Phase: s.Phases[k].Name, Policy: m.Name, Long: time.Since(began).Seconds(),
			Limit: mean, LimitEnd: last, Best: r.lab.Oracle(&w.Phases[k]).Limit, Interrupted: ctx.Err() != nil,
		}
		sum := newTally()
		for _, c := range clients {
			sum.add(c.enter())
		}
		sum.fill(&result)
		results = append(results, result)
		if ctx.Err() != nil {
			break
		}
	}
	return results, nil
}

// watch looks at the limits until the phase is over, and returns the mean of their
// sum and the last.
func (r *Runner) watch(ctx context.Context, clients []*client) (mean float64, last int) {
	end := time.NewTimer(r.Long)
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	sum, n := 0, 0
	for {
		last = 0
		for _, c := range clients {
			last += c.limiter.Stats().Limit
		}
		sum, n = sum+last, n+1
		select {
		case <-look.C:
			continue
		case <-end.C:
		case <-ctx.Done():
		}
		return float64(sum) / float64(n), last
	}
}
