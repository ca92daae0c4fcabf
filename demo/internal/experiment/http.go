package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// HTTP is the post's second experiment: every task makes one GET on a
// connection of its own, to an origin that can do so much and no more. The
// limit is in the transport of package httpclient, where a program would put
// it, and so the tasks are all started at once and wait there.
type HTTP struct {
	origin  *origin.Origin
	config  origin.Config
	timeout time.Duration
	base    *http.Transport
}

var _ Workload = (*HTTP)(nil)

// OpenHTTP starts the origin of c in a child process. timeout is for one call
// and starts when the call does: waiting in our own queue is not a time-out.
func OpenHTTP(ctx context.Context, c origin.Config, timeout time.Duration) (*HTTP, error) {
	o, err := origin.Start(ctx, c)
	if err != nil {
		return nil, err
	}
	base := c.Transport()
	// The post's tasks share no connections. Neither do these, so the
	// connections are part of the load; unless it is about sharing them.
	base.DisableKeepAlives = c.Streams == 0
	return &HTTP{origin: o, config: c, timeout: timeout, base: base}, nil
}

// Name returns "http".
func (h *HTTP) Name() string { return NameHTTP }

// About describes the calls and the origin.
func (h *HTTP) About() string {
	call := "one GET each on its own connection"
	if h.config.Streams > 0 {
		call = "one GET each on shared connections of HTTP/2"
	}
	refusals := ""
	if h.config.Queue > 0 || h.config.Quota > 0 {
		refusals = "; every policy but " + Unbounded + " pauses for as long as a refusal asks (Retry-After)"
	}
	return fmt.Sprintf("%s, timeout %v; origin in a child process: %v%s", call, h.timeout, h.config, refusals)
}

// Law is the rule of the time-outs, with the same threshold as the predictions. It is
// of calls that wait for a worker: with a mechanism that refuses or loses them before
// that, it would promise there to be none where there are.
func (h *HTTP) Law() string {
	if _, other := predictMechanism(h.config); other {
		return ""
	}
	left := "timeout"
	if h.config.Network > 0 {
		left = "(timeout − network)"
	}
	law := h.config.Capacity() * (h.timeout - h.config.Network).Seconds()
	if places := h.config.Workers + h.config.Queue; h.config.Queue > 0 && float64(places) < (1-edge)*law {
		return fmt.Sprintf("refusals begin when in flight > workers + queue = %d; no time-outs: so many are below capacity × %s = %.0f", places, left, law)
	}
	return fmt.Sprintf("time-outs begin when in flight > capacity × %s = %.0f", left, law)
}

// StandIn reports false.
func (h *HTTP) StandIn() bool { return false }

// DefaultN are the post's numbers.
func (h *HTTP) DefaultN() []int { return []int{100, 1000} }

// Floor is the least time in which the origin can serve n tasks under p.
func (h *HTTP) Floor(n int, p Policy) time.Duration {
	// The network is passed once: the calls after the first are on their way
	// while others are worked on, if the policy lets there be enough of them.
	return floor(p, n, h.config.Workers, func(int) time.Duration { return h.config.Service }) + h.config.Network
}

// Predict applies the law.
func (h *HTTP) Predict(n int, p Policy) (Prediction, bool) {
	if p.Runtime != "" {
		// The law is about calls that are in flight at once. How long another
		// client takes to make a thousand of them nobody has measured.
		return Prediction{}, false
	}
	if q, ok := predictMechanism(h.config); ok {
		q.AtMost = n
		return q, true
	}
	if h.config.Queue > 0 {
		return predictWithQueue(h.config.Workers+h.config.Queue, n, h.config.Capacity(), h.timeout-h.config.Network), true
	}
	// What is left of the timeout when the network has had its share.
	return predictTimeouts(p, n, h.config.Capacity(), h.config.Service, h.timeout-h.config.Network), true
}

// Close ends the origin.
func (h *HTTP) Close() error {
	h.base.CloseIdleConnections()
	return h.origin.Close()
}

func (h *HTTP) suggest(int) suggestion {
	return suggestion{
		// Little's law says that as many calls as there are workers keep them
		// busy; as many again bridge the time that an answer and the next
		// call are on their way.
		limit:   2 * h.places(),
		rate:    0.9 * h.config.Capacity(),
		burst:   h.config.Workers,
		initial: initialLimit,
		highest: 1000,
		params:  map[string]any{"breaker": "disabled", "timeout": h.timeout.String()},
	}
}

// places is how many calls in flight keep the workers busy: Little's law with
// the time that a call takes when nobody is before it.
func (h *HTTP) places() int {
	return int(math.Ceil(h.config.Capacity() * (h.config.Service + h.config.Network).Seconds()))
}

func (h *HTTP) options() []limiter.Option { return nil }

// warmUp makes as many calls as the origin has workers, all at once.
func (h *HTTP) warmUp(ctx context.Context) error {
	n := min(h.config.Workers, 64)
	t := &trial{n: n, limiter: limiter.New(limiter.Unlimited()), record: newRecorder(n)}
	if err := h.run(ctx, t); err != nil {
		return err
	}
	return h.settle(ctx, t)
}

func (h *HTTP) run(ctx context.Context, t *trial) error {
	client, err := h.client(t, stamped{h.base})
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	for i := range t.n {
		running.Go(func() {
			t.record.End(i, endOf(ctx, h.get(ctx, client, t.record, i)))
		})
	}
	running.Wait()
	h.base.CloseIdleConnections()
	return nil
}

// client is what a program with the policy of t would call the origin with.
func (h *HTTP) client(t *trial, base http.RoundTripper) (*http.Client, error) {
	c := httpclient.Config{
		Base:           base,
		Limiter:        func(string) *limiter.Limiter { return t.limiter },
		AttemptTimeout: h.timeout,
		// A breaker would open on the time-outs that the experiment is there
		// to show, and end them.
		Breaker: httpclient.Breaker{Disabled: true},
	}
	if t.policy.Name == Unbounded {
		// Nothing holds back the post's tasks. With the pause that a refusal
		// asks for, 263 of 500 were in flight and not all at once.
		c.Base, c.NoPacing = heedless{base}, true
	}
	transport, err := httpclient.NewTransport(c)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport}, nil
}

// heedless leaves unread how long the far side asks to be left alone.
type heedless struct{ base http.RoundTripper }

// RoundTrip passes the request on, and the answer without its Retry-After.
func (h heedless) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.base.RoundTrip(req)
	if resp != nil {
		resp.Header.Del("Retry-After")
	}
	return resp, err
}

// get makes the call of task i. Like the post's, it wants a 200.
func (h *HTTP) get(ctx context.Context, client *http.Client, r *Recorder, i int) error {
	ctx = context.WithValue(ctx, stampKey{}, func() { r.Start(i) })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.origin.URL()+"/task/"+strconv.Itoa(i), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errRefused, resp.Status)
	case resp.StatusCode != http.StatusOK:
		return errors.New(resp.Status)
	}
	return nil
}

// settle has the origin work off what the callers have abandoned, reads its
// account, and empties it for the next run.
func (h *HTTP) settle(ctx context.Context, t *trial) error {
	if !t.interrupted {
		drain, cancel := context.WithTimeout(ctx, drainTimeout)
		defer cancel()
		if err := h.origin.Drain(drain); err != nil && drain.Err() == nil {
			return err
		}
	}
	account, err := h.origin.Stats(ctx)
	if err != nil {
		return err
	}
	t.connections, t.origin = int(account.Connections), account.Median
	return h.origin.Reset(ctx)
}

// drainTimeout bounds the wait for work that the origin does for nobody. An
// origin that is slow enough could go on for hours; Reset drops what is left.
const drainTimeout = 3 * time.Second

// stamped is the transport below the limiter. A request that gets here has been
// admitted, so this is where its call begins.
type stamped struct{ base http.RoundTripper }

type stampKey struct{}

// RoundTrip notes the start of the call and passes the request on.
func (s stamped) RoundTrip(req *http.Request) (*http.Response, error) {
	if start, ok := req.Context().Value(stampKey{}).(func()); ok {
		start()
	}
	return s.base.RoundTrip(req)
}
