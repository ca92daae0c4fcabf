// Package prommetrics shows Prometheus how limiters stand: those of the hosts of
// an httpclient.Transport, a single limiter.Limiter, or all of a limiter.Keyed.
// It is a module of its own, so that programs without Prometheus do not download
// its client.
//
//	registry.MustRegister(prommetrics.Transport(transport, prommetrics.Config{}))
//
// Everything is read when Prometheus asks: nothing is added to a call, and no
// goroutine is started. The metrics of each limiter, with a label that tells them
// apart (host, limiter, or what Config.Label says):
//
//	tidegate_limit                      gauge; absent while there is no limit
//	tidegate_in_flight, tidegate_queued gauges
//	tidegate_admitted_total             calls that got a place
//	tidegate_rejected_total{reason}     calls that did not, by reason
//	tidegate_outcomes_total{outcome}    calls that have ended, by outcome
//	tidegate_leaked_total               places that were lost and recovered
//	tidegate_wait_seconds               summary of the waits of calls that had to
//
// and, of the hosts of a Transport,
//
//	tidegate_breaker_state{state}       1 for the state it is in, 0 for the others
//	tidegate_breaker_opened_total       times
//	tidegate_breaker_refused_total      requests
//	tidegate_retries_total              attempts after the first
//	tidegate_retries_denied_total       those that the budget did not allow
//	tidegate_pace                       requests per second that a quota allows; absent without one
//	tidegate_pacer_queued               gauge: requests that wait for the quota, in a queue before the limiter's
//	tidegate_pacer_rejected_total{reason}  those that did not get through it
//	tidegate_pacer_wait_seconds         summary of the waits of those that had to
//
// # Several in one program
//
// A registry takes two Collectors only if their series have the same labels and differ
// in a constant one. So with a Transport and a Limiter, or two Limiters, give all the
// same Config.Label, and each a Config.Constant of its own:
//
//	of := func(what string) prommetrics.Config {
//		return prommetrics.Config{Label: "limiter", Constant: prometheus.Labels{"of": what}}
//	}
//	registry.MustRegister(prommetrics.Transport(transport, of("http")))
//	registry.MustRegister(prommetrics.Limiter("database", l, of("database")))
//
// # Many hosts
//
// A series for each host of a crawler is more than Prometheus wants. The first
// Config.Hosts names, 100 if that is not set, have series of their own; all others
// are added up under the name "_OTHER", whose limit is the sum of theirs. A name
// keeps its series for as long as the Collector lives.
//
// A host that the Transport forgets (Config.MaxHosts there) and meets again begins
// anew, which Prometheus takes for a restart: rate() is right all the same. The
// sums of _OTHER may fall when one of its hosts is forgotten.
package prommetrics
