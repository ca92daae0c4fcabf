package experiment

import (
	"math"
	"runtime/metrics"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	sampleEvery = 10 * time.Millisecond
	maxPoints   = 500 // of a timeline
)

// A sampler looks at a run every 10 ms. What it costs the run is one lock of
// the limiter and one reading of three counters of the runtime.
type sampler struct {
	n       int
	begin   time.Time
	stats   func() limiter.Stats
	observe func(Point)

	quit, done chan struct{}
	timeline   timeline
	goroutines int
	memory     int64

	last    Point
	area    float64 // under the line of calls in flight: calls × seconds
	samples int
}

// startSampler begins to sample a run of n tasks; observe is told each point,
// in the sampler's goroutine.
func startSampler(n int, begin time.Time, stats func() limiter.Stats, observe func(Point)) *sampler {
	s := &sampler{
		n: n, begin: begin, stats: stats, observe: observe,
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	go s.loop()
	return s
}

func (s *sampler) loop() {
	defer close(s.done)
	t := time.NewTicker(sampleEvery)
	defer t.Stop()
	for {
		s.sample()
		select {
		case <-s.quit:
			return
		case <-t.C:
		}
	}
}

func (s *sampler) sample() {
	g, m := readRuntime()
	s.goroutines, s.memory = max(s.goroutines, g), max(s.memory, m)
	p := pointOf(s.n, time.Since(s.begin), s.stats())
	s.measure(p)
	s.timeline.add(p)
	s.observe(p)
}

// measure adds what lies between the last point and p to the area.
func (s *sampler) measure(p Point) {
	s.area += (p.T - s.last.T) * float64(p.InFlight+s.last.InFlight) / 2
	s.last = p
	s.samples++
}

// stop ends the sampling with a last point. The fields may be read after it.
func (s *sampler) stop() {
	close(s.quit)
	<-s.done
	p := pointOf(s.n, time.Since(s.begin), s.stats())
	s.measure(p)
	s.timeline.end(p)
}

func pointOf(n int, t time.Duration, st limiter.Stats) Point {
	begun := int(st.Admitted + st.Rejected.Sum())
	p := Point{
		T: t.Seconds(), InFlight: st.InFlight,
		// Tasks wait in the limiter's queue, or have not been submitted to it
		// because its caller waits there for them. They wait all the same.
		Queued:    max(0, n-begun),
		Completed: begun - st.InFlight,
		Failed:    int(st.Rejected.Sum() + st.Outcomes.Sum() - st.Outcomes.Success),
	}
	if st.Limit != math.MaxInt {
		p.Limit = &st.Limit
	}
	return p
}

// A timeline keeps at most twice maxPoints points, evenly spaced, by keeping
// every second one, then every fourth, and so on.
type timeline struct {
	points       []Point
	stride, skip int
}

func (t *timeline) add(p Point) {
	if t.skip > 0 {
		t.skip--
		return
	}
	t.points = append(t.points, p)
	// Before halving: the last point goes then, and the next one is as far
	// from it as it would have been, which is twice as far from the one kept.
	t.skip = t.stride
	if len(t.points) == 2*maxPoints {
		t.halve()
	}
}

func (t *timeline) halve() {
	half := t.points[:0]
	for i := 0; i < len(t.points); i += 2 {
		half = append(half, t.points[i])
	}
	t.points = half
	t.stride = 2*t.stride + 1
}

// end adds the last point, which is kept whatever the spacing.
func (t *timeline) end(p Point) {
	for len(t.points) >= maxPoints {
		t.halve()
	}
	t.points = append(t.points, p)
}

// readRuntime returns the number of goroutines and the memory that the program
// has from the operating system and has not given back.
func readRuntime() (goroutines int, memory int64) {
	samples := [...]metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples[:])
	return int(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64() - samples[2].Value.Uint64())
}
