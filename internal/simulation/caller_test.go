package simulation

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A caller makes one call after the other, each in some way of its own.
type caller struct {
	*run
	id     int
	random *rand.Rand
	ends   map[string]int // how many calls have ended in each way
}

func (c *caller) live() {
	for c.now() < c.lasts {
		time.Sleep(c.alone(c.random, time.Duration(c.random.ExpFloat64()*float64(c.pause))))
		if c.random.IntN(10) == 0 {
			c.visit(c.hosts[names[c.random.IntN(len(names))]])
		} else {
			c.call()
		}
	}
}

// call makes one call and counts its end, exactly one.
func (c *caller) call() {
	c.begun.Add(1)
	ctx, cancel := context.WithCancel(context.Background())
	// Later than the call, for many: else the end of the context would give back what the
	// end of the call has not.
	defer time.AfterFunc(c.lasts, cancel).Reset(c.alone(c.random, time.Duration(c.random.IntN(2))*time.Second))
	var info httpclient.Info
	ctx = httpclient.WithInfo(ctx, &info)
	e := &errand{run: c.run, holds: true}
	ctx = e.context(ctx)
	host := names[c.random.IntN(len(names))]
	patience := c.alone(c.random, c.lasts+24*time.Hour)
	switch c.random.IntN(10) {
	case 0:
		ctx, cancel = context.WithTimeout(ctx, c.alone(c.random, time.Duration(1+c.random.IntN(500))*time.Millisecond))
		defer cancel()
	case 1:
		patience = c.alone(c.random, time.Duration(1+c.random.IntN(300))*time.Millisecond)
	case 2:
		e.holds = false
		ctx = httpclient.WithBypass(ctx)
	case 3:
		e.atHead = true
		ctx = httpclient.WithReleaseAtHead(ctx)
	case 4, 5:
		if !c.watches[host].plain {
			ctx = limiter.WithPriority(ctx, c.random.IntN(3)-1)
		}
	}
	leaves := time.AfterFunc(patience, cancel)
	defer leaves.Stop()
	method := []string{http.MethodGet, http.MethodGet, http.MethodPut, http.MethodPost}[c.random.IntN(4)]
	req, err := http.NewRequestWithContext(ctx, method, "http://"+host+"/", nil)
	if err != nil {
		panic(err)
	}
	if method != http.MethodGet {
		e.carry(req)
	}
	req.Header.Set(diceHeader, strconv.FormatUint(c.random.Uint64(), 10))
	start := c.now()
	code, err := c.exchange(req)
	how := howEnded(code, err)
	c.note(c.id, code, how)
	c.ends[how]++
	e.returned()
	if sent := int(e.sent.Load()); info.Attempts != sent {
		c.fail("a call was sent %d times, and Info says %d", sent, info.Attempts)
	}
	if how == wrong {
		c.fail("a call ended with %v", err)
	}
	var late *limiter.RejectedError
	if errors.As(err, &late) && late.Waited > c.maxWait+c.slack {
		c.fail("a call waited for %v, MaxWait is %v", late.Waited, c.maxWait)
	}
	spent := c.now() - start - e.dawdled
	if ctx.Err() == nil && (how == "cancelled" || how == "timed out" && spent < c.attemptTimeout) {
		c.fail("a call was %s after %v, by nobody: %v", how, spent, err)
	}
	if spent > c.timeout+c.slack {
		c.fail("a call took %v, Timeout is %v", spent, c.timeout)
	}
	if info.Queued > time.Duration(max(1, info.Attempts+1))*(c.maxWait+c.slack) {
		c.fail("%d attempts queued for %v, MaxWait is %v", info.Attempts, info.Queued, c.maxWait)
	}
}

// wrong is an end that there should not be.
const wrong = "wrong"

// howEnded names the one way in which a call has ended.
func howEnded(code int, err error) string {
	switch {
	case err == nil && code == 0:
		return "panicked"
	case err == nil:
		return "answered"
	case errors.Is(err, limiter.ErrRejected):
		return "rejected"
	case errors.Is(err, httpclient.ErrBreakerOpen):
		return "breaker open"
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, errReset), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errOnWay):
		return "failed"
	}
	return wrong
}

// exchange sends a request and reads its answer, or leaves it half read, or unread. The
// code is 0 if the Base has panicked.
func (c *caller) exchange(req *http.Request) (code int, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != errOfPanic {
				panic(p)
			}
			code, err = 0, nil
		}
	}()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	switch c.random.IntN(8) {
	case 0: // unread
	case 1:
		e := errandOf(req)
		e.dawdled = c.alone(c.random, time.Duration(c.random.IntN(600))*time.Millisecond)
		time.Sleep(e.dawdled)
	default:
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return resp.StatusCode, err
		}
	}
	return resp.StatusCode, nil
}
