package scenario

import (
	"math"
	"time"
)

// A Result is one world under one policy with one seed, graded.
type Result struct {
	World  string        `json:"world"`
	Group  string        `json:"group"`
	Policy string        `json:"policy"`
	Seed   uint64        `json:"seed"`
	Events uint64        `json:"events"`
	Phases []PhaseResult `json:"phases"`
}

// A PhaseResult is what has been seen in one phase, beside the oracle.
type PhaseResult struct {
	Name    string        `json:"name"`
	Graded  bool          `json:"graded"`
	Long    time.Duration `json:"long"`
	Counts  Counts        `json:"counts"`
	Goodput float64       `json:"goodput"` // successes per second
	Mean    time.Duration `json:"mean"`
	P50     time.Duration `json:"p50"`
	P99     time.Duration `json:"p99"`
	Longest time.Duration `json:"longest"`
	Limit   Limits        `json:"limit"`
	Clients []int         `json:"clients,omitempty"` // successes of each, if there are several

	// InFlight is the mean number of calls in flight. By Little's law it is
	// the rate of all calls times their mean time.
	InFlight float64 `json:"in_flight"`

	// Beside the oracle's limit under the same chance; only of graded phases.
	Oracle  *Oracle `json:"oracle,omitempty"`
	Share   float64 `json:"share"`             // of its goodput
	P50x    float64 `json:"p50_x,omitempty"`   // times its p50
	P99x    float64 `json:"p99_x,omitempty"`   // times its p99
	Lowest  float64 `json:"lowest,omitempty"`  // share of its goodput in the worst second after convergence
	Lost    float64 `json:"lost"`              // share of calls that ended without a success
	Beyond  float64 `json:"lost_beyond"`       // by how much that is more than the oracle's
	Jain    float64 `json:"jain,omitempty"`    // of goodput relative to fair shares; 1 is fair
	Settled float64 `json:"settled,omitempty"` // seconds until the phase converged, if it did

	Converged bool `json:"converged"`

	// Beside clients under other policies: what one under test got, in units
	// of what one of all would if all got the same.
	Beside float64 `json:"beside,omitempty"`

	bins []bin
}

// Limits are how the limit of all clients together went, seen every 100 ms.
type Limits struct {
	Mean float64 `json:"mean"`
	Low  int     `json:"low"` // in the second half of the phase
	High int     `json:"high"`
	End  int     `json:"end"`
}

// result reads what a simulation has seen.
func (m *simulation) result() []PhaseResult {
	var all []PhaseResult
	for i := range m.world.Phases {
		p, s := &m.world.Phases[i], &m.seen.phases[i]
		r := PhaseResult{
			Name: p.Name, Graded: !p.Ungraded, Long: s.long, Counts: s.counts, Goodput: s.goodput(),
			Mean: s.mean(), P50: s.quantile(50), P99: s.quantile(99), Longest: s.longest,
			InFlight: s.inFlight / s.long.Seconds(), Limit: s.limits(), bins: s.bins,
			Lost: float64(s.counts.Lost()) / math.Max(1, float64(s.counts.Ended())),
		}
		if len(s.clients) > 1 {
			r.Clients = s.clients
			r.Beside = beside(p.Clients, s.clients)
		}
		all = append(all, r)
	}
	return all
}

// beside is what clients under test got beside those under other policies.
func beside(clients []Client, got []int) float64 {
	ours, all, tested, limited := 0, 0, 0, 0
	for i := range clients {
		c := &clients[i]
		if c.Absent || c.Unlimited {
			continue
		}
		all, limited = all+got[i], limited+1
		if c.counted() {
			ours, tested = ours+got[i], tested+1
		}
	}
	if tested == limited || all == 0 {
		return 0
	}
	return float64(ours) / float64(tested) / (float64(all) / float64(limited))
}

func (s *seen) limits() (l Limits) {
	if len(s.bins) == 0 {
		return l
	}
	for i, b := range s.bins {
		l.Mean += float64(b.limit) / float64(len(s.bins))
		if i == len(s.bins)/2 {
			l.Low, l.High = b.limit, b.limit
		}
		l.Low, l.High = min(l.Low, b.limit), max(l.High, b.limit)
	}
	l.End = s.bins[len(s.bins)-1].limit
	return l
}

// grade compares a phase with its oracle, and with what the oracle's limit
// achieves under the same chance.
func (r *PhaseResult) grade(s *seen, o Oracle, same *PhaseResult) {
	r.Oracle = &o
	r.Share = r.Goodput / math.Max(same.Goodput, 1e-9)
	if r.Counts.Succeeded > 0 {
		r.P50x, r.P99x = ratio(r.P50, same.P50), ratio(r.P99, same.P99)
	}
	r.Beyond = math.Max(0, r.Lost-same.Lost)
	r.Settled, r.Lowest, r.Converged = s.convergence(o)
	r.Jain = jain(s.clients, o.Fair)
}

func ratio(a, b time.Duration) float64 { return float64(a) / math.Max(1, float64(b)) }

// What counts as converged, after the study behind the policies: for three
// seconds, windows of a second have at least 90 % of the oracle's goodput and at
// most 1.5 times its mean latency. Where the oracle itself has fewer than 25
// answers in a second, the windows are long enough for that many, since chance
// would fail it too.
const (
	convergedGoodput = 0.9
	convergedLatency = 1.5
	windows          = 3
	leastInWindow    = 25
)

// convergence returns how many seconds it took until the phase converged, if it
// did, and the worst window from then on as a share of the oracle's goodput.
func (s *seen) convergence(o Oracle) (seconds, lowest float64, ok bool) {
	per := max(1, int(math.Ceil(math.Max(1, leastInWindow/math.Max(o.Goodput, 1e-3))/binLong.Seconds())))
	// Sums up to each bin, so that a window is a difference.
	done, latency := make([]float64, len(s.bins)+1), make([]float64, len(s.bins)+1)
	for i, b := range s.bins {
		done[i+1] = done[i] + float64(b.done)
		latency[i+1] = latency[i] + float64(b.latency)
	}
	share := func(i int) float64 {
		return (done[i+per] - done[i]) / (o.Goodput * float64(per) * binLong.Seconds())
	}
	good := func(i int) bool {
		n := done[i+per] - done[i]
		return share(i) >= convergedGoodput && latency[i+per]-latency[i] <= convergedLatency*float64(o.Mean)*n
	}
	for i := 0; i+windows*per <= len(s.bins) && !ok; i++ {
		ok = true
		for k := range windows {
			ok = ok && good(i+k*per)
		}
		if ok {
			seconds = float64(i) * binLong.Seconds()
			lowest = math.Inf(1)
			for j := i; j+per <= len(s.bins); j++ {
				lowest = math.Min(lowest, share(j))
			}
		}
	}
	return seconds, lowest, ok
}

// jain is Jain's fairness index of what each client got in units of its fair
// share: 1 if all are equal, 1/n if one has it all. Clients without a fair
// share are not there; of fewer than two there is no index and it is 0.
func jain(got []int, fair []float64) float64 {
	n, sum, squares := 0.0, 0.0, 0.0
	for i, g := range got {
		if fair[i] > 0 {
			x := float64(g) / fair[i]
			n, sum, squares = n+1, sum+x, squares+x*x
		}
	}
	if n < 2 || squares == 0 {
		return 0
	}
	return sum * sum / (n * squares)
}
