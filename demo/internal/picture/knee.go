package picture

import (
	"fmt"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

// The service of the picture is the harness's own: 8 workers × 10 ms, and callers who
// give up after a second.
const (
	kneeWorkers = 8
	kneeService = 10 * time.Millisecond
	kneeTimeout = time.Second
)

var kneeLimits = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 24, 32, 48, 64, 128, 256, 512, 640, 720, 760, 800, 840, 900, 1024, 1400, 2048}

func kneeWorld() *scenario.World {
	s := scenario.Setting{
		Server:  scenario.Server{Workers: kneeWorkers, Service: scenario.Lognormal(kneeService, 0.5)},
		Clients: []scenario.Client{{Callers: 4096, Timeout: kneeTimeout}},
	}
	settle := scenario.Phase{Name: "settle", Long: 20 * time.Second, Setting: s, Ungraded: true}
	look := settle
	look.Name, look.Long = "look", 30*time.Second
	return &scenario.World{Name: "knee", Phases: []scenario.Phase{settle, look}}
}

func drawKnee(lab *scenario.Lab) []byte {
	w := kneeWorld()
	best := lab.Oracle(&w.Phases[1])
	var goodput, p50, p99 []point
	for _, n := range kneeLimits {
		r := lab.Run(w, mustMaker(fmt.Sprintf("fixed-%d", n)), 1).Phases[1]
		goodput = append(goodput, point{float64(n), r.Goodput})
		if r.Counts.Succeeded > 0 {
			p50 = append(p50, point{float64(n), 1000 * r.P50.Seconds()})
			p99 = append(p99, point{float64(n), 1000 * r.P99.Seconds()})
		}
	}
	capacity := kneeWorkers / kneeService.Seconds()
	law := capacity * kneeTimeout.Seconds()

	c := newCanvas(720, 412, "What more calls at once bring",
		fmt.Sprintf("A service of %d workers and %v a call. Goodput rises with the limit up to about %d, stays, and collapses beyond %.0f, where calls run into the time-out. Latency is flat up to the knee and then grows with the limit.",
			kneeWorkers, kneeService, best.Limit, law))
	x := scale{1, 2048, true}
	up := c.panel(76, 110, x, scale{0, 900, false})
	low := c.panel(222, 140, x, scale{5, 1200, true})
	up.frame("answers in time, per second", 0, 400, 800)
	low.frame("latency of a call, ms", 10, 100, 1000)
	low.under("", 1, 2, 4, 8, 16, 32, 64, 128, 256, law)
	c.text("small middle dim", low.left+low.wide/2, low.top+low.tall+36, "limit, in calls at once")
	c.legend(22, key{"line fixed", "answers in time"}, key{"line adaptive", "median latency"}, key{"dash adaptive", "99 of 100 are faster"})
	phases(48, []phase{{1, "workers idle"}, {float64(best.Limit), "enough: more only makes calls wait"}, {law, "time-outs"}}, up, low)
	up.series("line fixed", goodput)
	low.series("dash adaptive", p99)
	low.series("line adaptive", p50)
	return c.bytes()
}
