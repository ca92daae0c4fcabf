package scenario

import "time"

// pathologies returns worlds for failures that users of published rules have
// reported and that the other groups do not show.
func pathologies() []*World {
	about := func(name, text string) story { return tell(GroupPathologies, name, text) }
	u := usual()
	halfHour := func(name string, d Distribution) story {
		s := serving(d)
		return about("drift-"+name, "half an hour saturated: the limit must not drift").
			stage("30s", 30*time.Second, s).stage("5min", 270*time.Second, s).
			stage("15min", 600*time.Second, s).graded("29min", 840*time.Second, s)
	}
	beside := func(policy string) story {
		s := eightClients(25 * ms).with(func(s *Setting) {
			for i := 4; i < 8; i++ {
				s.Clients[i].Policy = policy
			}
		})
		return about("beside-"+policy, "4 clients beside 4 under "+policy+": what they get of it").
			stage("start", warm, s).stage("beside", minute, s)
	}
	step := eightClients(25 * ms)
	stepped := step.with(func(s *Setting) { s.Clients[0].ClockError += 5 * time.Second })
	refusing := u.with(func(s *Setting) { s.Server.Faults, s.Server.FaultsRefuse = 1, true })
	failing := u.with(func(s *Setting) { s.Server.Faults, s.Server.FaultAfter = 1, ms })
	asking := u.with(func(s *Setting) { s.Server.Places, s.Server.RetryAfter = 20, time.Second })
	once := u.with(func(s *Setting) {
		s.Server.Faults, s.Server.FaultsRefuse, s.Server.RetryAfter = 0.01, true, 10*time.Second
	})
	refused := func(share float64) Setting {
		return u.with(func(s *Setting) { s.Server.Faults, s.Server.FaultsRefuse = share, true })
	}
	trickle := u.each(func(_ int, c *Client) { c.Callers, c.Rate = 0, 1 })
	skew100 := eight("skew100", 100*ms, "as eight, with clocks off by up to 100 ms")
	skew1000 := eight("skew1000", time.Second, "as eight, with clocks off by up to 1 s")
	skew100.Group, skew1000.Group = GroupPathologies, GroupPathologies
	return unwrap([]story{
		halfHour("steady", Lognormal(20*ms, 0.5)),
		halfHour("bimodal", Bimodal(5*ms, 200*ms, 0.1)),
		halfHour("lognormal", Lognormal(20*ms, 1.5)),
		about("blackhole", "nothing is answered for 3 minutes: every call has the same latency, the timeout").
			stage("before", warm, u).stage("hole", 3*minute, workers(u, 0)).graded("back", minute, u),
		about("selflock", "everything is refused for 10 minutes, then heals").
			stage("before", warm, u).stage("refusing", 10*minute, refusing).graded("healed", minute, u),
		about("fastfail", "everything fails within 1 ms for 2 minutes, then heals").
			stage("before", warm, u).stage("failing", 2*minute, failing).graded("healed", minute, u),
		about("trickle", "1 call/s for 2 minutes, then 300 callers").
			stage("1/s", 2*minute, trickle).graded("load", minute, u),
		about("rush", "1500 callers at once, from birth").
			graded("first5s", 5*time.Second, u.each(func(_ int, c *Client) { c.Callers, c.Timeout = 1500, 10*time.Second })),
		about("maxstreams", "a connection of 10 streams: beyond them calls wait, unseen").
			graded("maxstreams", minute, workers(serving(Constant(25*ms)), 10).each(func(_ int, c *Client) { c.Path = 0 })),
		about("longstreams", "1 of 5000 answers keeps its place for a minute").
			stage("filling", minute, longStreams(u)).graded("longstreams", long, longStreams(u)),
		about("impatient", "callers stand it for 0.3 s in all, and then go, waiting or not").
			graded("impatient", minute, u.each(func(_ int, c *Client) { c.Patience = Exponential(300 * ms) })),
		about("jitter", "ways that take 0 to 20 ms longer").
			graded("jitter", minute, u.each(func(_ int, c *Client) { c.Jitter = Uniform(10*ms, 1) })),
		about("gather", "2 workers that take up to 32 calls at once, 20 ms and 1 ms for each").
			graded("gather", long, u.with(func(s *Setting) {
				s.Server = Server{Kind: Batching, Workers: 2, Service: Constant(20 * ms), Batch: 32, PerCall: ms}
			})),
		about("waves", "service times without any spread").
			graded("waves", minute, serving(Constant(20*ms))),
		about("retry503", "workers 20, 5, 20, beyond 20 that wait 503 and a Retry-After of a second").
			stage("20", warm, asking).graded("5", minute, workers(asking, 5)).graded("back", minute, asking),
		about("retry429", "a quota of 500/s, and a Retry-After of a second with each refusal").
			graded("retry429", long, u.with(func(s *Setting) {
				s.Server.Quota, s.Server.Burst, s.Server.RetryAfter = 500, 50, time.Second
			})),
		about("retry10s", "for a second 1 call of 100 is refused, with a Retry-After of 10 s; all others succeed").
			stage("before", warm, u).stage("some", time.Second, once).graded("after", minute, u),
		about("refused1", "1 call of 100 is refused at once, whatever the limit").
			stage("learning", long, refused(0.01)).graded("refused1", minute, refused(0.01)),
		about("refused5", "1 call of 20 is refused at once, whatever the limit").
			stage("learning", long, refused(0.05)).graded("refused5", minute, refused(0.05)),
		skew100,
		skew1000,
		about("clockstep", "the clock of 1 of 8 clients jumps by 5 s").
			stage("start", minute, step).graded("stepped", minute, stepped),
		beside("aimd"),
		beside("fixed-200"),
	})
}

func longStreams(s Setting) Setting {
	return s.each(func(_ int, c *Client) { c.Body, c.BodyShare = Constant(minute), 1./5000 })
}
