package limiter_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// A panic that comes after the call has been started, and before its caller has the
// permit, must not take the place with it: the garbage collector would find out, but
// tell nobody as long as all there are wait.
func TestPanicTakesThePlaceOfTheCallThatHearsOfIt(t *testing.T) {
	for _, in := range []string{"start", "next"} {
		bubble(t, func(t *testing.T) {
			p := &panicsWhenTaken{in: in}
			l := limiter.New(p)
			held := acquire(t, l)
			started := make(chan bool)
			go func() {
				defer func() { started <- recover() == nil }()
				_, _ = l.Acquire(t.Context())
			}()
			synctest.Wait()
			second := ask(t.Context(), l)
			// The first in line is nudged by a panic, is started, and is itself
			// stopped by another.
			p.panics = 2
			func() {
				defer func() { _ = recover() }()
				held.Done(limiter.Success)
			}()
			if <-started {
				t.Fatal("the first in line has not been stopped")
			}
			synctest.Wait()
			if !second.admitted() {
				t.Fatalf("a panic in %s: %+v", in, l.Stats())
			}
			second.permit.Release()
			quiet(t, l)
			checkCounts(t, l, 3)
			if s := l.Stats(); s.Leaked != 0 || p.running != 0 {
				t.Errorf("a panic in %s: %d leaked, the policy thinks that %d run", in, s.Leaked, p.running)
			}
		})
	}
}

// panicsWhenTaken lets one call run, and panics once when it hears of the end of a call,
// and then once more when it hears of a start, or is asked right after it.
type panicsWhenTaken struct {
	in              string
	panics, running int
}

func (p *panicsWhenTaken) Next(limiter.State) (int, time.Duration) {
	p.blow(p.in == "next" && p.panics == 1 && p.running == 1)
	return 1, 0
}

func (p *panicsWhenTaken) Start(limiter.State) {
	p.running++
	p.blow(p.in == "start" && p.panics == 1)
}

func (p *panicsWhenTaken) Report(limiter.State, limiter.Result) {
	p.running--
	p.blow(p.panics == 2)
}

func (p *panicsWhenTaken) blow(now bool) {
	if now {
		p.panics--
		panic(onPurpose)
	}
}

const onPurpose = "a policy that panics, on purpose"

// A call that panics, or ends its goroutine, and whose policy then panics as well when it
// hears of it: in a goroutine of ours there is nobody to recover from the second panic.
func TestPolicyThatPanicsAfterTheCallEndsTheProgram(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("the call") }, "goexit": runtime.Goexit} {
		f := func(context.Context, int) (int, error) { end(); return 0, nil }
		for by, work := range map[string]func(*limiter.Limiter) error{
			"ForEach": func(l *limiter.Limiter) error {
				return limiter.ForEach(t.Context(), l, slices.Values([]int{1}), func(ctx context.Context, v int) error {
					_, err := f(ctx, v)
					return err
				})
			},
			"Map": func(l *limiter.Limiter) (err error) {
				for _, err = range limiter.Map(t.Context(), l, 1, slices.Values([]int{1}), f) {
				}
				return err
			},
		} {
			l := limiter.New(panicsAtReport{})
			var told any
			func() {
				defer func() { told = recover() }()
				t.Errorf("%s: %s returned %v", name, by, work(l))
			}()
			want := any("the call")
			if name == "goexit" {
				want = onPurpose // the first panic that there is
			}
			if p, ok := told.(*limiter.PanicError); !ok || p.Value != want {
				t.Errorf("%s: %s panics with %v, want %v", name, by, told, want)
			}
			if s := l.Stats(); s.InFlight != 0 {
				t.Errorf("%s: %s leaves %d in flight", name, by, s.InFlight)
			}
		}
	}
}

// panicsAtReport admits everything, and panics when it hears how a call went.
type panicsAtReport struct{}

func (panicsAtReport) Next(limiter.State) (int, time.Duration) { return 10, 0 }
func (panicsAtReport) Start(limiter.State)                     {}
func (panicsAtReport) Report(limiter.State, limiter.Result)    { panic(onPurpose) }
