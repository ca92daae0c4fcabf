package scenario

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// The groups of drawn worlds.
const (
	GroupRandom = "random"
	GroupShared = "shared"
)

// Random draws a world with one client: 2 to 300 workers, a mean service time of
// 2 to 300 ms of one of four distributions, a path of 0.5 to 50 ms, callers
// enough to need a limit, and halfway a change of the workers, of the service
// times or of the path by up to four times. World i of a seed stays the same
// however many are drawn.
func Random(seed uint64, i int) *World {
	r := rand.New(rand.NewPCG(seed, uint64(i)))
	workers := math.Round(between(r, 2, 300))
	service := between(r, 0.002, 0.3)
	path := between(r, 0.0005, 0.05)
	shaped := drawShape(r)
	draw := func() Setting {
		return Setting{
			Server:  Server{Workers: int(workers), Service: shaped(time.Duration(service * 1e9))},
			Clients: []Client{{Path: time.Duration(path * 1e9)}},
		}
	}
	before := draw()
	factor := between(r, 0.25, 4)
	change := ""
	switch r.IntN(3) {
	case 0:
		changed := math.Max(1, math.Round(workers*factor))
		if changed == workers { // a change too small for a small number
			changed++
		}
		workers = changed
		change = fmt.Sprintf("then %.0f workers", workers)
	case 1:
		service *= factor
		change = fmt.Sprintf("then service × %.2f", factor)
	case 2:
		path = path*factor + 0.01
		change = fmt.Sprintf("then a path of %v", round(path*1e9))
	}
	after := draw()
	w := tell(GroupRandom, fmt.Sprintf("random-%d-%d", seed, i), fmt.Sprintf("%d × %v, path %v, %s",
		before.Server.Workers, before.Server.Service, round(float64(before.Clients[0].Path)), change))
	// The same callers with the same patience in both phases.
	callers, patience := 0, time.Second
	for _, s := range []Setting{before, after} {
		alone := s.Server.Service.Mean() + s.Clients[0].Path
		callers = max(callers, 20+int(3*inFlight(&s.Server, s.Clients[0].Path)))
		patience = max(patience, 20*alone)
	}
	for i, s := range []Setting{before, after} {
		s = s.each(func(_ int, c *Client) { c.Callers, c.Timeout = min(callers, 2*mostLimit), patience })
		w = w.graded([]string{"before", "after"}[i], phaseLong(&s.Server), s)
	}
	return w.World
}

// Shared draws a world of 2 to 10 clients of one server: each with its own
// number of callers, its own path of 0.5 to 50 ms, and a clock that is off by up
// to 100 ms. They come one by one in the first 10 s.
func Shared(seed uint64, i int) *World {
	r := rand.New(rand.NewPCG(seed, 1<<32+uint64(i)))
	n := 2 + r.IntN(9)
	v := Server{
		Workers: int(math.Round(between(r, math.Max(3, float64(n)), 300))),
		Service: drawShape(r)(time.Duration(between(r, 0.002, 0.3) * 1e9)),
	}
	all := Setting{Server: v}
	paths := make([]float64, n)
	mean := 0.0
	for k := range n {
		paths[k] = between(r, 0.0005, 0.05)
		mean += paths[k] / float64(n)
	}
	need := 3 * inFlight(&v, time.Duration(mean*1e9)) / float64(n)
	coming := make([]time.Duration, n)
	for k := range n {
		all.Clients = append(all.Clients, Client{
			Callers:    10 + int(need*between(r, 0.5, 2)),
			Path:       time.Duration(paths[k] * 1e9),
			Timeout:    max(time.Second, 20*(v.Service.Mean()+time.Duration(paths[k]*1e9))),
			ClockError: time.Duration((2*r.Float64() - 1) * float64(100*ms)),
		})
		if k > 0 {
			coming[k] = time.Duration(r.IntN(10)) * time.Second
		}
	}
	w := tell(GroupShared, fmt.Sprintf("shared-%d-%d", seed, i), fmt.Sprintf("%d clients of %d × %v", n, v.Workers, v.Service))
	for at := range 10 {
		now := all.each(func(k int, c *Client) { c.Absent = coming[k] > time.Duration(at)*time.Second })
		w = w.stage("join", time.Second, now)
	}
	return w.graded("all", phaseLong(&v)+minute/2, all).World
}

// between draws a number whose logarithm is uniform.
func between(r *rand.Rand, low, high float64) float64 { return low * math.Pow(high/low, r.Float64()) }

// drawShape draws one of four distributions.
func drawShape(r *rand.Rand) func(mean time.Duration) Distribution {
	switch r.IntN(4) {
	case 0:
		return Constant
	case 1:
		return Exponential
	case 2:
		return func(mean time.Duration) Distribution { return Lognormal(mean, 1) }
	}
	return func(mean time.Duration) Distribution { // 90 % take 1 part, 10 % 10 parts of 1.9
		return Bimodal(time.Duration(float64(mean)/1.9), time.Duration(float64(mean)*10/1.9), 0.1)
	}
}

// inFlight is how many calls keep all workers of v busy over a path.
func inFlight(v *Server, path time.Duration) float64 {
	return float64(v.Workers) * (1 + float64(path)/float64(v.Service.Mean()))
}

// phaseLong is long enough for a thousand answers.
func phaseLong(v *Server) time.Duration {
	long := time.Duration(1000 / float64(v.Workers) * float64(v.Service.Mean()))
	return max(minute, long.Truncate(time.Second))
}
