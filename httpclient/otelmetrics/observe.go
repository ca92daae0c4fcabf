package otelmetrics

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/internal/hoststats"
)

// Observe makes instruments that tell how t stands whenever they are read, until
// the Registration is undone. What it counts, it counts since t was made; a host
// that t forgets and meets again begins anew.
func Observe(t *httpclient.Transport, c Config) (metric.Registration, error) {
	meter, hosts, err := c.meter()
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errNoTransport
	}
	o := &observer{transport: t, hosts: hosts, more: c.Attributes}
	all, err := o.instruments(meter)
	if err != nil {
		return nil, err
	}
	return meter.RegisterCallback(o.observe, all...)
}

type observer struct {
	transport *httpclient.Transport
	hosts     hosts
	more      []attribute.KeyValue

	limit, state                                metric.Int64ObservableGauge
	inFlight, queued                            metric.Int64ObservableUpDownCounter
	pace                                        metric.Float64ObservableGauge
	admitted, rejected, outcomes, leaked, waits metric.Int64ObservableCounter
	opened, refused, retries, denied            metric.Int64ObservableCounter
	waited                                      metric.Float64ObservableCounter

	pacerQueued               metric.Int64ObservableUpDownCounter
	pacerRejected, pacerWaits metric.Int64ObservableCounter
	pacerWaited               metric.Float64ObservableCounter
}

// instruments makes them all.
func (o *observer) instruments(m metric.Meter) (all []metric.Observable, err error) {
	var errs []error
	keep := func(i metric.Observable, err error) {
		all, errs = append(all, i), append(errs, err)
	}
	counter := func(name, unit, about string) metric.Int64ObservableCounter {
		i, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(about))
		keep(i, err)
		return i
	}
	gauge := func(name, unit, about string) metric.Int64ObservableGauge {
		i, err := m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
		keep(i, err)
		return i
	}
	level := func(name, about string) metric.Int64ObservableUpDownCounter {
		i, err := m.Int64ObservableUpDownCounter(name, metric.WithUnit("{request}"), metric.WithDescription(about))
		keep(i, err)
		return i
	}
	seconds := func(name, about string) metric.Float64ObservableCounter {
		i, err := m.Float64ObservableCounter(name, metric.WithUnit("s"), metric.WithDescription(about))
		keep(i, err)
		return i
	}
	o.limit = gauge("tidegate.client.limit", "{request}", "How many requests may be on their way at once.")
	o.state = gauge("tidegate.client.breaker.state", "1", "1 for the state that the circuit breaker is in.")
	o.inFlight = level("tidegate.client.in_flight", "Requests that hold a place.")
	o.queued = level("tidegate.client.queued", "Requests that wait for a place.")
	o.admitted = counter("tidegate.client.admitted", "{request}", "Requests that got a place.")
	o.rejected = counter("tidegate.client.rejected", "{request}", "Requests that got no place.")
	o.outcomes = counter("tidegate.client.outcomes", "{request}", "Requests that have ended, by what they told about the host.")
	o.leaked = counter("tidegate.client.leaked", "{request}", "Places that were lost without a release, and recovered.")
	o.waits = counter("tidegate.client.waits", "{request}", "Admitted requests that had to wait.")
	o.opened = counter("tidegate.client.breaker.opened", "{time}", "How often the circuit breaker has opened.")
	o.refused = counter("tidegate.client.breaker.refused", "{request}", "Requests that the circuit breaker did not let through.")
	o.retries = counter("tidegate.client.retries", "{attempt}", "Attempts after the first.")
	o.denied = counter("tidegate.client.retries.denied", "{attempt}", "Retries that the budget did not allow.")
	o.waited = seconds("tidegate.client.wait.time", "How long admitted requests have waited, all together.")
	o.pace, err = m.Float64ObservableGauge("tidegate.client.pace", metric.WithUnit("{request}/s"),
		metric.WithDescription("Requests per second that the host's quota allows."))
	keep(o.pace, err)
	o.pacerQueued = level("tidegate.client.pacer.queued", "Requests that wait for the host's quota.")
	o.pacerRejected = counter("tidegate.client.pacer.rejected", "{request}", "Requests that did not get through the queue for the host's quota.")
	o.pacerWaits = counter("tidegate.client.pacer.waits", "{request}", "Requests that had to wait for the host's quota and got through.")
	o.pacerWaited = seconds("tidegate.client.pacer.wait.time", "How long these have waited, all together.")
	return all, errors.Join(errs...)
}

// A place is where something is counted.
type place struct {
	address string
	port    int
}

// observe tells how the hosts stand, those without a name of their own together:
// an instrument may be told each set of attributes only once.
func (o *observer) observe(_ context.Context, to metric.Observer) error {
	all := map[place]*httpclient.HostStats{}
	for _, h := range o.transport.Stats().Hosts {
		address, port := o.hosts.of(split(h.Host))
		at := place{address, port}
		if sum := all[at]; sum != nil {
			hoststats.Add(sum, &h)
		} else {
			all[at] = &h
		}
	}
	for at, h := range all {
		o.tell(to, at, h)
	}
	return nil
}

func (o *observer) tell(to metric.Observer, at place, h *httpclient.HostStats) {
	attributes := append(slices.Clone(o.more), attribute.String("server.address", at.address))
	if at.port != 0 {
		attributes = append(attributes, attribute.Int("server.port", at.port))
	}
	here := metric.WithAttributes(attributes...)
	with := func(key, value string) metric.ObserveOption {
		return metric.WithAttributes(append(slices.Clone(attributes), attribute.String(key, value))...)
	}
	count := func(i metric.Int64Observable, n uint64, at metric.ObserveOption) { to.ObserveInt64(i, int64(n), at) }

	l := &h.Limiter
	if l.Limit != math.MaxInt {
		to.ObserveInt64(o.limit, int64(l.Limit), here)
	}
	to.ObserveInt64(o.inFlight, int64(l.InFlight), here)
	to.ObserveInt64(o.queued, int64(l.Queued), here)
	count(o.admitted, l.Admitted, here)
	for _, c := range hoststats.Rejected(&l.Rejected) {
		count(o.rejected, *c.N, with("tidegate.reason", c.Name))
	}
	for _, c := range hoststats.Outcomes(&l.Outcomes) {
		count(o.outcomes, *c.N, with("tidegate.outcome", c.Name))
	}
	count(o.leaked, l.Leaked, here)
	count(o.waits, l.Waiting.Count, here)
	to.ObserveFloat64(o.waited, l.Waiting.Total.Seconds(), here)
	if at.address != hoststats.Other { // many breakers have no state together
		for _, state := range []gobreaker.State{gobreaker.StateClosed, gobreaker.StateHalfOpen, gobreaker.StateOpen} {
			is := uint64(0)
			if h.Breaker.State == state {
				is = 1
			}
			count(o.state, is, with("tidegate.state", state.String()))
		}
	}
	count(o.opened, h.Breaker.Opened, here)
	count(o.refused, h.Breaker.Refused, here)
	if h.Pace > 0 {
		to.ObserveFloat64(o.pace, h.Pace, here)
	}
	to.ObserveInt64(o.pacerQueued, int64(h.Pacer.Queued), here)
	for _, c := range hoststats.Rejected(&h.Pacer.Rejected) {
		count(o.pacerRejected, *c.N, with("tidegate.reason", c.Name))
	}
	count(o.pacerWaits, h.Pacer.Waiting.Count, here)
	to.ObserveFloat64(o.pacerWaited, h.Pacer.Waiting.Total.Seconds(), here)
	count(o.retries, h.Retries, here)
	count(o.denied, h.RetriesDenied, here)
}
