package limiter_test

import (
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
