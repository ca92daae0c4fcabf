package httpclient

import (
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

// Retry says which requests are sent again after they have failed. Only those
// are that may be, whatever If says:
//
//   - of the idempotent methods of RFC 9110 (GET, HEAD, OPTIONS, TRACE, PUT,
//     DELETE), or with an Idempotency-Key or X-Idempotency-Key in their header
//     (as net/http has it); or for sure not worked on: the connection was
//     never made, HTTP/2 refused the stream, or the answer is 425;
//   - without a body, or with a GetBody to get it anew: http.NewRequest
//     provides that for bytes and strings. No body is ever kept in memory;
//   - while the host's budget lasts, its breaker is not open and the deadline is
//     farther off than the pause before the next attempt.
//
// Otherwise the caller gets the response, or error, that there is. Each
// attempt waits for a place of its own and counts for the limiter and the
// breaker. During the pause no place is held. A request that our own limiter or
// breaker has not admitted is not tried again.
//
// With retries, an error that matches limiter.ErrRejected or [ErrBreakerOpen]
// speaks of the last attempt only: see Info.Attempts.
type Retry struct {
	// Attempts is the number of times a request is sent at most; 0 and 1 mean
	// that nothing is sent again.
	Attempts int

	// MinBackoff is the bound of the first pause; 0 means 100 ms. Each bound
	// is twice the one before, up to MaxBackoff; 0 means 10 s. The pause is a
	// random part of its bound, and comes after the time that a Retry-After
	// asks for. With a Retry-After above Config.MaxRetryAfter there is no
	// further attempt.
	MinBackoff, MaxBackoff time.Duration

	// Budget is how many retries a host gets for each success, from above 0
	// to 1; 0 means 0.1. It saves up to 10 and starts with as many: so many
	// failures, and no more, are retried when nothing succeeds.
	Budget float64

	// If reports whether another attempt is worthwhile. It is called with
	// the response or the error and must leave the body alone. Nil means
	// [Retryable].
	If func(*http.Response, error) bool
}

// Retryable reports whether it is worthwhile to send the same request again:
// after 408, 425, 429, 500, 502, 503 and 504, and after errors of the network,
// an [ErrAttemptTimeout] among them. It does not ask whether the request may
// be sent again; see [Retry] for that.
func Retryable(resp *http.Response, err error) bool {
	if err != nil {
		var name *net.DNSError
		if errors.As(err, &name) && name.IsNotFound {
			return false
		}
		switch classifyError(err) {
		case limiter.Overdue, limiter.Refused, limiter.Failed:
			return true
		}
		return false
	}
	if resp == nil {
		return false
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// mayRepeat reports whether doing req twice cannot do anything twice.
func mayRepeat(req *http.Request, resp *http.Response, err error) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	// Present is enough, even if empty: net/http does not send it then.
	if _, ok := req.Header["Idempotency-Key"]; ok {
		return true
	}
	if _, ok := req.Header["X-Idempotency-Key"]; ok {
		return true
	}
	if resp != nil {
		return resp.StatusCode == http.StatusTooEarly
	}
	var dial *net.OpError
	var stream streamError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &stream) && stream.Code == refusedStream
}

var errNotRepeatable = errors.New("httpclient: the body can be read only once")

// repeatable returns req with its body anew.
func repeatable(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, errNotRepeatable
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	next := req.WithContext(req.Context()) // a shallow copy
	next.Body = body
	return next, nil
}

const (
	maxDrain  = 16 << 10
	drainTime = 50 * time.Millisecond
)

// discard ends the exchange of a response that nobody will see. It reads what
// little there may be left, so that the connection can be used again, and
// gives back the place.
func discard(resp *http.Response) {
	if resp.Body == nil {
		return
	}
	// Once: what a second Close of somebody's body does is undefined, says io.Closer. It is
	// no OnceFunc, which makes a panic of a Goexit in there.
	var once sync.Once
	end := func() { once.Do(func() { resp.Body.Close() }) }
	defer end()
	if resp.ContentLength > maxDrain || resp.StatusCode == http.StatusSwitchingProtocols {
		return
	}
	// A body that trickles must not hold us up.
	t := time.AfterFunc(drainTime, end)
	defer t.Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain+1) // an error ends it as well as the end
}

// maxSaved is how many retries a budget saves.
const maxSaved = 10

// A budget is the retries that a host still has.
type budget struct {
	mu    sync.Mutex
	spent float64 // of maxSaved, so that the zero budget is a full one
}

func (b *budget) earn(share float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = math.Max(0, b.spent-share)
}

func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A millionth is what adding up ten tenths may lack.
	if b.spent+1 > maxSaved+1e-6 {
		return false
	}
	b.spent++
	return true
}
