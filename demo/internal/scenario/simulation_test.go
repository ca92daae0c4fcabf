package scenario

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// busyWorld has all that can happen to a call.
func busyWorld(seed uint64) *World {
	calm := Setting{
		Server: Server{
			Workers: 10, Service: Lognormal(20*ms, 1), Places: 30, Faults: 0.02, FaultAfter: ms,
			StallEvery: 2 * time.Second, StallFor: 100 * ms, Quota: 450, Burst: 20,
		},
		Clients: []Client{
			{Callers: 60, Path: 5 * ms, Jitter: Exponential(ms), Timeout: 150 * ms, MaxWait: 200 * ms, Body: Exponential(50 * ms), BodyShare: 0.1},
			{Rate: 100, Together: 3, Path: ms, GiveUp: 120 * ms, Patience: Exponential(300 * ms), ClockError: 30 * ms},
			{Rate: 50, Unlimited: true},
		},
	}
	fewer := workers(calm, 3).each(func(i int, c *Client) {
		if i == 0 {
			c.Callers = 20
		}
	})
	gone := calm.each(func(i int, c *Client) { c.Absent = i == 1 })
	return &World{Name: "busy", Phases: []Phase{
		{Name: "calm", Long: 5 * time.Second, Setting: calm},
		{Name: "fewer", Long: 5 * time.Second, Setting: fewer},
		{Name: "gone", Long: 5*time.Second + time.Duration(seed)*binLong, Setting: gone, Ungraded: true},
		{Name: "none", Long: 5 * time.Second, Setting: workers(calm, 0), Ungraded: true},
	}}
}

func searching() []func() limiter.Policy {
	return []func() limiter.Policy{
		limiter.Unlimited,
		func() limiter.Policy { return limiter.Fixed(7) },
		func() limiter.Policy { return limiter.Rate(200, 5) },
		func() limiter.Policy { return limiter.Batch(9) },
		func() limiter.Policy { return limiter.Adaptive(limiter.AdaptiveConfig{}) },
		func() limiter.Policy { return limiter.AIMD(limiter.AIMDConfig{}) },
	}
}

// onItsWay reports whether an event has a call in hand.
func onItsWay(h happening) bool { return h == arrives || h == answered || h == released }

func TestCallsAreLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		for i, newPolicy := range searching() {
			w := busyWorld(seed)
			m := newSimulation(w, seed, false, func(int) limiter.Policy { return newPolicy() })
			m.run()
			ended, waiting := 0, 0
			for _, s := range m.seen.phases {
				ended += s.counts.Ended()
			}
			for k := range m.gates[:2] { // of those who are counted
				waiting += m.gates[k].queued
			}
			if m.seen.submitted != ended+waiting+m.seen.flying {
				t.Errorf("policy %d, seed %d: %d submitted, but %d ended, %d wait and %d are in flight",
					i, seed, m.seen.submitted, ended, waiting, m.seen.flying)
			}
			// Whatever the server still has, or is on its way, has a place in
			// the slab; all other places are vacant.
			held := m.server.line.size + len(m.server.work)
			for k := range m.agenda.lanes[:] {
				l := &m.agenda.lanes[k]
				for j := range l.size {
					if e := l.items[(l.head+j)&(len(l.items)-1)]; onItsWay(e.what) {
						held++
					}
				}
			}
			for _, e := range m.agenda.heap {
				if e.lane == noLane && onItsWay(e.what) {
					held++
				}
			}
			for k := range m.gates {
				held += m.gates[k].queued
			}
			if len(m.calls) != len(m.vacant)+held {
				t.Errorf("policy %d, seed %d: %d places, %d vacant, %d calls somewhere", i, seed, len(m.calls), len(m.vacant), held)
			}
		}
	}
}

// spy checks what a Limiter promises to its policy.
type spy struct {
	limiter.Policy
	t       *testing.T
	now     time.Duration
	awaited int
	asked   limiter.State
	limit   int
	wait    time.Duration
}

func (s *spy) look(x limiter.State) {
	if x.Now < s.now {
		s.t.Errorf("time runs backwards, from %v to %v", s.now, x.Now)
	}
	s.now = x.Now
	if x.Epoch == nil || x.InFlight < 0 || x.Queued < 0 {
		s.t.Errorf("state %+v", x)
	}
}

func (s *spy) Next(x limiter.State) (int, time.Duration) {
	s.look(x)
	if x.Queued < 1 && s.asked.Now != 0 {
		s.t.Error("asked for nobody")
	}
	s.limit, s.wait = s.Policy.Next(x)
	s.asked = x
	return s.limit, s.wait
}

func (s *spy) Start(x limiter.State) {
	s.look(x)
	if s.wait > 0 || x.InFlight > s.limit || x.Now != s.asked.Now || x.InFlight != s.asked.InFlight+1 {
		s.t.Errorf("a call starts at %+v; the answer to %+v was limit %d, wait %v", x, s.asked, s.limit, s.wait)
	}
	s.awaited++
	s.Policy.Start(x)
}

func (s *spy) Report(x limiter.State, r limiter.Result) {
	s.look(x)
	s.awaited--
	if s.awaited < 0 || r.Latency < 0 || r.Latency > x.Now || x.InFlight <= s.awaited {
		s.t.Errorf("report %+v at %+v with %d calls awaited", r, x, s.awaited)
	}
	s.Policy.Report(x, r)
}

func TestPoliciesAreNotAskedAsALimiterAsks(t *testing.T) {
	t.Parallel()
	for _, newPolicy := range searching() {
		m := newSimulation(busyWorld(1), 1, false, func(int) limiter.Policy { return &spy{Policy: newPolicy(), t: t} })
		m.run()
	}
}

func TestSameSeedGivesOtherResults(t *testing.T) {
	t.Parallel()
	adaptive := mustMake(t, "adaptive")
	var texts [3][]byte
	for i, seed := range []uint64{5, 5, 6} {
		// A lab of its own for each: what is kept must not matter.
		w := busyWorld(1)
		w.Phases = w.Phases[:1]
		w.Phases[0].Server.StallEvery = 0 // an oracle has to see many
		var err error
		texts[i], err = json.Marshal(quickLab().Run(w, adaptive, seed))
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Errorf("the same seed gave\n%s\nand\n%s", texts[0], texts[1])
	}
	if bytes.Equal(texts[0], texts[2]) {
		t.Error("another seed gave the same")
	}
}

// Events must come in the order of their time, and those of one moment in the
// order in which they were planned, whatever the lanes.
func TestAgendaChangesTheOrder(t *testing.T) {
	t.Parallel()
	var a agenda
	lanes := []int16{a.newLane(), a.newLane(), noLane}
	var want []event
	at := time.Duration(0)
	for i := range 5000 {
		at += time.Duration(i * 7919 % 13)
		e := event{at: at + time.Duration(i*104729%997), subject: int32(i), what: arrives}
		if i%3 == 0 {
			e.at = at // in the order of the lane
		}
		a.add(e, lanes[i%3])
		e.seq = uint64(i)
		want = append(want, e)
	}
	slices.SortStableFunc(want, func(x, y event) int { return int(x.at - y.at) })
	for i, w := range want {
		e := a.next()
		if e == nil || e.subject != w.subject {
			t.Fatalf("event %d is %+v, want %+v", i, e, w)
		}
		a.drop(nil)
	}
	if a.next() != nil {
		t.Error("there is more")
	}
}

func TestWorldsDrawnAreOutOfBounds(t *testing.T) {
	t.Parallel()
	kinds := map[shape]int{}
	for i := range 300 {
		w := Random(42, i)
		v, c := w.Phases[0].Server, w.Phases[0].Clients[0]
		kinds[v.Service.shape]++
		if v.Workers < 2 || v.Workers > 300 || v.Service.Mean() < 2*ms-1 || v.Service.Mean() > 300*ms || c.Path < ms/2 || c.Path > 50*ms {
			t.Errorf("%s: %s", w.Name, w.About)
		}
		if w.Phases[0].Server == w.Phases[1].Server && w.Phases[0].Clients[0].Path == w.Phases[1].Clients[0].Path {
			t.Errorf("%s: nothing changes: %s", w.Name, w.About)
		}
		if again := Random(42, i); again.About != w.About {
			t.Errorf("drawn twice: %s, %s", w.About, again.About)
		}
		s := Shared(42, i)
		if n := len(s.Phases[0].Clients); n < 2 || n > 10 || s.Phases[0].Server.Workers < n {
			t.Errorf("%s: %s", s.Name, s.About)
		}
		for _, c := range s.Phases[len(s.Phases)-1].Clients {
			if c.Absent || c.ClockError.Abs() > 100*ms || c.Callers < 1 {
				t.Errorf("%s: %+v", s.Name, c)
			}
		}
	}
	if len(kinds) != 4 {
		t.Errorf("distributions %v, want four", kinds)
	}
}

func TestNamesOfWorldsClash(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, w := range All() {
		if names[w.Name] || w.About == "" || w.Group == "" || len(w.Phases) == 0 {
			t.Errorf("%+v", w)
		}
		names[w.Name] = true
		for _, p := range w.Phases {
			if p.Long <= 0 || p.Long%binLong != 0 || len(p.Clients) != len(w.Phases[0].Clients) {
				t.Errorf("%s/%s: %v, %d clients", w.Name, p.Name, p.Long, len(p.Clients))
			}
		}
	}
	phases := 0
	for _, w := range study() {
		for _, p := range w.Phases {
			if !p.Ungraded {
				phases++
			}
		}
	}
	if phases != studyPhases {
		t.Errorf("the study has %d graded phases; its bars want %d", phases, studyPhases)
	}
	if some, err := Match([]string{"k*", "cold"}); err != nil || len(some) != 6 {
		t.Errorf("%d worlds match, %v", len(some), err)
	}
	if _, err := Match([]string{"nosuch"}); err == nil {
		t.Error("an unknown name is no error")
	}
}

func TestJainIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		got  []int
		fair []float64
		want float64
	}{
		{[]int{5, 5}, []float64{1, 1}, 1},
		{[]int{10, 0}, []float64{1, 1}, 0.5},
		{[]int{10, 5}, []float64{2, 1}, 1},
		{[]int{10, 7, 0}, []float64{1, 1, 0}, 17. * 17 / (2 * 149)},
		{[]int{10}, []float64{1}, 0},
	} {
		if got := jain(tt.got, tt.fair); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%v of %v: %v, want %v", tt.got, tt.fair, got, tt.want)
		}
	}
}
