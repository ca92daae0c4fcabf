package picture

import (
	"fmt"
	"math"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
	"github.com/tidegate-go/tidegate/limiter"
)

// stepped are the policies that are shown while the capacity of a service falls and
// returns: all on the same axes.
var stepped = []stepPicture{
	{"unlimited", "Unlimited"},
	{"fixed", "Fixed"},
	{"adaptive", "Adaptive"},
	{"aimd", "AIMD"},
	{"vegas", "Vegas"},
	{"gradient2", "Gradient2"},
	{"gradient", "Gradient"},
}

type stepPicture struct{ name, title string }

// stepSeed is any.
const stepSeed = 1

// maker makes the policy. Fixed is the one that is best in the beginning.
func (s stepPicture) maker(best int) scenario.Maker {
	name := s.name
	switch name {
	case "unlimited":
		return scenario.Maker{Name: name, New: func(scenario.Setup) limiter.Policy { return limiter.Unlimited() }}
	case "fixed":
		name = fmt.Sprintf("fixed-%d", best)
	}
	return mustMaker(name)
}

func mustMaker(name string) scenario.Maker {
	m, err := scenario.MakerOf(name)
	if err != nil {
		panic(err) // the names are ours
	}
	return m
}

func mustWorld(name string) *scenario.World {
	w, ok := scenario.Named(name)
	if !ok {
		panic("picture: no scenario " + name)
	}
	return w
}

// A stepRun is how the scenario went under a policy, in what is drawn of it.
type stepRun struct {
	phases     []phase
	seconds    float64
	callers    float64
	best, most []point // the best fixed limit, and the answers that it brings
	watched    watched
	course     []scenario.Moment
}

func (s stepPicture) run(lab *scenario.Lab) *stepRun {
	w := mustWorld("step")
	r := &stepRun{callers: float64(w.Phases[0].Clients[0].Callers)}
	for i := range w.Phases {
		r.phases = append(r.phases, phase{r.seconds, fmt.Sprintf("%d workers", w.Phases[i].Server.Workers)})
		o, ends := lab.Oracle(&w.Phases[i]), r.seconds+w.Phases[i].Long.Seconds()
		r.best = append(r.best, point{r.seconds, float64(o.Limit)}, point{ends, float64(o.Limit)})
		r.most = append(r.most, point{r.seconds, o.Goodput}, point{ends, o.Goodput})
		r.seconds = ends
	}
	m := s.maker(int(r.best[0].y))
	r.watched.least, r.watched.most = make([]int, int(r.seconds)), make([]int, int(r.seconds))
	r.course = lab.Run(w, scenario.Maker{Name: m.Name, New: func(setup scenario.Setup) limiter.Policy {
		r.watched.Policy = m.New(setup)
		return &r.watched
	}}, stepSeed).Course()
	return r
}

func (s stepPicture) draw(lab *scenario.Lab) []byte {
	r := s.run(lab)
	c := newCanvas(720, 430, s.title+" while a service loses capacity and gets it back",
		fmt.Sprintf("Over %.0f seconds: the limit beside the best fixed limit of each phase; calls that wait at the service; and answers in time beside what the best fixed limit brings.", r.seconds))
	x := scale{0, r.seconds, false}
	calls := c.panel(76, 110, x, scale{1, 1000, true})
	queue := c.panel(222, 80, x, scale{1, 2000, true})
	answers := c.panel(338, 60, x, scale{0, 1200, false})
	calls.frame("calls at once", 1, 10, 100, 1000)
	queue.frame("calls that wait at the service", 1, 10, 100, 1000)
	answers.frame("answers in time, per second", 0, 500, 1000)
	answers.under("s", 0, 30, 60, 90, 120, 150)
	phases(48, r.phases, calls, queue, answers)

	each := meanOf(r.course, 10)
	limit, area, best := key{"line " + s.name, "limit, mean of a second"}, "area "+s.name, key{"dash ink", "the best fixed limit"}
	switch s.name {
	case "unlimited":
		c.legend(22, key{area, fmt.Sprintf("all %.0f callers: there is no limit", r.callers)}, best)
		calls.area(area, []point{{0, r.callers}, {r.seconds, r.callers}})
	case "fixed":
		limit.text = "limit"
		c.legend(22, limit, best)
	default:
		c.legend(22, limit, key{area, "range in that second"}, best)
		calls.band(area, r.watched.least, r.watched.most)
	}
	if s.name != "unlimited" {
		calls.series(limit.class, each(func(m scenario.Moment) float64 { return float64(m.Limit) }))
	}
	queue.area("fill "+s.name, each(func(m scenario.Moment) float64 { return float64(m.Waiting) }))
	answers.area("fill "+s.name, each(func(m scenario.Moment) float64 { return 10 * float64(m.Done) }))
	calls.series(best.class, r.best)
	answers.series(best.class, r.most)
	return c.bytes()
}

// watched keeps the range of a policy's limit in each second. The course of a run,
// which is looked at every 100 ms, misses an experiment that is over sooner.
type watched struct {
	limiter.Policy
	least, most []int
}

func (w *watched) Next(s limiter.State) (int, time.Duration) {
	limit, wait := w.Policy.Next(s)
	if i := int(s.Now / time.Second); i < len(w.least) {
		if w.least[i] == 0 || limit < w.least[i] {
			w.least[i] = limit
		}
		w.most[i] = max(w.most[i], limit)
	}
	return limit, wait
}

// meanOf returns what makes a line of a course: a point for each so many moments, at
// their middle.
func meanOf(course []scenario.Moment, together int) func(func(scenario.Moment) float64) []point {
	return func(value func(scenario.Moment) float64) (line []point) {
		for i := 0; i+together <= len(course); i += together {
			sum := 0.0
			for _, m := range course[i : i+together] {
				sum += value(m)
			}
			at := (course[i].At + course[i+together-1].At).Seconds() / 2
			line = append(line, point{at, math.Round(100*sum/float64(together)) / 100})
		}
		return line
	}
}
