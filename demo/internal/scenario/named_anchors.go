package scenario

import "time"

// anchors returns the worlds with which the strongest Go rival was measured: 400
// callers, exponential service of 10 ms, no path and no timeouts unless said.
func anchors() []*World {
	about := func(name, text string) story { return tell(GroupAnchors, name, text) }
	k := func(n int) Setting {
		return Setting{
			Server:  Server{Workers: n, Service: Exponential(10 * ms)},
			Clients: []Client{{Callers: 400}},
		}
	}
	impatient := func(n int) Setting {
		return k(n).each(func(_ int, c *Client) { c.Timeout = time.Second })
	}
	ten := k(20).with(func(s *Setting) {
		s.Clients = nil
		for range 10 {
			s.Clients = append(s.Clients, Client{Callers: 40})
		}
	}).skewed(25 * ms)
	cold := about("cold", "the first limit is 20 times what the server can do").graded("cold", minute, k(20))
	cold.Initial = 400
	return unwrap([]story{
		about("k20", "20 workers").stage("start", 10*time.Second, k(20)).graded("k20", minute, k(20)),
		about("k20to5", "workers 20 to 5").stage("20", warm, k(20)).graded("5", minute, k(5)),
		about("k5to20", "workers 5 to 20").stage("5", warm, k(5)).graded("20", minute, k(20)),
		cold,
		about("k20to200", "workers 20 to 200").stage("20", warm, k(20)).graded("200", minute, k(200)),
		about("ten", "10 clients of 40 callers each, their clocks off by up to 25 ms").
			stage("start", warm, ten).graded("ten", minute, ten),
		about("k1", "1 worker").stage("start", 10*time.Second, k(1)).graded("k1", long, k(1)),
		about("timeouts", "workers 20 to 1, timeouts after 1 s").
			stage("20", warm, impatient(20)).graded("1", minute, impatient(1)),
		about("refuse429", "the server refuses when 5 wait").
			graded("refuse429", minute, k(20).with(func(s *Setting) { s.Server.Places = 5 })),
		about("bimodal9010", "90 % take 5 ms, 10 % take 55 ms").
			graded("bimodal9010", minute, k(20).with(func(s *Setting) { s.Server.Service = Bimodal(5*ms, 55*ms, 0.1) })),
	})
}
