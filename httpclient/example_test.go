package httpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func hello() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	}))
}

// A client that finds out by itself how much each host can do.
func ExampleNew() {
	server := hello()
	defer server.Close()

	client, err := httpclient.New(httpclient.Config{AttemptTimeout: 10 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	resp, err := client.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close() // gives back the place
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(body))
	// Output: 200 hello
}

// An existing client keeps what it has: its certificates, cookies and tracing.
func ExampleNewTransport() {
	server := hello()
	defer server.Close()

	client := server.Client()
	transport, err := httpclient.NewTransport(httpclient.Config{Base: client.Transport})
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Transport = transport

	for range 3 {
		resp, err := client.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	for _, h := range transport.Stats().Hosts {
		fmt.Println(h.Limiter.Outcomes.Success, "answered,", h.Limiter.InFlight, "in flight, breaker", h.Breaker.State)
	}
	// Output: 3 answered, 0 in flight, breaker closed
}

// At most two requests at once to any host, and none of them at more than 100
// per second.
func ExampleConfig_perHost() {
	var mu sync.Mutex
	now, peak := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		now++
		peak = max(peak, now)
		mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
	}))
	defer server.Close()

	client, err := httpclient.New(httpclient.Config{
		Limiter: func(host string) *limiter.Limiter {
			return limiter.New(limiter.All(limiter.Fixed(2), limiter.Rate(100, 10)), limiter.MaxQueue(1000))
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if resp, err := client.Get(server.URL); err == nil {
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
	fmt.Println("at most", peak, "at once")
	// Output: at most 2 at once
}

// Errors that are ours can be told from those of the network, also through the
// *url.Error that http.Client returns.
func Example_errors() {
	say := func(err error) {
		var rejected *limiter.RejectedError
		var open *httpclient.BreakerError
		switch {
		case errors.As(err, &rejected):
			fmt.Println("not sent, no room:", rejected.Reason)
		case errors.As(err, &open):
			fmt.Println("not sent, breaker", open.State)
		case errors.Is(err, httpclient.ErrAttemptTimeout):
			fmt.Println("the host took too long")
		case err != nil:
			fmt.Println("something else:", err)
		}
	}

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		<-req.Context().Done() // takes for ever
	}))
	defer server.Close()

	client, err := httpclient.New(httpclient.Config{
		AttemptTimeout: 100 * time.Millisecond,
		Limiter:        func(string) *limiter.Limiter { return limiter.New(limiter.Fixed(1)) },
		Breaker:        httpclient.Breaker{MinRequests: 1},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	_, err = client.Get(server.URL)
	say(err)
	_, err = client.Get(server.URL)
	say(err)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
	_, err = client.Do(req)
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// the host took too long
	// not sent, breaker open
	// true
}

// Some hosts say in their own way that they have no room.
func ExampleClassify() {
	classify := func(resp *http.Response, err error) limiter.Outcome {
		switch {
		case resp == nil:
		case resp.StatusCode == http.StatusForbidden && resp.Header.Get("Retry-After") != "":
			return limiter.Refused // GitHub's secondary rate limit
		case resp.StatusCode == 529:
			return limiter.Refused // "overloaded", in no standard
		}
		return httpclient.Classify(resp, err)
	}
	_, err := httpclient.New(httpclient.Config{Classify: classify})

	fmt.Println(classify(&http.Response{StatusCode: 529}, nil), classify(&http.Response{StatusCode: 404}, nil), err)
	// Output: refused success <nil>
}
