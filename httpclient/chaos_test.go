package httpclient_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

const onPurpose = "a function of the user's that panics, on purpose"

// Whatever of the user's panics or ends its goroutine (the Base, its bodies, what reads
// its answers, a policy, the log), each request and its body end, no place is lost and
// no breaker is wedged.
func TestChaosBreaksAPromise(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	runs := uint64(60)
	if testing.Short() {
		runs = 15
	}
	for i := range runs {
		synctest.Test(t, func(t *testing.T) { (&chaos{T: t, random: rand.New(rand.NewPCG(seed+i, 0))}).run() })
		if t.Failed() {
			t.Fatalf("seed %d", seed+i)
		}
	}
}

// A chaos is one Transport, and users' functions that panic.
type chaos struct {
	*testing.T
	calm       atomic.Bool // it is over
	open, sent atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
}

// n throws dice.
func (c *chaos) n(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

func (c *chaos) ms(n int) time.Duration { return time.Duration(c.n(n)) * time.Millisecond }

func (c *chaos) blow() {
	if c.calm.Load() {
		return
	}
	switch c.n(60) {
	case 0:
		panic(onPurpose)
	case 1:
		runtime.Goexit()
	}
}

func (c *chaos) run() {
	logs := zap.NewNop()
	if c.n(2) == 0 {
		logs = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zap.InfoLevel),
			zap.Hooks(func(zapcore.Entry) error { c.blow(); return nil }))
	}
	global := limiter.New(limiter.Fixed(4))
	tr := transport(c, 1, c.base(), func(conf *httpclient.Config) {
		conf.Limiter = nil
		conf.Policy = func(string) limiter.Policy { return limiter.Fixed(1 + c.n(4)) }
		conf.Logger = logs
		conf.Global = global
		conf.Classify = func(resp *http.Response, err error) limiter.Outcome { c.blow(); return httpclient.Classify(resp, err) }
		conf.ReleaseAtHead = func(*http.Response) bool { c.blow(); return c.n(10) == 0 }
		conf.Retry = httpclient.Retry{
			Attempts: 1 + c.n(3), MinBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond,
			If: func(resp *http.Response, err error) bool { c.blow(); return httpclient.Retryable(resp, err) },
		}
		conf.Breaker = httpclient.Breaker{MinRequests: 5, FailureRatio: 0.3, OpenFor: 100 * time.Millisecond, ProbeTimeout: time.Second, Probes: 1 + c.n(3)}
		conf.MaxWait = time.Duration(c.n(2)) * 200 * time.Millisecond
		conf.Timeout = time.Duration(c.n(2)) * time.Second
		conf.AttemptTimeout = time.Duration(c.n(2)) * 100 * time.Millisecond
		conf.MaxHold = time.Duration(c.n(2)) * 300 * time.Millisecond
	})
	var all sync.WaitGroup
	for range 10 {
		all.Add(1)
		go c.caller(tr, 40, all.Done)
	}
	all.Wait()
	c.calm.Store(true)
	time.Sleep(10 * time.Second)
	synctest.Wait()
	for range 50 { // until its breaker has closed
		do(tr, get(c.Context()))
		time.Sleep(100 * time.Millisecond)
	}
	if code, err := do(tr, get(c.Context())); code != 200 || err != nil {
		c.Errorf("at the end: %d, %v: %+v", code, err, only(c, tr))
	}
	h := only(c, tr)
	if s := h.Limiter; s.InFlight != 0 || s.Queued != 0 || s.Leaked != 0 || s.Admitted != s.Outcomes.Sum() {
		c.Errorf("%+v", s)
	}
	if s := global.Stats(); s.InFlight != 0 || s.Queued != 0 || s.Leaked != 0 {
		c.Errorf("of all hosts: %+v", s)
	}
	if h.Pacer.InFlight != 0 || h.Pacer.Queued != 0 {
		c.Errorf("pacer: %+v", h.Pacer)
	}
	if n := c.open.Load(); n != 0 {
		c.Errorf("%d bodies of answers are open", n)
	}
	if n := c.sent.Load(); n != 0 {
		c.Errorf("%d bodies of requests are open", n)
	}
}

// caller makes calls; when one ends its goroutine another takes over.
func (c *chaos) caller(tr http.RoundTripper, calls int, done func()) {
	if calls == 0 {
		done()
		return
	}
	ended := false
	defer func() {
		if v := recover(); v != nil && v != onPurpose {
			panic(v)
		}
		if !ended {
			go c.caller(tr, calls-1, done)
		}
	}()
	for ; calls > 0; calls-- {
		time.Sleep(c.ms(20))
		c.call(tr)
	}
	ended = true
	done()
}

func (c *chaos) call(tr http.RoundTripper) {
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	switch c.n(6) {
	case 0:
		ctx, cancel = context.WithTimeout(ctx, c.ms(200))
		defer cancel()
	case 1:
		time.AfterFunc(c.ms(200), cancel)
	case 2:
		ctx = httpclient.WithBypass(ctx)
	}
	req := get(ctx)
	if c.n(3) == 0 {
		req.Method = http.MethodPut
		req.GetBody = func() (io.ReadCloser, error) {
			c.blow()
			return c.payload(), nil
		}
		req.Body = c.payload()
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if c.n(4) > 0 {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	time.Sleep(c.ms(20))
}

func (c *chaos) payload() io.ReadCloser {
	c.sent.Add(1)
	return &chaoticBody{c: c, open: &c.sent}
}

func (c *chaos) base() roundTripper {
	return func(req *http.Request) (*http.Response, error) {
		closeBody(req) // which may panic
		c.blow()
		takes := c.ms(150)
		if c.calm.Load() {
			takes = time.Millisecond
		}
		t := time.NewTimer(takes)
		defer t.Stop()
		select {
		case <-t.C:
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
		c.blow()
		if !c.calm.Load() && c.n(10) == 0 {
			return nil, errors.New("connection reset, on purpose")
		}
		code := 200
		if !c.calm.Load() {
			code = []int{200, 200, 200, 200, 200, 429, 503, 500}[c.n(8)]
		}
		resp := response(req, code)
		if code == 429 && c.n(2) == 0 {
			resp.Header.Set("X-RateLimit-Limit", "100")
			resp.Header.Set("X-RateLimit-Remaining", "10")
			resp.Header.Set("X-RateLimit-Reset", "1")
		}
		c.open.Add(1)
		resp.Body = &chaoticBody{c: c, open: &c.open, left: c.n(3)}
		return resp, nil
	}
}

// A chaoticBody panics now and then when it is read, or when it is closed.
type chaoticBody struct {
	c      *chaos
	open   *atomic.Int64
	left   int
	closed atomic.Bool
}

func (b *chaoticBody) Read(p []byte) (int, error) {
	b.c.blow()
	if b.left--; b.left < 0 {
		return 0, io.EOF
	}
	time.Sleep(b.c.ms(20))
	return len(p), nil
}

func (b *chaoticBody) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.open.Add(-1)
		b.c.blow()
	}
	return nil
}
