package picture

import (
	"fmt"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

// drawClients draws the limits of clients who come to one service one after the
// other, each with an Adaptive of its own.
func drawClients(lab *scenario.Lab) []byte {
	w := mustWorld("eight")
	course := lab.Run(w, mustMaker("adaptive"), 1).Course()
	var best []point
	seconds := 0.0
	for i := range w.Phases {
		limit := float64(lab.Oracle(&w.Phases[i]).Limit)
		best = append(best, point{seconds, limit})
		seconds += w.Phases[i].Long.Seconds()
		best = append(best, point{seconds, limit})
	}
	c := newCanvas(720, 360, "Eight clients of one service, each with an Adaptive of its own",
		"The limits of eight clients on top of each other while they join, one every 15 seconds, beside the best limit of all together; and the calls that wait at the service.")
	x := scale{0, seconds, false}
	limits := c.panel(76, 160, x, scale{0, 120, false})
	queue := c.panel(270, 64, x, scale{0, 60, false})
	c.legend(22, key{"area adaptive", "the limits of the clients, on top of each other"}, key{"dash ink", "the best limit for all together"})
	limits.frame("calls at once", 0, 40, 80, 120)
	queue.frame("calls that wait at the service", 0, 30, 60)
	queue.under("s", 0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165)
	each := meanOf(course, 15)
	clients := len(w.Phases[0].Clients)
	for n := clients; n > 0; n-- {
		sum := each(func(m scenario.Moment) float64 {
			total := 0
			for _, l := range m.Limits[:n] {
				total += l
			}
			return float64(total)
		})
		if n == clients {
			limits.area("area adaptive", sum)
		}
		limits.series("thin adaptive", sum)
	}
	for i := 1; i <= clients; i++ { // the last phase is longer
		text := fmt.Sprint(i)
		if i == 1 {
			text += " client"
		}
		c.text("small middle ink", limits.px(float64(15*i)-7.5), 48, text)
	}
	limits.series("dash ink", best)
	queue.area("fill adaptive", each(func(m scenario.Moment) float64 { return float64(m.Waiting) }))
	return c.bytes()
}
