package scenario

import (
	"context"
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

// What the simulation shows of a policy must be what a real Limiter does with it:
// in goroutines, with its own clock, queue and timers.
func TestRealLimiterDoesOtherwiseThanSimulated(t *testing.T) {
	t.Parallel()
	busy := busyWorld(0)
	for i := range busy.Phases {
		busy.Phases[i].Ungraded = true // nobody asks for its oracle
		busy.Phases[i].Clients[1].ClockError = 0
	}
	worlds := []*World{busy}
	for _, name := range []string{"step", "quota429", "longstreams", "retry503"} {
		w, _ := Named(name)
		short := *w
		short.Phases = nil
		for _, p := range w.Phases {
			p.Ungraded, p.Long = true, 5*time.Second
			short.Phases = append(short.Phases, p)
		}
		worlds = append(worlds, &short)
	}
	lab := NewLab()
	for _, w := range worlds {
		for name, newPolicy := range map[string]func() limiter.Policy{
			"adaptive": func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) },
			"gradient": func() limiter.Policy { return limiter.Gradient(limiter.GradientConfig{}) },
			"seven":    func() limiter.Policy { return limiter.Fixed(7) },
		} {
			t.Run(w.Name+"/"+name, func(t *testing.T) {
				simulated := lab.Run(w, Maker{Name: name, New: func(Setup) limiter.Policy { return newPolicy() }}, 1)
				var real *Result
				synctest.Test(t, func(*testing.T) {
					m := LimiterMaker{Name: name, New: func(Setup) Limiter { return own{limiter.New(newPolicy())} }}
					real = lab.Play(w, m, 1, synctest.Wait)
				})
				simulated.Events, real.Events = 0, 0 // a Limiter's timers are its own
				for i := range simulated.Phases {
					if s, r := simulated.Phases[i], real.Phases[i]; !reflect.DeepEqual(s, r) {
						s.bins, r.bins = nil, nil
						t.Errorf("phase %s:\nsimulated %+v\nreal      %+v", s.Name, s, r)
					}
				}
			})
		}
	}
}
