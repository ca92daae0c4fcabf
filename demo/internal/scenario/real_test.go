package scenario

import (
	"context"
	"math"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// own is a limiter.Limiter as a Limiter.
type own struct{ *limiter.Limiter }

func (l own) Acquire(ctx context.Context) (Permit, error) { return l.Limiter.Acquire(ctx) }
func (l own) Limit() int                                  { return l.Stats().Limit }

// setBack is a policy whose clock starts at 0, as in a simulation. That of a Limiter
// starts at 1 ns, and where chance decides, a rounding error is soon another run.
type setBack struct{ limiter.Policy }

func (p setBack) Next(s limiter.State) (int, time.Duration) { return p.Policy.Next(p.state(s)) }
func (p setBack) Start(s limiter.State)                     { p.Policy.Start(p.state(s)) }
func (p setBack) Report(s limiter.State, r limiter.Result)  { p.Policy.Report(p.state(s), r) }
func (setBack) state(s limiter.State) limiter.State {
	epoch := s.Epoch.Add(1)
	s.Now, s.Epoch = s.Now-1, &epoch
	return s
}

// What the simulation shows of a policy must be what a real Limiter does with it, in
// goroutines, with its own clock, queue and timers: to the last digit.
func TestRealLimiterDoesOtherwiseThanSimulated(t *testing.T) {
	t.Parallel()
	busy := busyWorld(0)
	for i := range busy.Phases {
		busy.Phases[i].Clients[1].ClockError = 0 // a process has one clock
	}
	worlds := []*World{busy}
	names := []string{"cancel", "k20", "quota429", "longstreams", "impatient", "burst", "retry503", "retry429"}
	if testing.Short() {
		names = names[:1]
	}
	for _, name := range names {
		w := mustName(t, name)
		cut := *w
		cut.Phases = nil
		for _, p := range w.Phases {
			p.Long = min(p.Long, 5*time.Second)
			cut.Phases = append(cut.Phases, p)
		}
		worlds = append(worlds, &cut)
	}
	for _, w := range worlds {
		for i := range w.Phases {
			w.Phases[i].Ungraded = true // nobody asks for its oracle
		}
		for name, newPolicy := range map[string]func() limiter.Policy{
			"adaptive": func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) },
			"gradient": func() limiter.Policy { return limiter.Gradient(limiter.GradientConfig{}) },
			"seven":    func() limiter.Policy { return limiter.Fixed(7) },
			// Of a rate that never meets a round moment: what happens at one and the same
			// moment may happen in either order.
			"rate": func() limiter.Policy { return limiter.Rate(100*math.Sqrt2, 5) },
		} {
			t.Run(w.Name+"/"+name, func(t *testing.T) {
				var lab Lab
				simulated := lab.Run(w, Maker{Name: name, New: func(Setup) limiter.Policy { return newPolicy() }}, 1)
				var real *Result
				synctest.Test(t, func(*testing.T) {
					m := LimiterMaker{Name: name, New: func(Setup) Limiter { return own{limiter.New(setBack{newPolicy()})} }}
					real = lab.Play(w, m, 1, synctest.Wait)
				})
				ended := 0
				for i := range simulated.Phases {
					s, r := simulated.Phases[i], real.Phases[i]
					ended += r.Counts.Ended()
					if !reflect.DeepEqual(s, r) {
						s.bins, r.bins = nil, nil
						t.Errorf("phase %s:\nsimulated %+v\nreal      %+v", s.Name, s, r)
					}
				}
				if ended < 500 {
					t.Errorf("%d calls in all", ended)
				}
			})
		}
	}
}
