package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// HTTP is a Target that makes GETs. Its fields must not be changed while it is
// measured, one trial at a time.
type HTTP struct {
	Transport http.RoundTripper
	URL       string
	Header    http.Header // of every request; may be nil
	// Timeout is for one call, from its start to the end of its body.
	Timeout time.Duration
	// Admit, if set, is asked before each call and may wait; an error of it
	// ends the trial as if the window were over.
	Admit func(context.Context) error
}

var _ Target = (*HTTP)(nil)

// errStatus is a failure that the far side has announced.
type errStatus struct {
	status     string
	code       int
	retryAfter time.Duration
}

func (e *errStatus) Error() string { return e.status }

// Is makes statuses that say "no room" what the harness calls refused.
func (e *errStatus) Is(target error) bool {
	return target == experiment.ErrRefused &&
		(e.code == http.StatusTooManyRequests || e.code == http.StatusServiceUnavailable)
}

// Measure makes a trial. Calls that are under way when the window ends are
// waited for, so that the next trial finds nothing of this one.
func (h *HTTP) Measure(ctx context.Context, t Trial) (Measurement, error) {
	cpu := experiment.WatchCPU()
	r := &trial{HTTP: h, Trial: t, begin: time.Now(), enough: make(chan struct{})}
	var callers sync.WaitGroup
	logs := make([]log, t.Limit)
	for i := range t.Limit {
		callers.Go(func() { r.caller(ctx, time.Duration(i)*t.Ramp/time.Duration(t.Limit), &logs[i]) })
	}
	callers.Wait()
	took := time.Since(r.begin)
	m := t.measurement(logs)
	m.Seconds = took.Seconds()
	m.ForeignCPU, m.Noisy = cpu()
	m.Harm, m.RetryAfter = r.harm, r.retryAfter.Seconds()
	if ctx.Err() != nil && took < t.Ramp+t.Warm+t.Window {
		return m, context.Cause(ctx)
	}
	return m, nil
}

// A trial is a Trial under way.
type trial struct {
	*HTTP
	Trial
	begin time.Time

	mu         sync.Mutex
	enough     chan struct{} // closed at the first sign of harm, and when Admit has had enough
	closed     bool
	harm       string
	retryAfter time.Duration
}

// caller makes calls, one after another, from its turn to the end of the window.
func (r *trial) caller(ctx context.Context, turn time.Duration, l *log) {
	end := r.begin.Add(r.Ramp + r.Warm + r.Window)
	if !r.wait(ctx, turn) {
		return
	}
	for time.Now().Before(end) && !r.over(ctx) {
		if r.Admit != nil {
			if err := r.Admit(ctx); err != nil {
				r.stop("", 0)
				return
			}
			if r.over(ctx) {
				return
			}
		}
		from := time.Now()
		err := r.Call(ctx)
		to := time.Now()
		e := experiment.EndOf(ctx, err)
		l.add(ended{to.Sub(r.begin), to.Sub(from), e})
		if r.Careful {
			r.judge(e, to.Sub(from), err)
		}
		if e != experiment.Succeeded {
			// Nobody is served sooner by a caller that does nothing but fail.
			r.wait(ctx, to.Sub(r.begin)+failurePause)
		}
	}
}

// failurePause is how long a caller waits after a failure, as a program would
// that has anything else to do.
const failurePause = 5 * time.Millisecond

// wait waits until at, since the beginning, and reports whether to go on.
func (r *trial) wait(ctx context.Context, at time.Duration) bool {
	pause := at - time.Since(r.begin)
	if pause <= 0 {
		return !r.over(ctx)
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-r.enough:
	}
	return false
}

func (r *trial) over(ctx context.Context) bool {
	select {
	case <-r.enough:
		return true
	default:
		return ctx.Err() != nil
	}
}

// judge ends the trial if the call that ended so is a sign of harm.
func (r *trial) judge(e experiment.End, took time.Duration, err error) {
	var status *errStatus
	switch {
	case e == experiment.Cancelled:
	case errors.As(err, &status):
		r.stop("it answered "+status.status, status.retryAfter)
	case e == experiment.TimedOut:
		r.stop(fmt.Sprintf("a call had no answer within %v", r.Timeout), 0)
	case e != experiment.Succeeded:
		r.stop("a call failed: "+err.Error(), 0)
	case r.Longest > 0 && took > r.Longest:
		r.stop(fmt.Sprintf("a call took %v, above %v", took.Round(time.Millisecond), r.Longest.Round(time.Millisecond)), 0)
	}
}

// stop ends the trial for the first reason.
func (r *trial) stop(harm string, retryAfter time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retryAfter = max(r.retryAfter, retryAfter)
	if !r.closed {
		r.closed, r.harm = true, harm
		close(r.enough)
	}
}

// Call makes one GET and reads its answer to the end. An answer that is not 2xx is
// an error, and one of 429 or 503 matches [experiment.ErrRefused].
func (h *HTTP) Call(ctx context.Context) error {
	if h.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.Timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return err
	}
	for name, values := range h.Header {
		req.Header[name] = values
	}
	if host := h.Header.Get("Host"); host != "" {
		req.Host = host // net/http takes it from here only
	}
	// Not by a Client: a redirect is an answer, and to follow it would be a
	// call to somewhere else.
	resp, err := h.Transport.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && (resp.StatusCode < 200 || resp.StatusCode > 299) {
		err = &errStatus{resp.Status, resp.StatusCode, retryAfter(resp.Header, time.Now())}
	}
	return err
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if s, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
