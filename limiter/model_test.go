package limiter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// model is a Limiter as one would write it without caring for speed: a slice of
// those that wait, sorted; a count of those that run.
type model struct {
	limit, maxQueue int
	running         int
	waiting         []*modelCall // in order
	seq             int
}

type modelCall struct {
	*caller
	name, priority, seq int
	want                string // waits, runs, rejected
}

func (m *model) sort() {
	slices.SortStableFunc(m.waiting, func(a, b *modelCall) int {
		if a.priority != b.priority {
			return b.priority - a.priority
		}
		return a.seq - b.seq
	})
}

func (m *model) fill() {
	for len(m.waiting) > 0 && m.running < m.limit {
		m.waiting[0].want = "runs"
		m.waiting = m.waiting[1:]
		m.running++
	}
}

func (m *model) arrive(c *modelCall) {
	m.seq++
	c.seq = m.seq
	if len(m.waiting) == 0 && m.running < m.limit {
		c.want = "runs"
		m.running++
		return
	}
	if len(m.waiting) >= m.maxQueue {
		if m.maxQueue == 0 || m.waiting[len(m.waiting)-1].priority >= c.priority {
			c.want = "rejected"
			return
		}
		m.waiting[len(m.waiting)-1].want = "rejected"
		m.waiting = m.waiting[:len(m.waiting)-1]
	}
	c.want = "waits"
	m.waiting = append(m.waiting, c)
	m.sort()
}

func (m *model) cancel(c *modelCall) {
	if i := slices.Index(m.waiting, c); i >= 0 {
		m.waiting = slices.Delete(m.waiting, i, i+1)
		c.want = "rejected"
	}
}

func (c *modelCall) got() string {
	switch {
	case !c.done.Load():
		return "waits"
	case c.err != nil:
		return "rejected"
	default:
		return "runs"
	}
}

// compare drives a Limiter and the model with the same operations, drawn from
// ops, and fails when they differ.
func compare(t *testing.T, ops []byte, maxQueue int) {
	m := &model{limit: 2, maxQueue: maxQueue}
	l := limiter.New(limiter.Fixed(2), limiter.MaxQueue(maxQueue))
	var calls []*modelCall
	var ended []limiter.Permit
	asked := 0
	for n, op := range ops {
		running := slices.DeleteFunc(slices.Clone(calls), func(c *modelCall) bool { return c.want != "runs" })
		arg := int(op >> 3)
		what := ""
		switch op & 7 {
		case 0, 1, 2: // a call comes
			c := &modelCall{name: len(calls), priority: arg % 4}
			m.arrive(c)
			c.caller = ask(limiter.WithPriority(t.Context(), c.priority), l)
			calls = append(calls, c)
			asked++
			what = fmt.Sprint("arrival of ", c.name)
		case 3, 4: // a call ends
			if len(running) == 0 {
				continue
			}
			c := running[arg%len(running)]
			c.want = "ended"
			m.running--
			m.fill()
			c.permit.Report(limiter.Outcome(arg % 6))
			c.permit.Release()
			ended = append(ended, c.permit)
			what = fmt.Sprint("release of ", c.name)
		case 5: // a caller gives up
			if len(calls) == 0 {
				continue
			}
			c := calls[arg%len(calls)]
			m.cancel(c)
			m.fill()
			c.cancel()
			what = fmt.Sprint("cancel of ", c.name)
		case 6: // the limit changes
			m.limit = 1 + arg%5
			m.fill()
			l.SetPolicy(limiter.Fixed(m.limit))
			what = fmt.Sprint("limit ", m.limit)
		case 7: // a stale permit is used again
			if len(ended) > 0 {
				p := ended[arg%len(ended)]
				p.Report(limiter.Refused)
				p.Release()
			}
			what = "stale release"
		}
		synctest.Wait()
		for _, c := range calls {
			if c.want != "ended" && c.want != c.got() {
				t.Fatalf("op %d (%s): call %d %s, want %s", n, what, c.name, c.got(), c.want)
			}
		}
		if s := l.Stats(); s.InFlight != m.running || s.Queued != len(m.waiting) || s.Limit != m.limit {
			t.Fatalf("op %d (%s): %+v, want %d running, %d waiting, limit %d", n, what, s, m.running, len(m.waiting), m.limit)
		}
		checkCounts(t, l, asked)
	}
	for _, c := range calls {
		c.cancel()
	}
	synctest.Wait()
	for _, c := range calls {
		c.permit.Release()
	}
	quiet(t, l)
}

func TestEngineDiffersFromNaiveModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		ops := make([]byte, 300)
		for i := range ops {
			ops[i] = byte(random.Uint32())
		}
		maxQueue := random.IntN(8)
		bubble(t, func(t *testing.T) { compare(t, ops, maxQueue) })
	}
}

func FuzzEngineDiffersFromNaiveModel(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 3, 3}, uint8(4))
	f.Add([]byte{0, 8, 16, 24, 5, 3, 6, 7, 3}, uint8(2))
	f.Fuzz(func(t *testing.T, ops []byte, maxQueue uint8) {
		if len(ops) > 400 {
			return
		}
		bubble(t, func(t *testing.T) { compare(t, ops, int(maxQueue%8)) })
	})
}

// Whatever a policy is asked and told, it must stay alive and in its bounds.
func FuzzPolicyStopsOrLeavesItsBounds(f *testing.F) {
	f.Add(uint8(0), []byte{0, 1, 2, 3})
	f.Add(uint8(4), []byte{0, 0, 0, 9, 17, 25, 200})
	f.Fuzz(func(t *testing.T, which uint8, ops []byte) {
		policies := []func() limiter.Policy{
			func() limiter.Policy { return limiter.Fixed(3) },
			func() limiter.Policy { return limiter.Batch(3) },
			func() limiter.Policy { return limiter.Rate(5, 2) },
			func() limiter.Policy { return limiter.AIMD(limiter.AIMDConfig{Initial: 3, Min: 1, Max: 9}) },
			func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{Initial: 3, Max: 9}) },
			func() limiter.Policy { return limiter.Vegas(limiter.VegasConfig{Initial: 3, Max: 9}) },
			func() limiter.Policy { return limiter.Gradient2(limiter.Gradient2Config{Initial: 3, Min: 1, Max: 9}) },
			func() limiter.Policy { return limiter.Gradient(limiter.GradientConfig{Min: 1, Max: 9}) },
		}
		p := policies[int(which)%len(policies)]()
		var now time.Duration
		type running struct{ start time.Duration }
		var calls []running
		for _, op := range ops {
			now += time.Duration(op>>3) * time.Duration(op) * time.Millisecond
			s := limiter.State{Now: now, Epoch: &epoch, InFlight: len(calls), Queued: int(op & 1)}
			if op&2 == 0 || len(calls) == 0 {
				s.Queued++
				limit, wait := p.Next(s)
				again, wait2 := p.Next(s)
				if limit != again || wait != wait2 {
					t.Fatalf("asked twice: (%d, %v) and (%d, %v)", limit, wait, again, wait2)
				}
				if int(which)%len(policies) >= 3 && (limit < 1 || limit > 9) {
					t.Fatalf("limit %d is out of bounds", limit)
				}
				if len(calls) == 0 && limit < 1 {
					t.Fatalf("limit %d with nothing in flight", limit)
				}
				if wait > 0 || len(calls) >= limit {
					if len(calls) == 0 {
						now += wait
						if limit, wait := p.Next(limiter.State{Now: now, Queued: 1}); limit < 1 || wait > 0 {
							t.Fatalf("still (%d, %v) after the wait", limit, wait)
						}
					}
					continue
				}
				calls = append(calls, running{now})
				s.InFlight++
				p.Start(s)
				continue
			}
			c := calls[0]
			calls = calls[1:]
			p.Report(s, limiter.Result{Outcome: limiter.Outcome(op >> 2 % 6), Latency: now - c.start})
		}
	})
}
