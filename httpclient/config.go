package httpclient

import (
	"net/http"
	"reflect"
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

	// Limiter makes the Limiter of a host that is seen for the first time.
	// The host is lower-case with its port, as in "example.com:443". Nil
	// means limiter.Adaptive with a queue of at most 10,000; a function that
	// returns nil leaves the host unlimited. To limit several hosts together
	// return the same Limiter for all of them.
	//
	// It is called with the table of hosts locked, once for each stay of a
	// host there, and must not use the Transport.
	Limiter func(host string) *limiter.Limiter

	// MaxHosts is the number of hosts to remember; 0 means 1024. The host
	// that has been idle for the longest goes first. Hosts in use, hosts that
	// asked for quiet and hosts whose breaker is open are kept beyond it.
	MaxHosts int

	// AttemptTimeout bounds the time from admission to the end of the
	// response body; 0 means no bound. Time in the queue does not count:
	// bound that with the request's context, http.Client.Timeout or
	// limiter.MaxWait. An expired attempt fails with [ErrAttemptTimeout].
	//
	// With a timeout the Base gets a shallow copy of each request, which
	// shares everything but the context; without one, the very request.
	AttemptTimeout time.Duration

	// MaxRetryAfter bounds how long a server's Retry-After header can hold
	// back its host; 0 means one minute. A Limiter of your own has its bound
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

// Breaker configures the circuit breaker of a host: it opens when too many of
// the host's answers are failures, then refuses requests at once instead of
// letting them wait, and after a while lets a few through as probes. Answers
// count by their Outcome:
//
//	success  Success
//	failure  Failed, Overdue, and Refused with 503 or any other 5xx
//	neither  429 (it is alive, and says so), cancelled, ignored, not sent
type Breaker struct {
	// Disabled does without breakers.
	Disabled bool

	// MinRequests is the number of successes and failures within Window
	// below which a breaker never opens; 0 means 20.
	MinRequests int

	// FailureRatio is the share of failures among successes and failures
	// that opens a breaker, above 0 and at most 1; 0 means 0.5.
	FailureRatio float64

	// Window is the time over which answers are counted; 0 means 10 s. It
	// moves in steps of a tenth.
	Window time.Duration

	// OpenFor is how long a breaker stays open before it lets probes
	// through; 0 means 5 s.
	OpenFor time.Duration

	// Probes is the number of requests let through at once while a breaker
	// is half-open, and the number of successes that close it; 0 means 3.
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

// maxQueue bounds the queue of a Limiter that the Transport makes by itself.
const maxQueue = 10_000

// withDefaults returns c with its zero values replaced by what they mean.
func (c Config) withDefaults() Config {
	setDefault(&c.MaxHosts, 1024)
	setDefault(&c.MaxRetryAfter, time.Minute)
	if c.Classify == nil {
		c.Classify = Classify
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	b := &c.Breaker
	setDefault(&b.MinRequests, 20)
	setDefault(&b.FailureRatio, 0.5)
	setDefault(&b.Window, 10*time.Second)
	setDefault(&b.OpenFor, 5*time.Second)
	setDefault(&b.Probes, 3)
	setDefault(&b.ProbeTimeout, c.AttemptTimeout)
	setDefault(&b.ProbeTimeout, 30*time.Second)
	setDefault(&b.Patience, time.Second)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check returns a *ConfigError for the first field that cannot be obeyed.
func (c Config) check() error {
	// A nil pointer inside a non-nil interface would panic at the first
	// request, far from the mistake.
	if v := reflect.ValueOf(c.Base); c.Base != nil && v.Kind() == reflect.Pointer && v.IsNil() {
		return &ConfigError{"Base", "a nil " + v.Type().String(), "nil itself or a RoundTripper"}
	}
	b := c.Breaker
	for _, f := range []struct {
		name  string
		value time.Duration
	}{
		{"AttemptTimeout", c.AttemptTimeout},
		{"MaxRetryAfter", c.MaxRetryAfter},
		{"Breaker.OpenFor", b.OpenFor},
		{"Breaker.ProbeTimeout", b.ProbeTimeout},
		{"Breaker.Patience", b.Patience},
	} {
		if f.value < 0 {
			return &ConfigError{f.name, f.value, "a positive duration, or 0 for the default"}
		}
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxHosts", c.MaxHosts},
		{"MaxIdlePerHost", c.MaxIdlePerHost},
		{"Breaker.MinRequests", b.MinRequests},
		{"Breaker.Probes", b.Probes},
	} {
		if f.value < 0 || f.value > 1<<30 {
			return &ConfigError{f.name, f.value, "from 1 to 2^30, or 0 for the default"}
		}
	}
	if b.Window < 0 || b.Window > 0 && b.Window < steps {
		return &ConfigError{"Breaker.Window", b.Window, "at least 10 ns, or 0 for the default"}
	}
	if !(b.FailureRatio >= 0 && b.FailureRatio <= 1) { // NaN is neither
		return &ConfigError{"Breaker.FailureRatio", b.FailureRatio, "above 0 and at most 1, or 0 for the default"}
	}
	return nil
}
