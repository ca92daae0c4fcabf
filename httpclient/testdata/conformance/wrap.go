// Package conformance wraps the transports of Go's own net/http tests in a
// Transport that never has to refuse: a high limit, and no breaker. See the
// README in this folder.
package conformance

import (
	"net/http"
	"os"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func conformanceWrap(next http.RoundTripper) http.RoundTripper {
	c := httpclient.Config{
		Base:    next,
		Limiter: func(string) *limiter.Limiter { return limiter.New(limiter.Fixed(1000)) },
		Breaker: httpclient.Breaker{Disabled: os.Getenv("CONF_BREAKER") == "", MinRequests: 1 << 30},
	}
	if os.Getenv("CONF_TIMEOUT") != "" { // every request is a copy with a context of its own
		c.AttemptTimeout = time.Hour
	}
	if os.Getenv("CONF_RETRY") != "" { // tests count requests, so nothing is tried again; the loop is run through
		c.Retry = httpclient.Retry{Attempts: 3, If: func(*http.Response, error) bool { return false }}
	}
	if os.Getenv("CONF_RETRY") == "real" {
		c.Retry.If = nil
	}
	t, err := httpclient.NewTransport(c)
	if err != nil {
		panic(err)
	}
	return t
}
