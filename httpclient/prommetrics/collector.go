package prommetrics

import (
	"fmt"
	"iter"
	"math"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/internal/hoststats"
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
	names    *hoststats.Names
	ofHosts  bool // there are breakers, paces and retries
	readings iter.Seq[reading]

	limit, inFlight, queued, admitted, rejected, outcomes, leaked, wait *prometheus.Desc
	breaker, opened, breakerRefused, retries, denied                    *prometheus.Desc
	pace, pacerQueued, pacerRejected, pacerWait                         *prometheus.Desc
}

func newCollector(c Config, ofHosts bool, readings iter.Seq[reading]) *collector {
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("tidegate_"+name, help, append([]string{c.Label}, more...), c.Constant)
	}
	return &collector{
		names: hoststats.NewNames(c.Hosts), ofHosts: ofHosts, readings: readings,

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
		retries:        desc("retries_total", "Attempts after the first."),
		denied:         desc("retries_denied_total", "Retries that the budget did not allow."),

		pace:          desc("pace", "Requests per second that the server's quota allows."),
		pacerQueued:   desc("pacer_queued", "Requests that wait for the server's quota."),
		pacerRejected: desc("pacer_rejected_total", "Requests that did not get through the queue for the server's quota, by reason.", "reason"),
		pacerWait:     desc("pacer_wait_seconds", "How long requests waited that had to wait for the server's quota."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.limit, c.inFlight, c.queued, c.admitted, c.rejected, c.outcomes, c.leaked, c.wait} {
		to <- d
	}
	if c.ofHosts {
		for _, d := range []*prometheus.Desc{c.breaker, c.opened, c.breakerRefused, c.retries, c.denied, c.pace, c.pacerQueued, c.pacerRejected, c.pacerWait} {
			to <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	all := map[string]*sum{} // keys of a Keyed that print alike are one series, too
	for r := range c.readings {
		name := c.names.Of(r.name)
		if all[name] == nil {
			all[name] = new(sum)
		}
		all[name].add(&r)
	}
	for name, s := range all {
		c.send(to, name, s)
	}
}

// A sum is what is told of one limiter, or of several together.
type sum struct {
	httpclient.HostStats
	breakers [3]int // that are in each state
}

func (s *sum) add(r *reading) {
	hoststats.Add(&s.HostStats, &r.HostStats)
	s.breakers[r.Breaker.State]++
}

var breakerNames = [3]string{gobreaker.StateClosed: "closed", gobreaker.StateHalfOpen: "half-open", gobreaker.StateOpen: "open"}

func (c *collector) send(to chan<- prometheus.Metric, name string, s *sum) {
	metric := func(d *prometheus.Desc, t prometheus.ValueType, x float64, more ...string) {
		to <- prometheus.MustNewConstMetric(d, t, x, append([]string{name}, more...)...)
	}
	gauge := func(d *prometheus.Desc, x float64, more ...string) { metric(d, prometheus.GaugeValue, x, more...) }
	count := func(d *prometheus.Desc, n uint64, more ...string) {
		metric(d, prometheus.CounterValue, float64(n), more...)
	}
	summary := func(d *prometheus.Desc, s *limiter.Summary) {
		to <- prometheus.MustNewConstSummary(d, s.Count, s.Total.Seconds(), nil, name)
	}
	l := &s.Limiter
	if l.Limit != math.MaxInt {
		gauge(c.limit, float64(l.Limit))
	}
	gauge(c.inFlight, float64(l.InFlight))
	gauge(c.queued, float64(l.Queued))
	count(c.admitted, l.Admitted)
	for _, x := range hoststats.Rejected(&l.Rejected) {
		count(c.rejected, *x.N, x.Name)
	}
	for _, x := range hoststats.Outcomes(&l.Outcomes) {
		count(c.outcomes, *x.N, x.Name)
	}
	count(c.leaked, l.Leaked)
	summary(c.wait, &l.Waiting)
	if !c.ofHosts {
		return
	}
	for state, label := range breakerNames {
		gauge(c.breaker, float64(s.breakers[state]), label)
	}
	count(c.opened, s.Breaker.Opened)
	count(c.breakerRefused, s.Breaker.Refused)
	count(c.retries, s.Retries)
	count(c.denied, s.RetriesDenied)
	if s.Pace > 0 {
		gauge(c.pace, s.Pace)
	}
	gauge(c.pacerQueued, float64(s.Pacer.Queued))
	for _, x := range hoststats.Rejected(&s.Pacer.Rejected) {
		count(c.pacerRejected, *x.N, x.Name)
	}
	summary(c.pacerWait, &s.Pacer.Waiting)
}
