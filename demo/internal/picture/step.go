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

func (s stepPicture) draw(lab *scenario.Lab) []byte {
	w := mustWorld("step")
	var best, most []point // the limit, and the answers that it brings
	var all []phase
	seconds := 0.0
	for i := range w.Phases {
		all = append(all, phase{seconds, fmt.Sprintf("%d workers", w.Phases[i].Server.Workers)})
		o := lab.Oracle(&w.Phases[i])
		for _, at := range []float64{seconds, seconds + w.Phases[i].Long.Seconds()} {
			best, most = append(best, point{at, float64(o.Limit)}), append(most, point{at, o.Goodput})
		}
		seconds += w.Phases[i].Long.Seconds()
	}
	m := s.maker(int(best[0].y))
	policy := &watched{least: make([]int, int(seconds)), most: make([]int, int(seconds))}
	course := lab.Run(w, scenario.Maker{Name: m.Name, New: func(setup scenario.Setup) limiter.Policy {
		policy.Policy = m.New(setup)
		return policy
	}}, stepSeed).Course()

	c := newCanvas(720, 430, s.title+" while a service loses capacity and gets it back",
		fmt.Sprintf("Over %.0f seconds: the limit beside the best fixed limit of each phase; calls that wait at the service; and answers in time beside what the best fixed limit brings.", seconds))
	x := scale{0, seconds, false}
	calls := c.panel(76, 110, x, scale{1, 1000, true})
	queue := c.panel(222, 80, x, scale{1, 2000, true})
	answers := c.panel(338, 60, x, scale{0, 1200, false})
	calls.frame("calls at once", 1, 10, 100, 1000)
	queue.frame("calls that wait at the service", 1, 10, 100, 1000)
	answers.frame("answers in time, per second", 0, 500, 1000)
	answers.under("s", 0, 30, 60, 90, 120, 150)
	phases(48, all, calls, queue, answers)
	each := meanOf(course, 10)
	keys := []key{{"line " + s.name, "limit, mean of a second"}, {"area " + s.name, "range in that second"}, {"dash ink", "the best fixed limit"}}
	limit := each(func(m scenario.Moment) float64 { return float64(m.Limit) })
	switch s.name {
	case "unlimited":
		callers := float64(w.Phases[0].Clients[0].Callers)
		keys = []key{{"area unlimited", fmt.Sprintf("all %.0f callers: there is no limit", callers)}, keys[2]}
		calls.area("area unlimited", []point{{0, callers}, {seconds, callers}})
	case "fixed":
		keys = []key{{"line fixed", "limit"}, keys[2]}
		calls.series("line fixed", limit)
	default:
		calls.band("area "+s.name, policy.least, policy.most)
		calls.series("line "+s.name, limit)
	}
	c.legend(22, keys...)
	queue.area("fill "+s.name, each(func(m scenario.Moment) float64 { return float64(m.Waiting) }))
	answers.area("fill "+s.name, each(func(m scenario.Moment) float64 { return 10 * float64(m.Done) }))
	calls.series("dash ink", best)
	answers.series("dash ink", most)
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
