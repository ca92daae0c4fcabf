package origin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSaturatedOriginKeepsItsCapacity(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second of real time")
	}
	o := start(t, Config{})
	client := newClient(t, 0)
	ctx := testContext(t)
	if err := o.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(time.Second)
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() {
			for time.Now().Before(end) {
				if status, _, err := get(ctx, client, o.URL()); status != http.StatusOK {
					t.Errorf("a call gave %d, %v", status, err)
				}
			}
		})
	}
	clients.Wait()
	s := stats(t, o)
	rate := float64(s.Served) / s.Elapsed.Seconds()
	t.Logf("%.1f/s of %.0f/s, lag up to %v, %d connections", rate, Config{}.Capacity(), s.MaxLag, s.Connections)
	// There is no lower bound, because other programs may share the machine; but no
	// load on the machine makes the origin faster.
	if most := 1.05 * (Config{}).Capacity(); s.Served == 0 || rate > most {
		t.Errorf("the origin served %.1f/s, want at most %.0f/s", rate, most)
	}
	if s.MaxInFlight > 64 || s.MaxQueued > 64-8 || s.ServedLate != 0 || s.Connections < 1 {
		t.Errorf("64 patient clients left the account %+v", s)
	}
	if limit := 8 * s.Elapsed; s.Busy > limit {
		t.Errorf("8 workers were busy for %v in %v", s.Busy, s.Elapsed)
	}
	checkSum(t, s)
}

// A thousand calls at once are more than capacity × timeout = 400, and a batch
// of 200 is less: the demo's second experiment, with half its timeout, because
// a busy machine needs a quarter of a second to make a thousand calls, and then
// they are not at once enough to exceed a second.
func TestCallsTimeOutAtOnceAndNotInBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("takes three seconds of real time")
	}
	o := start(t, Config{})
	ctx := testContext(t)
	run := func(batch int) (timeouts int64) {
		if err := o.Reset(ctx); err != nil {
			t.Fatal(err)
		}
		client := newClient(t, 500*time.Millisecond)
		var count atomic.Int64
		begin := time.Now()
		for range 1000 / batch {
			var calls sync.WaitGroup
			for range batch {
				calls.Go(func() {
					_, _, err := get(ctx, client, o.URL())
					var timeout interface{ Timeout() bool }
					switch {
					case err == nil:
					case errors.As(err, &timeout) && timeout.Timeout():
						count.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			calls.Wait()
		}
		took := time.Since(begin)
		if err := o.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		s := stats(t, o)
		t.Logf("%4d at once: %d timeouts in %v, %+v", batch, count.Load(), took.Round(time.Millisecond), s)
		checkSum(t, s)
		if s.InFlight != 0 || s.Queued != 0 {
			t.Errorf("the origin was not empty after Drain: %+v", s)
		}
		return count.Load()
	}
	atOnce, batched := run(1000), run(200)
	if atOnce < 100 {
		t.Errorf("%d of 1000 calls at once timed out, want about 500", atOnce)
	}
	if batched*10 > atOnce {
		t.Errorf("%d calls in batches timed out, against %d at once: want about none", batched, atOnce)
	}
}

func TestAnswersComeInTheOrderOfArrival(t *testing.T) {
	o := start(t, Config{Workers: 1, Service: 20 * time.Millisecond})
	client := newClient(t, 0)
	ctx := testContext(t)
	answered := make(chan int, 10)
	for i := range cap(answered) {
		go func() {
			if status, _, err := get(ctx, client, o.URL()); status != http.StatusOK {
				t.Errorf("call %d gave %d, %v", i, status, err)
			}
			answered <- i
		}()
		await(t, o, "the call has arrived", func(s Stats) bool { return s.Started == int64(i+1) })
	}
	var order []int
	for range cap(answered) {
		order = append(order, <-answered)
	}
	if !slices.IsSorted(order) {
		t.Errorf("the answers came in the order %v", order)
	}
}

func TestFullQueueAnswers503WithRetryAfter(t *testing.T) {
	o := start(t, Config{Workers: 1, Service: 100 * time.Millisecond, Queue: 2})
	client := newClient(t, 0)
	ctx := testContext(t)
	var calls sync.WaitGroup
	var served, refused atomic.Int64
	for range 20 {
		calls.Go(func() {
			status, header, err := get(ctx, client, o.URL())
			switch status {
			case http.StatusOK:
				served.Add(1)
			case http.StatusServiceUnavailable:
				refused.Add(1)
				if s, err := strconv.Atoi(header.Get("Retry-After")); err != nil || s < 1 {
					t.Errorf("Retry-After is %q, want whole seconds from 1", header.Get("Retry-After"))
				}
			default:
				t.Errorf("a call gave %d, %v", status, err)
			}
		})
	}
	calls.Wait()
	s := stats(t, o)
	if refused.Load() == 0 || s.Rejected != refused.Load() || s.Served != served.Load() || s.MaxQueued > 2 {
		t.Errorf("the callers saw %d served and %d refused, the origin %+v", served.Load(), refused.Load(), s)
	}
	checkSum(t, s)
}

func TestWorkForCallersThatHaveLeftIsDoneAndCounted(t *testing.T) {
	o := start(t, Config{Workers: 1, Service: 200 * time.Millisecond})
	client := newClient(t, 0)
	ctx, leave := context.WithCancel(testContext(t))
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() {
			if _, _, err := get(ctx, client, o.URL()); !errors.Is(err, context.Canceled) {
				t.Errorf("a call that was given up returned %v", err)
			}
		})
	}
	await(t, o, "all calls are in", func(s Stats) bool { return s.Started == 3 })
	leave()
	calls.Wait()
	if err := o.Drain(testContext(t)); err != nil {
		t.Fatal(err)
	}
	s := stats(t, o)
	if s.Started != 3 || s.ServedLate != 3 || s.Busy != 600*time.Millisecond || s.Connections != 3 {
		t.Errorf("want 3 served late in 600 ms of work over 3 connections, got %+v", s)
	}
	checkSum(t, s)
}

func TestOneRunDoesNotDisturbTheNext(t *testing.T) {
	o := start(t, Config{Workers: 1, Service: time.Second})
	client := newClient(t, 0)
	patient := newClient(t, 0)
	ctx, leave := context.WithCancel(testContext(t))
	var calls sync.WaitGroup
	for range 100 {
		calls.Go(func() { _, _, _ = get(ctx, client, o.URL()) })
	}
	calls.Go(func() {
		// A caller that stays must be told, and not be left to wait.
		if status, _, err := get(testContext(t), patient, o.URL()); status != http.StatusServiceUnavailable {
			t.Errorf("a caller of a run that was reset got %d, %v, want 503", status, err)
		}
	})
	await(t, o, "all calls are in", func(s Stats) bool { return s.Started == 101 })
	leave()

	// A Drain would take 100 s; it must say so, and leave the run as it is.
	short, cancel := context.WithTimeout(testContext(t), 10*time.Millisecond)
	defer cancel()
	if err := o.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain gave %v, want the end of its context", err)
	}
	if s := stats(t, o); s.Queued < 90 || s.Rejected != 0 {
		t.Errorf("Drain changed the run: %+v", s)
	}

	if err := o.Reset(testContext(t)); err != nil {
		t.Fatal(err)
	}
	calls.Wait()
	if s := stats(t, o); s.Started+s.Connections+s.InFlight+s.MaxInFlight != 0 || s.Busy != 0 {
		t.Errorf("the new interval begins with %+v", s)
	}
	begin := time.Now()
	if status, _, err := get(testContext(t), patient, o.URL()); status != http.StatusOK {
		t.Errorf("the first call after Reset gave %d, %v", status, err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("the first call after Reset took %v behind an empty queue", took)
	}
	// The connection was kept alive through Reset, so the call opened no other.
	if s := stats(t, o); s.Started != 1 || s.Served != 1 || s.Connections != 0 {
		t.Errorf("want 1 served over a connection that was open already, got %+v", s)
	}
}
