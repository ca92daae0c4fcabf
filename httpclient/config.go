package httpclient

import (
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/tidegate-go/tidegate/limiter"
)

// Config configures [New] and [NewTransport]. The zero value of each field is
// the recommended choice.
type Config struct {
	// Base sends the requests that are admitted. Nil means, for New, a clone
	// of http.DefaultTransport whose idle pool fits the concurrency, and for
	// NewTransport http.DefaultTransport, looked up at each request.
	Base http.RoundTripper

	// Policy makes the policy of a host that is seen for the first time. The
	// host is lower-case with its port, as in "example.com:443". The Transport
	// makes the Limiter around it, with a queue of at most 10,000, and logs
	// how its limit changes. Nil means limiter.Adaptive with its defaults; a
	// function that returns nil leaves the host unlimited.
	//
	// It is called with the table of hosts locked, once for each stay of a
	// host there, and must not use the Transport.
	Policy func(host string) limiter.Policy

	// Limiter is for whoever wants to make the Limiter itself, with options
	// or to limit several hosts together: then it returns the same Limiter
	// for all of them. A Retry-After of one of them then holds back all of
	// them, since it pauses their Limiter. Otherwise it is like Policy, of which it takes the
	// place: only one of them may be set.
	Limiter func(host string) *limiter.Limiter

	// Hosts overrides some of this Config for the hosts that match a pattern:
	//
	//	"api.example.com"       that host, at any port
	//	"api.example.com:8443"  that host at that port
	//	"*.example.com"         what is below it, at any depth, but not it
	//	"*.example.com:8443"    the same at that port
	//
	// Of several that match the most specific counts: without a star before
	// with one, longer before shorter, with a port before without.
	Hosts map[string]HostConfig

	// Global limits all hosts together, besides the limit of each; nil means
	// that nothing does. A request gets its place there after that of its
	// host, and while it waits for one of the two it holds neither, unless it
	// has lost one that way before: only then does it wait for the global
	// place with that of its host in hand. Looking for a place without waiting
	// counts as Rejected.Busy in the statistics of both Limiters.
	Global *limiter.Limiter

	// MaxWait bounds how long an attempt waits to be admitted, in all queues
	// together; 0 means no bound but the context's deadline. A request that
	// has waited for too long fails with limiter.ErrMaxWait.
	MaxWait time.Duration

	// MaxHosts is the number of hosts to remember; 0 means 1024. The host
	// that has been idle for the longest goes first. Hosts in use, hosts that
	// asked for quiet and hosts whose breaker is open are kept beyond it.
	MaxHosts int

	// Timeout bounds a request as a whole: waiting, all attempts and the
	// pauses between them, and reading the response body; 0 means no bound.
	// It is to http.Client.Timeout what it says, without the flaw that it
	// hides the error: see [ErrTimeout].
	//
	// With this or an AttemptTimeout the Base gets a shallow copy of each
	// request, which shares everything but the context; without, the very
	// request.
	Timeout time.Duration

	// AttemptTimeout bounds the time from admission to the end of the
	// response body; 0 means no bound. Time in the queue does not count:
	// bound that with MaxWait, Timeout or the request's context. An expired
	// attempt fails with [ErrAttemptTimeout].
	AttemptTimeout time.Duration

	// MaxHold bounds how long after its head a response may hold its place; 0
	// means no bound. It is a guard against bodies that nobody closes. When
	// it has passed the place is given back and HostStats.Overheld counts it;
	// the body can be read on.
	MaxHold time.Duration

	// ReleaseAtHead says which responses give back their place at their head
	// instead of holding it to the end of their body, because they last long
	// and cost the host little: long polls, streams of events. An
	// AttemptTimeout then ends at the head, too. It is called for responses
	// with a body and must leave that alone. Nil means none; [EventStream] is
	// a function for this. For a single request see [WithReleaseAtHead].
	ReleaseAtHead func(*http.Response) bool

	// Retry sends requests again that have failed. The zero Retry does not.
	Retry Retry

	// NoPacing leaves unread what servers say of their quotas (the
	// RateLimit and X-RateLimit headers) and does without the rate that is
	// found from answers of 429. Without it both hold requests back in time;
	// see the package comment.
	NoPacing bool

	// MaxRetryAfter bounds how long a server's Retry-After header, or a quota
	// that is used up, can hold back its host; 0 means one minute. A Limiter of your own has its bound
	// in limiter.MaxPause too, and the lesser of both holds.
	MaxRetryAfter time.Duration

	// Classify says what the answer to a request, or the error in its place,
	// tells about the host. Nil means the [Classify] of this package. It is
	// called once for each request that was sent, with the response or the
	// error but not both, and must leave the response's body alone.
	//
	// Errors are the Base's, but if the request had been cancelled or its
	// deadline had passed they match context.Canceled or
	// context.DeadlineExceeded in any case.
	Classify func(*http.Response, error) limiter.Outcome

	// Breaker configures the circuit breaker that each host has.
	Breaker Breaker

	// MaxIdlePerHost is the number of idle connections that New lets its own
	// Base keep for each host; 0 means 1024. It should be no less than the
	// greatest limit of a host: connections beyond it are closed after each
	// request and dialled again. It has no meaning for, and is refused by,
	// NewTransport and a Base of your own.
	MaxIdlePerHost int

	// Logger hears of limits that change, of breakers that open and close,
	// and of a sample of what was rejected. It never hears of URLs or
	// headers. Nil is silent.
	Logger *zap.Logger
}

// HostConfig overrides a [Config] for some hosts. What is zero is as in the
// Config.
type HostConfig struct {
	Policy         func(host string) limiter.Policy   // see Config.Policy
	Limiter        func(host string) *limiter.Limiter // see Config.Limiter
	AttemptTimeout time.Duration                      // less than 0: none
	Breaker        *Breaker
}

// Breaker configures the circuit breaker of a host: it opens when too many of
// the host's answers are failures, then refuses requests at once instead of
// letting them wait, and after a while lets a few through as probes. Answers
// count by their Outcome:
//
//	success  Success
//	failure  Failed, Overdue, and Refused with 503 or any other 5xx
//	neither  429 (it is alive, and says so), cancelled, ignored, not sent; and
//	         Refused while others are on their way, in the first second of a spell
//	         of refusals: the limit is still being found. A spell begins with the
//	         first after the breaker has closed or after a Window without any
type Breaker struct {
	// Disabled does without breakers.
	Disabled bool

	// MinRequests is the number of successes and failures within Window
	// below which a breaker never opens; 0 means 20.
	MinRequests int

	// FailureRatio is the share of failures among successes and failures
	// that opens a breaker, above 0 and at most 1; 0 means 0.5.
	FailureRatio float64

	// Window is the time over which answers are counted; 0 means 10 s, or
	// twice the AttemptTimeout if that is more, and it must not be less: of a
	// host that hangs no two answers would be within it. It moves in steps of
	// a tenth.
	Window time.Duration

	// OpenFor is how long a breaker stays open at least before it lets probes
	// through; 0 means 5 s. Up to a fifth is added at random each time, lest
	// many clients probe a host at the same moment.
	OpenFor time.Duration

	// Probes is the number of requests let through while a breaker is half-open,
	// one after the other, and so the number of successes that close it; 0 means 3.
	// One failure opens it again.
	Probes int

	// ProbeTimeout is the time after which a probe without an answer counts
	// as a failure, so that a host that hangs cannot keep its breaker
	// half-open for ever. The request itself goes on. 0 means AttemptTimeout
	// or, without that, 30 s.
	ProbeTimeout time.Duration

	// Patience is how long a host must have had a request for the passing of
	// the caller's own deadline to count as a failure; 0 means 1 s. Less than
	// that says more about the caller, or about our queue.
	Patience time.Duration
}
