package picture

import (
	"fmt"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
	"github.com/tidegate-go/tidegate/limiter"
)

// The service of the picture does 1,000 calls per second, and a tenth of that for a
// while. 300 are asked for.
const (
	slowAsked   = 300
	slowRate    = 400
	slowFixed   = 30
	slowSeconds = 20
)

func slowWorld() *scenario.World {
	s := scenario.Setting{
		Server:  scenario.Server{Workers: 20, Service: scenario.Lognormal(20*time.Millisecond, 0.5)},
		Clients: []scenario.Client{{Rate: slowAsked, Timeout: time.Second, MaxWait: time.Second / 2}},
	}
	w := &scenario.World{Name: "slow"}
	for i, times := range []float64{1, 10, 1} {
		p := scenario.Phase{Name: fmt.Sprint(i), Long: slowSeconds * time.Second, Setting: s, Ungraded: true}
		p.Server.Service = s.Server.Service.Times(times)
		w.Phases = append(w.Phases, p)
	}
	return w
}

// drawAll draws a rate alone and beside a fixed limit while calls get slow.
func drawAll(lab *scenario.Lab) []byte {
	w := slowWorld()
	c := newCanvas(720, 360, "A rate alone, and beside a limit, while calls are slow",
		"While calls take ten times as long, calls pile up at the service under a rate alone, and none is answered in time, nor for some seconds after it has recovered. With a limit beside it the service keeps answering.")
	x := scale{0, 3 * slowSeconds, false}
	waiting := c.panel(76, 120, x, scale{0, 4500, false})
	good := c.panel(232, 102, x, scale{0, 700, false})
	rate, both := fmt.Sprintf("Rate(%d, 10)", slowRate), fmt.Sprintf("All(Rate(%d, 10), Fixed(%d))", slowRate, slowFixed)
	c.legend(22, key{"line rate", rate}, key{"line fixed", both})
	waiting.frame("calls that wait at the service", 0, 2000, 4000)
	good.frame("answers in time, per second", 0, 200, 400, 600)
	good.under("s", 0, 10, 20, 30, 40, 50, 60)
	phases(48, []phase{{0, "calls take 20 ms"}, {slowSeconds, "200 ms"}, {2 * slowSeconds, "20 ms again"}}, waiting, good)
	for _, one := range []struct {
		name string
		make func() limiter.Policy
	}{
		{"rate", func() limiter.Policy { return limiter.Rate(slowRate, 10) }},
		{"fixed", func() limiter.Policy { return limiter.All(limiter.Rate(slowRate, 10), limiter.Fixed(slowFixed)) }},
	} {
		m := scenario.Maker{Name: one.name, New: func(scenario.Setup) limiter.Policy { return one.make() }}
		each := meanOf(lab.Run(w, m, 1).Course(), 10)
		waiting.series("line "+one.name, each(func(m scenario.Moment) float64 { return float64(m.Waiting) }))
		good.series("line "+one.name, each(func(m scenario.Moment) float64 { return 10 * float64(m.Done) }))
	}
	return c.bytes()
}
