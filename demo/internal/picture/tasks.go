package picture

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const (
	ganttTasks  = 30
	ganttPlaces = 6
)

// uneven are tasks that have all come and take from 0.1 to 1.9 times 0.3 s.
func uneven() []task {
	random := rand.New(rand.NewPCG(11, 0))
	tasks := make([]task, ganttTasks)
	for i := range tasks {
		tasks[i].long = time.Duration(30+random.IntN(541)) * time.Millisecond
	}
	return tasks
}

// drawBatch draws the same tasks in batches and under a limit of the same width.
func drawBatch() []byte {
	const bar, gap, top = 11.0, 3.0, 30.0
	c := newCanvas(720, 262, "Batches beside a sliding limit",
		fmt.Sprintf("The same %d uneven tasks on %d places. In batches places stand empty until the slowest of a batch has ended; under a limit each is filled as it becomes free.", ganttTasks, ganttPlaces))
	type run struct {
		name, title string
		tasks       []task
		took        time.Duration
	}
	runs := []*run{{name: "batch", title: fmt.Sprintf("Batch(%d)", ganttPlaces)}, {name: "fixed", title: fmt.Sprintf("Fixed(%d)", ganttPlaces)}}
	longest := time.Duration(0)
	for i, p := range []limiter.Policy{limiter.Batch(ganttPlaces), limiter.Fixed(ganttPlaces)} {
		runs[i].tasks = uneven()
		play(p, runs[i].tasks)
		for _, t := range runs[i].tasks {
			runs[i].took = max(runs[i].took, t.ended)
		}
		longest = max(longest, runs[i].took)
	}
	x := scale{0, longest.Seconds(), false}
	for i, r := range runs {
		p := c.panel(top+float64(i)*112, ganttPlaces*(bar+gap)-gap, x, scale{0, 1, false})
		work := time.Duration(0)
		for _, t := range r.tasks {
			work += t.long
		}
		busy := work.Seconds() / (ganttPlaces * r.took.Seconds())
		c.text("bold "+r.name, p.left, p.top-9, r.title)
		c.text("dim", p.left+84, p.top-9, fmt.Sprintf("%.2f s, places busy %.0f %% of the time", r.took.Seconds(), 100*busy))
		free := make([]time.Duration, ganttPlaces)
		for k := range free {
			p.rect("fill soft", p.left, p.top+float64(k)*(bar+gap), p.px(r.took.Seconds())-p.left, bar)
		}
		for _, t := range r.tasks {
			place := slices.IndexFunc(free, func(until time.Duration) bool { return until <= t.started })
			free[place] = t.ended
			from, to := p.px(t.started.Seconds()), p.px(t.ended.Seconds())
			p.rect("fill "+r.name, from, p.top+float64(place)*(bar+gap), to-from-1.5, bar)
		}
		if i == len(runs)-1 {
			var ticks []float64
			for at := 0.0; at <= longest.Seconds(); at += 0.5 {
				ticks = append(ticks, at)
			}
			p.under("s", ticks...)
		}
	}
	return c.bytes()
}

const (
	bucketRate  = 10.0
	bucketBurst = 5
)

// drawRate draws a bucket of tokens: what is asked for, what starts, and what is left.
func drawRate() []byte {
	var tasks []task
	add := func(at time.Duration, n int, every time.Duration) {
		for i := range n {
			tasks = append(tasks, task{comes: at + time.Duration(i)*every, long: 50 * time.Millisecond})
		}
	}
	add(500*time.Millisecond, 15, 0)                    // all at once
	add(2500*time.Millisecond, 8, 200*time.Millisecond) // 5/s: below the rate
	add(4500*time.Millisecond, 25, 50*time.Millisecond) // 20/s: above it
	add(7500*time.Millisecond, 3, 100*time.Millisecond) // after a pause
	const seconds = 8.0
	play(limiter.Rate(bucketRate, bucketBurst), tasks)

	asked, started, tokens := []point{{0, 0}}, []point{{0, 0}}, []point{{0, bucketBurst}}
	level, at := float64(bucketBurst), 0.0
	rise := func(until float64) { // the bucket fills, and then stays full
		full := at + (bucketBurst-level)/bucketRate
		if full < until {
			tokens = append(tokens, point{full, bucketBurst})
		}
		level = math.Min(bucketBurst, level+bucketRate*(until-at))
		at = until
		tokens = append(tokens, point{at, level})
	}
	for i, t := range tasks {
		asked = append(asked, point{t.comes.Seconds(), float64(i + 1)})
		started = append(started, point{t.started.Seconds(), float64(i + 1)})
		rise(t.started.Seconds())
		level--
		tokens = append(tokens, point{at, level})
	}
	rise(seconds)
	all := float64(len(tasks))
	asked, started = append(asked, point{seconds, all}), append(started, point{seconds, all})

	c := newCanvas(720, 318, fmt.Sprintf("Rate(%.0f, %d)", bucketRate, bucketBurst),
		"Above: calls asked for and calls started, counted up. A burst starts at once as far as there are tokens, and the rest at the rate. Below: the tokens in the bucket.")
	x := scale{0, seconds, false}
	calls := c.panel(58, 140, x, scale{0, 60, false})
	bucket := c.panel(232, 60, x, scale{0, bucketBurst, false})
	c.legend(22, key{"dash ink", "calls asked for"}, key{"line rate", "calls started"}, key{"area rate", "tokens"})
	calls.frame("calls, counted up", 0, 20, 40, 60)
	bucket.frame("tokens in the bucket", 0, 5)
	bucket.under("s", 0, 1, 2, 3, 4, 5, 6, 7, 8)
	calls.steps("dash ink", asked)
	calls.steps("line rate", started)
	bucket.area("area rate", tokens)
	bucket.series("thin rate", tokens)
	return c.bytes()
}
