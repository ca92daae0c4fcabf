package picture

import (
	"fmt"
	"math"

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
	var best []point
	seconds := 0.0
	for i := range w.Phases {
		limit := float64(lab.Oracle(&w.Phases[i]).Limit)
		best = append(best, point{seconds, limit})
		seconds += w.Phases[i].Long.Seconds()
		best = append(best, point{seconds, limit})
	}
	m := s.maker(int(best[0].y))
	course := lab.Run(w, m, stepSeed).Course()

	c := newCanvas(720, 336, s.title+" while a service loses capacity and gets it back",
		fmt.Sprintf("Above, over %.0f seconds: the limit, the calls in flight, and the best fixed limit of each phase. Below: calls that wait at the service.", seconds))
	x := scale{0, seconds, false}
	calls := c.panel(76, 130, x, scale{1, 1000, true})
	queue := c.panel(240, 70, x, scale{0, 300, false})
	keys := []key{{"area " + s.name, "calls in flight"}, {"dash ink", "the best fixed limit"}}
	if s.name != "unlimited" {
		keys = append([]key{{"line " + s.name, "limit"}}, keys...)
	}
	c.legend(22, keys...)
	calls.frame("calls at once", 1, 10, 100, 1000)
	queue.frame("calls that wait at the service", 0, 150, 300)
	queue.under("s", 0, 30, 60, 90, 120, 150)
	from := 0.0
	for i := range w.Phases {
		to := from + w.Phases[i].Long.Seconds()
		c.text("small middle ink", calls.px((from+to)/2), 48, fmt.Sprintf("%d workers", w.Phases[i].Server.Workers))
		if i > 0 {
			calls.upright("thin dim", from)
			queue.upright("thin dim", from)
		}
		from = to
	}
	each := meanOf(course, 10)
	calls.area("area "+s.name, each(func(m scenario.Moment) float64 { return float64(m.InFlight) }))
	queue.area("fill "+s.name, each(func(m scenario.Moment) float64 { return float64(m.Waiting) }))
	calls.series("dash ink", best)
	if s.name != "unlimited" {
		calls.series("line "+s.name, each(func(m scenario.Moment) float64 { return float64(m.Limit) }))
	}
	return c.bytes()
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
