package httpclient

import (
	"net/http"
	"reflect"
	"time"

	"go.uber.org/zap"
)

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
	c.Breaker = c.Breaker.withDefaults(c.AttemptTimeout)
	c.Retry = c.Retry.withDefaults()
	return c
}

func (b Breaker) withDefaults(attempt time.Duration) Breaker {
	setDefault(&b.MinRequests, 20)
	setDefault(&b.FailureRatio, 0.5)
	setDefault(&b.Window, max(10*time.Second, 2*min(attempt, longest)))
	setDefault(&b.OpenFor, 5*time.Second)
	setDefault(&b.Probes, 3)
	setDefault(&b.ProbeTimeout, attempt)
	setDefault(&b.ProbeTimeout, 30*time.Second)
	setDefault(&b.Patience, time.Second)
	return b
}

func (r Retry) withDefaults() Retry {
	setDefault(&r.MinBackoff, 100*time.Millisecond)
	setDefault(&r.MaxBackoff, max(10*time.Second, r.MinBackoff))
	setDefault(&r.Budget, 0.1)
	return r
}

// longest is a time of which there is twice as much in a time.Duration.
const longest = time.Duration(1) << 61

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
	if c.Policy != nil && c.Limiter != nil {
		return &ConfigError{"Limiter", "set together with Policy", "one of the two"}
	}
	for _, err := range []error{
		durations("", duration{"Timeout", c.Timeout}, duration{"AttemptTimeout", c.AttemptTimeout},
			duration{"MaxWait", c.MaxWait}, duration{"MaxHold", c.MaxHold}, duration{"MaxRetryAfter", c.MaxRetryAfter}),
		numbers("", number{"MaxHosts", c.MaxHosts}, number{"MaxIdlePerHost", c.MaxIdlePerHost}),
		c.Breaker.check("Breaker.", c.AttemptTimeout),
		c.Retry.check(),
		c.checkTimeouts(),
		c.checkHosts(),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkTimeouts refuses times of which one makes another meaningless.
func (c Config) checkTimeouts() error {
	switch {
	case c.Timeout == 0:
	case c.AttemptTimeout >= c.Timeout:
		return &ConfigError{"AttemptTimeout", c.AttemptTimeout, "less than Timeout, which is " + c.Timeout.String()}
	case c.MaxWait > c.Timeout:
		return &ConfigError{"MaxWait", c.MaxWait, "at most Timeout, which is " + c.Timeout.String()}
	}
	return nil
}

func (c Config) checkHosts() error {
	seen := make(map[pattern]string, len(c.Hosts))
	for text, h := range c.Hosts {
		field := "Hosts[" + text + "]"
		p, ok := parsePattern(text)
		if !ok {
			return &ConfigError{"Hosts", text, `a host such as "api.example.com", "api.example.com:8443" or "*.example.com"`}
		}
		if other, twice := seen[p]; twice {
			return &ConfigError{"Hosts", text, "one entry per host: " + other + " is the same"}
		}
		seen[p] = text
		if h.Policy != nil && h.Limiter != nil {
			return &ConfigError{field + ".Limiter", "set together with Policy", "one of the two"}
		}
		attempt := c.attemptTimeout(h)
		if c.Timeout > 0 && attempt >= c.Timeout {
			return &ConfigError{field + ".AttemptTimeout", attempt, "less than Timeout, which is " + c.Timeout.String()}
		}
		b := c.Breaker
		if h.Breaker != nil {
			b = *h.Breaker
		}
		if err := b.check(field+".Breaker.", attempt); err != nil {
			return err
		}
	}
	return nil
}

func (b Breaker) check(prefix string, attempt time.Duration) error {
	if err := durations(prefix, duration{"OpenFor", b.OpenFor}, duration{"ProbeTimeout", b.ProbeTimeout},
		duration{"Patience", b.Patience}); err != nil {
		return err
	}
	if err := numbers(prefix, number{"MinRequests", b.MinRequests}, number{"Probes", b.Probes}); err != nil {
		return err
	}
	if b.Window < 0 || b.Window > 0 && b.Window < steps {
		return &ConfigError{prefix + "Window", b.Window, "at least 10 ns, or 0 for the default"}
	}
	if b.Window > 0 && !b.Disabled && b.Window < 2*min(attempt, longest) {
		return &ConfigError{prefix + "Window", b.Window, "at least twice the AttemptTimeout, which is " + attempt.String()}
	}
	return share(prefix+"FailureRatio", b.FailureRatio)
}

func (r Retry) check() error {
	if err := durations("Retry.", duration{"MinBackoff", r.MinBackoff}, duration{"MaxBackoff", r.MaxBackoff}); err != nil {
		return err
	}
	if err := numbers("Retry.", number{"Attempts", r.Attempts}); err != nil {
		return err
	}
	if r.MaxBackoff > 0 && r.MinBackoff > r.MaxBackoff {
		return &ConfigError{"Retry.MinBackoff", r.MinBackoff, "at most MaxBackoff, which is " + r.MaxBackoff.String()}
	}
	return share("Retry.Budget", r.Budget)
}

type duration struct {
	field string
	value time.Duration
}

func durations(prefix string, fields ...duration) error {
	for _, f := range fields {
		if f.value < 0 {
			return &ConfigError{prefix + f.field, f.value, "a positive duration, or 0 for the default"}
		}
	}
	return nil
}

type number struct {
	field string
	value int
}

func numbers(prefix string, fields ...number) error {
	for _, f := range fields {
		if f.value < 0 || f.value > 1<<30 {
			return &ConfigError{prefix + f.field, f.value, "from 1 to 2^30, or 0 for the default"}
		}
	}
	return nil
}

func share(field string, value float64) error {
	if !(value >= 0 && value <= 1) { // NaN is neither
		return &ConfigError{field, value, "above 0 and at most 1, or 0 for the default"}
	}
	return nil
}

// asTransport returns the http.Transport that rt is or that is at the bottom of
// what it wraps, or nil.
func asTransport(rt http.RoundTripper) *http.Transport {
	for range 16 { // a wrapper may return itself
		switch t := rt.(type) {
		case *http.Transport:
			return t
		case *Transport: // another one of ours has its own opinion
			return nil
		case interface{ Unwrap() http.RoundTripper }:
			rt = t.Unwrap()
		case interface{ WrappedRoundTripper() http.RoundTripper }:
			rt = t.WrappedRoundTripper()
		default:
			return nil
		}
	}
	return nil
}
