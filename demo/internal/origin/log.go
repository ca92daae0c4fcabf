package origin

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// requestLog is the origin's own record of how long requests were in it: from
// when it had accepted their connection, or had read them if they are not the
// first on it, to when their answers were ready. A client that says something
// else of the same requests is wrong, or speaks of the way.
type requestLog struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram // microseconds
}

func newRequestLog() *requestLog {
	return &requestLog{histogram: hdrhistogram.New(1, (24 * time.Hour).Microseconds(), 3)}
}

func (l *requestLog) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.histogram.RecordValue(max(0, d.Microseconds())) // longer than a day is no request
}

func (l *requestLog) median() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.histogram.ValueAtQuantile(50)) * time.Microsecond
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.histogram.Reset()
}

// acceptedKey is where a connection's context has the time of its acceptance.
type acceptedKey struct{}

// accepted is when a connection was accepted; nil once a request has used it.
type accepted struct{ at atomic.Pointer[time.Time] }

// connContext is for http.Server.
func connContext(ctx context.Context, _ net.Conn) context.Context {
	now := time.Now()
	a := new(accepted)
	a.at.Store(&now)
	return context.WithValue(ctx, acceptedKey{}, a)
}

// beginOf is when the request of ctx began for the origin.
func beginOf(ctx context.Context) time.Time {
	if a, ok := ctx.Value(acceptedKey{}).(*accepted); ok {
		if at := a.at.Swap(nil); at != nil {
			return *at
		}
	}
	return time.Now()
}
