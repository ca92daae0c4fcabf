package prommetrics

import (
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// Transport returns a Collector of all hosts of a Transport. It is safe for
// concurrent use, as every Collector of this package. It panics for a Config that
// cannot be obeyed.
func Transport(t *httpclient.Transport, c Config) prometheus.Collector {
	return newCollector(c.complete("host"), true, func(yield func(reading) bool) {
		for _, h := range t.Stats().Hosts {
			if !yield(reading{name: h.Host, HostStats: h}) {
				return
			}
		}
	})
}

// Limiter returns a Collector of one Limiter, which gets the given name.
func Limiter(name string, l *limiter.Limiter, c Config) prometheus.Collector {
	return newCollector(c.complete("limiter"), false, func(yield func(reading) bool) {
		yield(reading{name: name, HostStats: httpclient.HostStats{Limiter: l.Stats()}})
	})
}

// Keyed returns a Collector of the Limiters of a Keyed, named by their keys as
// fmt.Sprint writes them.
func Keyed[K comparable](k *limiter.Keyed[K], c Config) prometheus.Collector {
	return newCollector(c.complete("limiter"), false, func(yield func(reading) bool) {
		for key, l := range k.All() {
			if !yield(reading{name: fmt.Sprint(key), HostStats: httpclient.HostStats{Limiter: l.Stats()}}) {
				return
			}
		}
	})
}

// A reading is how one limiter stands. Of a bare one only the part Limiter is set.
type reading struct {
	name string
	httpclient.HostStats
}

type collector struct {
	names    names
	ofHosts  bool // there are breakers, paces and retries
	readings iter.Seq[reading]

	limit, inFlight, queued, admitted, rejected, outcomes, leaked, wait *prometheus.Desc
	breaker, opened, breakerRefused, pace, retries, denied              *prometheus.Desc
}

func newCollector(c Config, ofHosts bool, readings iter.Seq[reading]) *collector {
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("tidegate_"+name, help, append([]string{c.Label}, more...), c.Constant)
	}
	return &collector{
		names: names{most: c.Hosts}, ofHosts: ofHosts, readings: readings,

		limit:    desc("limit", "How many calls may be in flight at once."),
		inFlight: desc("in_flight", "Calls in flight."),
		queued:   desc("queued", "Calls that wait for a place."),
		admitted: desc("admitted_total", "Calls that got a place."),
		rejected: desc("rejected_total", "Calls that got no place, by reason.", "reason"),
		outcomes: desc("outcomes_total", "Calls that have ended, by what they told about the far side.", "outcome"),
		leaked:   desc("leaked_total", "Places that were lost without a release, and recovered."),
		wait:     desc("wait_seconds", "How long calls waited that had to wait for their place."),

		breaker:        desc("breaker_state", "1 for the state that the circuit breaker is in.", "state"),
		opened:         desc("breaker_opened_total", "How often the circuit breaker has opened."),
		breakerRefused: desc("breaker_refused_total", "Requests that the circuit breaker did not let through."),
		pace:           desc("pace", "Requests per second that the server's quota allows."),
		retries:        desc("retries_total", "Attempts after the first."),
		denied:         desc("retries_denied_total", "Retries that the budget did not allow."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.limit, c.inFlight, c.queued, c.admitted, c.rejected, c.outcomes, c.leaked, c.wait} {
		to <- d
	}
	if c.ofHosts {
		for _, d := range []*prometheus.Desc{c.breaker, c.opened, c.breakerRefused, c.pace, c.retries, c.denied} {
			to <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	all := map[string]*sums{} // keys of a Keyed that print alike are one series, too
	for r := range c.readings {
		name := c.names.of(r.name)
		if all[name] == nil {
			all[name] = new(sums)
		}
		all[name].add(&r)
	}
	for name, s := range all {
		c.send(to, name, s)
	}
}

// sums are what is told of one limiter, or of several together.
type sums struct {
	limit, pace                    float64
	inFlight, queued               int
	admitted, leaked               uint64
	rejected                       limiter.RejectedCounts
	outcomes                       limiter.OutcomeCounts
	waits                          uint64
	waited                         time.Duration
	states                         [3]int // breakers that are in them
	opened, refused, retry, denied uint64
}

func (s *sums) add(r *reading) {
	l := &r.Limiter
	if l.Limit == math.MaxInt {
		s.limit = math.Inf(1)
	}
	s.limit += float64(l.Limit)
	s.pace += r.Pace
	s.inFlight += l.InFlight
	s.queued += l.Queued
	s.admitted += l.Admitted
	s.leaked += l.Leaked
	for i, n := range reasonsOf(&s.rejected) {
		*n += *reasonsOf(&l.Rejected)[i]
	}
	for i, n := range outcomesOf(&s.outcomes) {
		*n += *outcomesOf(&l.Outcomes)[i]
	}
	s.waits += l.Waiting.Count
	s.waited += l.Waiting.Total
	s.states[r.Breaker.State]++
	s.opened += r.Breaker.Opened
	s.refused += r.Breaker.Refused
	s.retry += r.Retries
	s.denied += r.RetriesDenied
}

var (
	reasonNames  = []string{"queue_full", "evicted", "max_wait", "deadline", "gave_up", "busy"}
	outcomeNames = []string{"success", "failed", "refused", "overdue", "cancelled", "ignored"}
	breakerNames = [3]string{gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half-open", gobreaker.StateOpen: "open"}
)

// reasonsOf are the counts of the reasons, in the order of their names.
func reasonsOf(c *limiter.RejectedCounts) [6]*uint64 {
	return [6]*uint64{&c.QueueFull, &c.Evicted, &c.WaitedTooLong, &c.Deadline, &c.GaveUp, &c.Busy}
}

// outcomesOf are the counts of the outcomes, in the order of their names.
func outcomesOf(c *limiter.OutcomeCounts) [6]*uint64 {
	return [6]*uint64{&c.Success, &c.Failed, &c.Refused, &c.Overdue, &c.Cancelled, &c.Ignored}
}

func (c *collector) send(to chan<- prometheus.Metric, name string, s *sums) {
	metric := func(d *prometheus.Desc, t prometheus.ValueType, x float64, more ...string) {
		to <- prometheus.MustNewConstMetric(d, t, x, append([]string{name}, more...)...)
	}
	gauge := func(d *prometheus.Desc, x float64, more ...string) { metric(d, prometheus.GaugeValue, x, more...) }
	count := func(d *prometheus.Desc, n uint64, more ...string) {
		metric(d, prometheus.CounterValue, float64(n), more...)
	}
	if !math.IsInf(s.limit, 1) {
		gauge(c.limit, s.limit)
	}
	gauge(c.inFlight, float64(s.inFlight))
	gauge(c.queued, float64(s.queued))
	count(c.admitted, s.admitted)
	for i, n := range reasonsOf(&s.rejected) {
		count(c.rejected, *n, reasonNames[i])
	}
	for i, n := range outcomesOf(&s.outcomes) {
		count(c.outcomes, *n, outcomeNames[i])
	}
	count(c.leaked, s.leaked)
	to <- prometheus.MustNewConstSummary(c.wait, s.waits, s.waited.Seconds(), nil, name)
	if !c.ofHosts {
		return
	}
	for state, label := range breakerNames {
		gauge(c.breaker, float64(s.states[state]), label)
	}
	count(c.opened, s.opened)
	count(c.breakerRefused, s.refused)
	if s.pace > 0 {
		gauge(c.pace, s.pace)
	}
	count(c.retries, s.retry)
	count(c.denied, s.denied)
}
