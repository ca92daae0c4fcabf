package experiment

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

type timeout struct{}

func (timeout) Error() string { return "timeout" }
func (timeout) Timeout() bool { return true }

func TestEachErrorHasOneEnd(t *testing.T) {
	waited := limiter.New(limiter.Fixed(1), limiter.MaxQueue(0))
	permit, _ := waited.Acquire(t.Context())
	defer permit.Release()
	_, rejected := waited.Acquire(t.Context())
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	_, rejectedLate := waited.Acquire(late)
	for _, tt := range []struct {
		err  error
		want End
	}{
		{nil, Succeeded},
		{context.DeadlineExceeded, TimedOut},
		{fmt.Errorf("wrapped: %w", timeout{}), TimedOut},
		{rejected, Rejected},
		{rejectedLate, Rejected}, // says that it timed out, and no call was made
		{fmt.Errorf("%w: 503", errRefused), Refused},
		{fmt.Errorf("dial: %w", syscall.ECONNREFUSED), Refused},
		{errors.New("anything else"), Failed},
	} {
		if got := endOf(t.Context(), tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got := endOf(ended, context.DeadlineExceeded); got != Cancelled {
		t.Errorf("after an interrupt: %v, want %v", got, Cancelled)
	}
}

func TestTasksThatNobodyCameToAreCancelled(t *testing.T) {
	r := newRecorder(10)
	r.Start(3)
	r.End(3, Succeeded)
	r.End(4, Rejected)
	c := r.counts()
	if want := (Counts{Succeeded: 1, Rejected: 1, Cancelled: 8}); c != want || c.Sum() != 10 {
		t.Errorf("%+v, want %+v", c, want)
	}
	if calls, _ := r.latencies(); calls.Count() != 1 {
		t.Errorf("%d calls measured, want the one that started", calls.Count())
	}
}

func TestPercentilesOfSeveralRunsAreNotAveraged(t *testing.T) {
	fast, slow := newLatencies(), newLatencies()
	for range 90 {
		fast.add(time.Millisecond)
	}
	for range 10 {
		slow.add(time.Second)
	}
	p := MergedLatencies(fast, slow, nil).Percentiles()
	if p.P50 != 1 || p.P99 != 1000 || p.Max != 1000 {
		t.Errorf("%+v, want a median of 1 and a p99 of 1000", p)
	}
	if p := newLatencies().Percentiles(); p != (Percentiles{}) {
		t.Errorf("of nothing: %+v, want zeros, which JSON can hold", p)
	}
}

func TestTimelineStaysSmall(t *testing.T) {
	var line timeline
	const points = 54_321
	for i := range points {
		line.add(Point{T: float64(i)})
	}
	line.end(Point{T: points})
	if n := len(line.points); n > maxPoints || n < maxPoints/4 {
		t.Errorf("%d points, want at most %d and not far fewer", n, maxPoints)
	}
	if last := line.points[len(line.points)-1].T; last != points {
		t.Errorf("it ends at %v, want %v", last, points)
	}
	gap := line.points[1].T - line.points[0].T
	for i := 2; i < len(line.points)-1; i++ {
		if line.points[i].T-line.points[i-1].T != gap {
			t.Fatalf("points %d and %d are not %v apart", i-1, i, gap)
		}
	}
}

func TestEveryPolicyTakesItsTurn(t *testing.T) {
	w := NewSleep(1, 0)
	policies := Policies(w, PolicyNames, 10, Choices{})
	if len(policies) != len(PolicyNames)-1 {
		t.Errorf("sleep has %d policies, want all but pool", len(policies))
	}
	var orders []string
	for repeat := range 6 {
		order := ""
		seen := map[string]bool{}
		for _, p := range Order(w, 10, policies, 1, repeat) {
			seen[p.Name] = true
			order += p.Name + " "
		}
		if len(seen) != len(policies) {
			t.Errorf("repeat %d has %s, want each policy once", repeat, order)
		}
		orders = append(orders, order)
	}
	for i := range orders[1:] {
		if orders[i] != orders[0] {
			return
		}
	}
	t.Errorf("all repeats have the order %s", orders[0])
}

func TestForeignWorkIsNotOurs(t *testing.T) {
	before := readCPU()
	if !before.ok {
		t.Skip("this system does not tell")
	}
	if before.own > before.all {
		t.Errorf("this program used %v of %v", before.own, before.all)
	}
	share, _ := before.foreign(time.Second)
	if share == nil || *share < 0 {
		t.Errorf("share %v, want at least 0", share)
	}
}
