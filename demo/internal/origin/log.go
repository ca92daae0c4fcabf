package origin

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// requestLog is the origin's own record of how long requests were in it, from
// when it had read them to when their answers were ready. A client that says
// something else of the same requests is wrong, or speaks of the way.
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
