package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// Eight requests at once to one host, two to what is below another, and the rest
// finds its own limit.
func ExampleConfig_hosts() {
	at := func(n int) func(string) limiter.Policy {
		return func(string) limiter.Policy { return limiter.Fixed(n) }
	}
	transport, err := httpclient.NewTransport(httpclient.Config{
		Base: answering(200), // in real life leave this to New
		Hosts: map[string]httpclient.HostConfig{
			"api.example.com": {Policy: at(8)},
			"*.example.org":   {Policy: at(2), AttemptTimeout: 5 * time.Second},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport}
	for _, host := range []string{"api.example.com", "eu.example.org", "example.net"} {
		resp, err := client.Get("http://" + host)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		h, _ := transport.Stats().Host(host + ":80")
		fmt.Println(host, h.Limiter.Limit)
	}
	// Output:
	// api.example.com 8
	// eu.example.org 2
	// example.net 10
}

// Requests that may be repeated are, within a budget; what became of one is told
// through its context.
func ExampleRetry() {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()

	client, err := httpclient.New(httpclient.Config{
		Timeout: 10 * time.Second,
		Retry:   httpclient.Retry{Attempts: 3, MinBackoff: time.Millisecond},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	var info httpclient.Info
	req, _ := http.NewRequestWithContext(httpclient.WithInfo(context.Background(), &info), "GET", server.URL, nil)
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode, "after", info.Attempts, "attempts")
	// Output: 200 after 2 attempts
}

// authorizing is what golang.org/x/oauth2.Transport does: it gets a token, which
// may be a request of its own, and sends a copy of the request with it.
type authorizing struct {
	token func() (string, error)
	base  http.RoundTripper
}

func (a authorizing) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := a.token()
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return a.base.RoundTrip(req)
}

// Authorization that makes requests of its own belongs outside: while it fetches
// a token no place is held. Inside, with a limit of 1, it would wait for itself.
func ExampleNewTransport_authorizationOutside() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/token" {
			io.WriteString(w, "secret")
			return
		}
		io.WriteString(w, "authorized by "+req.Header.Get("Authorization"))
	}))
	defer server.Close()

	transport, err := httpclient.NewTransport(httpclient.Config{
		Base:   server.Client().Transport,
		Policy: func(string) limiter.Policy { return limiter.Fixed(1) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	plain := &http.Client{Transport: transport}
	fetch := func(client *http.Client, url string) (string, error) {
		resp, err := client.Get(url)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	client := &http.Client{Transport: authorizing{
		token: func() (string, error) { return fetch(plain, server.URL+"/token") },
		base:  transport,
	}}
	fmt.Println(fetch(client, server.URL+"/data"))
	// Output: authorized by Bearer secret <nil>
}

// unavailable answers for a proxy whose Transport has not sent a request: 503
// with a Retry-After instead of 502.
func unavailable(w http.ResponseWriter, req *http.Request, err error) {
	var rejected *limiter.RejectedError
	var open *httpclient.BreakerError
	wait := time.Duration(0)
	switch {
	case errors.As(err, &rejected):
		wait = rejected.RetryAfter
	case errors.As(err, &open):
		wait = open.RetryIn
	default:
		log.Println("proxy:", err)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
	w.WriteHeader(http.StatusServiceUnavailable)
}

// A reverse proxy tells its callers when to come back.
func ExampleNewTransport_reverseProxy() {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer backend.Close()

	transport, err := httpclient.NewTransport(httpclient.Config{
		Base: backend.Client().Transport, Breaker: httpclient.Breaker{MinRequests: 1, OpenFor: 30 * time.Second},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	target, _ := url.Parse(backend.URL)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport, proxy.ErrorHandler = transport, unavailable
	front := httptest.NewServer(proxy)
	defer front.Close()

	for range 2 { // the first failure opens this breaker
		resp, err := http.Get(front.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Retry-After") != "")
	}
	http.DefaultClient.CloseIdleConnections()
	// Output:
	// 500 false
	// 503 true
}
