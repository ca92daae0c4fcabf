package scenario

import "time"

const ms = time.Millisecond

// usual is the setting of the study unless a world says otherwise: 20 workers,
// 300 callers, and a client that gives up after a second while the server works
// on.
func usual() Setting {
	return Setting{
		Server:  Server{Workers: 20, Service: Lognormal(20*ms, 0.5)},
		Clients: []Client{{Callers: 300, Timeout: time.Second, Path: 5 * ms}},
	}
}

func serving(d Distribution) Setting {
	return usual().with(func(s *Setting) { s.Server.Service = d })
}

func workers(s Setting, n int) Setting {
	return s.with(func(s *Setting) { s.Server.Workers = n })
}

const (
	warm   = 30 * time.Second // until a change
	minute = time.Minute
	long   = 2 * time.Minute // for worlds in which rules take their time
)

// study returns the worlds of section 5 of the study of published rules.
func study() []*World {
	about := func(name, text string) story { return tell(GroupStudy, name, text) }
	u := usual()
	path55 := u.each(func(_ int, c *Client) { c.Path = 55 * ms })
	four := u.with(func(s *Setting) { s.Server.Service = s.Server.Service.Times(4) })
	mixed := serving(Bimodal(5*ms, 200*ms, 0.1))
	// Not 50 %: the median would lie between fast and slow, where a hair decides.
	mixed55 := serving(Bimodal(5*ms, 200*ms, 0.55))
	idle := u.each(func(_ int, c *Client) { c.Callers, c.Rate, c.MaxWait = 0, 200, 500*ms })
	burst := idle.each(func(_ int, c *Client) { c.Rate = 1500 })
	faulty := u.with(func(s *Setting) { s.Server.Faults, s.Server.FaultAfter = 1./3, ms })
	hasty := u.each(func(_ int, c *Client) { c.GiveUp = 80 * ms })
	others := func(rate float64) Setting {
		return u.with(func(s *Setting) {
			s.Clients = append(s.Clients, Client{Unlimited: true, Rate: rate, Path: 5 * ms, Absent: rate == 0})
		})
	}
	sharing := func(v Server) Setting { return u.with(func(s *Setting) { s.Server = v }) }
	autoscale := about("autoscale", "10 workers become up to 40 while they are busy").
		graded("scaling", long, u.with(func(s *Setting) {
			s.Server.Workers, s.Server.MostWorkers = 10, 40
			s.Server.ScaleEvery, s.Server.ScaleAfter, s.Server.ScaleTo = 5*time.Second, 10*time.Second, 0.7
		}))
	autoscale.Phases[0].Whole = true
	worlds := []story{
		about("steady", "nothing changes").graded("steady", minute, u),
		about("step", "workers 20, 5, 20").
			stage("20", warm, u).graded("5", minute, workers(u, 5)).graded("back", minute, u),
		about("slow", "service times × 4, and back").
			stage("before", warm, u).graded("x4", minute, four).graded("back", minute, u),
		about("netshift", "the path becomes 50 ms longer, and short again").
			stage("5ms", warm, u).graded("55ms", minute, path55).graded("back", minute, u),
		about("bimodal", "90 % take 5 ms, 10 % 200 ms").graded("bimodal", minute, mixed),
		about("mixshift", "the share of slow calls goes from 10 to 55 % and back").
			stage("10%", warm, mixed).graded("55%", minute, mixed55).graded("back", minute, mixed),
		about("lognormal", "service times with a heavy tail").graded("lognormal", minute, serving(Lognormal(20*ms, 1.5))),
		about("pareto", "service times of infinite variance").graded("pareto", minute, serving(Pareto(20*ms, 1.5, 10*time.Second))),
		about("burst", "200 calls/s, then 1500/s, twice; they wait for 0.5 s at most").
			stage("idle", minute, idle).graded("burst", warm, burst).stage("idle2", minute, idle).graded("burst2", warm, burst),
		eight("eight", 25*ms, "8 clients join every 15 s, their clocks off by up to 25 ms"),
		about("fast503", "the server refuses when 20 wait").
			graded("fast503", minute, u.with(func(s *Setting) { s.Server.Places = 20 })),
		about("quota429", "a quota of 500/s, half of what the server could do").
			graded("quota429", minute, u.with(func(s *Setting) { s.Server.Quota, s.Server.Burst = 500, 50 })),
		about("usl", "contention and coherence: the more at once, the slower each, to the point of falling goodput").
			graded("usl", long, sharing(Server{Kind: Sharing, Service: Lognormal(10*ms, 0.5), Sigma: 0.02, Kappa: 0.0005})),
		about("batch", "no knee: a server that gains from every further call, ever less").
			graded("batch", long, sharing(Server{Kind: Sharing, Service: Lognormal(20*ms, 0.5), Sigma: 0.03})),
		about("ps20", "20 cores shared by all calls").
			graded("ps20", minute, sharing(Server{Kind: Sharing, Workers: 20, Service: Lognormal(20*ms, 0.5)})),
		about("gc", "all work stands still for 200 ms every 5 s").
			graded("gc", minute, u.with(func(s *Setting) { s.Server.StallEvery, s.Server.StallFor = 5*time.Second, 200*ms })),
		about("outage", "no workers for 20 s").
			stage("before", warm, u).stage("down", 20*time.Second, workers(u, 0)).graded("back", minute, u),
		about("faults", "a third of the calls fail at once").
			stage("before", warm, u).graded("faulty", minute, faulty),
		about("cancel", "callers give up after 80 ms, the server works on, workers 20, 5, 20").
			stage("20", warm, hasty).graded("5", minute, workers(hasty, 5)).graded("back", minute, hasty),
		about("small", "2 workers × 100 ms").
			graded("small", long, workers(serving(Lognormal(100*ms, 0.5)), 2)),
		about("big", "400 workers × 50 ms").
			graded("big", warm+10*time.Second, workers(serving(Lognormal(50*ms, 0.5)), 400).each(func(_ int, c *Client) { c.Callers = 1000 })),
		about("background", "others take half of the server for a minute").
			stage("alone", warm, others(0)).graded("shared", minute, others(500)).graded("back", minute, others(0)),
		about("llm", "16 workers × 2 s").
			graded("llm", 2*long, workers(serving(Lognormal(2*time.Second, 0.6)), 16).each(func(_ int, c *Client) {
				c.Path, c.Timeout = 50*ms, minute
			})),
		autoscale,
	}
	return unwrap(worlds)
}

// eight is eight clients that join one after the other.
func eight(name string, clocks time.Duration, text string) story {
	w := tell(GroupStudy, name, text)
	all := eightClients(clocks)
	for n := 1; n < len(all.Clients); n++ {
		some := all.each(func(i int, c *Client) { c.Absent = i >= n })
		w = w.stage("join", 15*time.Second, some)
	}
	return w.graded("all8", minute, all)
}

func eightClients(clocks time.Duration) Setting {
	return usual().with(func(s *Setting) {
		s.Server.Workers = 40
		c := s.Clients[0]
		c.Callers = 100
		s.Clients = nil
		for range 8 {
			s.Clients = append(s.Clients, c)
		}
	}).skewed(clocks)
}

func unwrap(stories []story) (worlds []*World) {
	for _, s := range stories {
		worlds = append(worlds, s.World)
	}
	return worlds
}
