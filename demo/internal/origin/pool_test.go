package origin

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

func testPool(workers, queue int) *pool {
	return newPool(Config{Workers: workers, Queue: queue, Service: 10 * time.Millisecond})
}

// isDone reports whether the work on a ticket is over.
func isDone(t *ticket) bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// Sleeping workers finish 10 ms + overshoot apart. Each wake-up here is 3 ms
// late, and 100 requests must still end at 100 / 2 × 10 ms.
func TestLateTimersDoNotCostCapacity(t *testing.T) {
	s := newSchedule(2, 10*time.Millisecond)
	begin := time.Now()
	var finish time.Time
	for range 100 {
		_, finish = s.book(begin)
	}
	if got := finish.Sub(begin); got != 500*time.Millisecond {
		t.Errorf("100 requests take 2 workers %v, want 500ms", got)
	}
	// The next request comes while the last is over but has not been noticed.
	start, _ := s.book(finish.Add(3 * time.Millisecond))
	if got := start.Sub(finish); got != 3*time.Millisecond {
		t.Errorf("a worker that had nothing to do began %v after it was free, want 3ms, the arrival", got)
	}
}

func TestNoRequestOvertakesAnother(t *testing.T) {
	const workers, service = 3, 10 * time.Millisecond
	random := rand.New(rand.NewPCG(1, 2))
	s := newSchedule(workers, service)
	now := time.Now()
	var starts []time.Time
	for i := range 10_000 {
		// On average as fast as the workers, so idle and busy times alternate.
		now = now.Add(time.Duration(random.Int64N(int64(2 * service / workers))))
		start, finish := s.book(now)
		if start.Before(now) || finish.Sub(start) != service {
			t.Fatalf("request %d came at %v and was booked from %v to %v", i, now, start, finish)
		}
		if i > 0 && start.Before(starts[i-1]) {
			t.Fatalf("request %d starts %v before the one that came earlier", i, starts[i-1].Sub(start))
		}
		if i >= workers {
			// The wait is exactly as long as all workers are busy, no longer.
			free := starts[i-workers].Add(service)
			if start.Before(free) || start.After(now) && !start.Equal(free) {
				t.Fatalf("request %d starts %v after a worker is free", i, start.Sub(free))
			}
		}
		starts = append(starts, start)
	}
}

func TestTicketsEndInTheOrderOfTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testPool(1, 0)
		var line []*ticket
		for range 5 {
			ticket, _ := p.enter()
			line = append(line, ticket)
		}
		for ended := range 6 {
			for i, ticket := range line {
				if got, want := isDone(ticket), i < ended; got != want {
					t.Errorf("after %d service times, ticket %d is done: %v, want %v", ended, i, got, want)
				}
			}
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
		}
	})
}

func TestFullQueueRefusesAndFreesAPlaceOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testPool(2, 3)
		for i := range 5 {
			if ticket, _ := p.enter(); ticket == nil {
				t.Fatalf("request %d of 2 workers + 3 places was refused", i)
			}
		}
		ticket, why := p.enter()
		if ticket != nil {
			t.Fatal("a sixth request found a place among 2 workers + 3 places")
		}
		if why.wait != 30*time.Millisecond || why.quota {
			t.Errorf("the line of 5 is said to be empty in %v, want 30ms", why.wait)
		}
		time.Sleep(10 * time.Millisecond)
		// No synctest.Wait: the place must be free at its time, and not when a
		// timer has got round to saying so.
		if ticket, _ := p.enter(); ticket == nil {
			t.Error("no place was free when two requests had ended")
		}
		if s := p.stats(); s.Rejected != 1 || s.MaxQueued != 3 || s.MaxInFlight != 5+1 {
			// Nobody has called leave, so the two that ended are still in flight.
			t.Errorf("want 1 refused, at most 3 queued and 6 in flight, got %+v", s)
		}
		p.shed() // stops the timer, which would outlive the bubble
	})
}

func TestBusyCountsUnfinishedWorkAndNoIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testPool(2, 0)
		time.Sleep(time.Second) // idle
		for range 3 {
			ticket, _ := p.enter()
			go func() { <-ticket.done; p.leave(ticket, false) }()
		}
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		if s := p.stats(); s.Busy != 10*time.Millisecond || s.Queued != 1 || s.InFlight != 3 {
			t.Errorf("after 5 ms, want two workers busy for 5 ms each and one request queued, got %+v", s)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		s := p.stats()
		if s.Busy != 30*time.Millisecond || s.Served != 3 || s.InFlight != 0 {
			t.Errorf("want 3 served in 30 ms of work, got %+v", s)
		}
		if want := 2*time.Second + 5*time.Millisecond; s.Elapsed != want {
			t.Errorf("the interval is %v long, want %v", s.Elapsed, want)
		}
	})
}

func TestShedEmptiesTheLineAndFreesTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testPool(1, 0)
		for range 1000 {
			ticket, _ := p.enter()
			go func() { <-ticket.done; p.leave(ticket, true) }()
		}
		p.shed()
		synctest.Wait()
		if s := p.stats(); s.Rejected != 1000 || s.InFlight != 0 || s.Queued != 0 {
			t.Errorf("want all 1000 refused, got %+v", s)
		}
		if ticket, _ := p.enter(); ticket != nil {
			t.Error("a request got in while the line was being emptied")
		}
		p.reset()
		begin := time.Now()
		ticket, _ := p.enter()
		<-ticket.done
		p.leave(ticket, false)
		if took := time.Since(begin); took != 10*time.Millisecond {
			t.Errorf("the first request of a new interval took %v, want 10ms: the worker was not freed", took)
		}
		if s := p.stats(); s.Started != 1 || s.Served != 1 || s.Rejected != 0 || s.MaxInFlight != 1 {
			t.Errorf("want a new account with 1 served, got %+v", s)
		}
	})
}

// Twenty requests of 10 ms wait for ten workers, two each; then there is one worker,
// and the ten that have not begun must take it 10 ms each.
func TestChangeServesTheQueueAtTheOldPaceOrLosesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testPool(10, 0)
		begin := time.Now()
		var tickets []*ticket
		for range 20 {
			ticket, _ := p.enter()
			tickets = append(tickets, ticket)
		}
		time.Sleep(5 * time.Millisecond)
		p.change(Config{Workers: 1, Service: 10 * time.Millisecond})
		for i, ticket := range tickets {
			<-ticket.done
			want := 10 * time.Millisecond
			if i >= 10 {
				want += time.Duration(i-9) * 10 * time.Millisecond
			}
			if got := time.Since(begin); got != want {
				t.Fatalf("request %d was answered after %v, want %v", i, got, want)
			}
			p.leave(ticket, false)
		}
		if s := p.stats(); s.Served != 20 || s.InFlight != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// After a change to a shorter network the later answer is ready first. The line is
// in the order of its answers, so it has to wait.
func TestChangeLetsAnAnswerOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(Config{Workers: 10, Service: 10 * time.Millisecond, Network: time.Second})
		first, _ := p.enter()
		p.change(Config{Workers: 10, Service: 10 * time.Millisecond})
		second, _ := p.enter()
		<-second.done
		if !isDone(first) {
			t.Error("the answer of the first is still on its way")
		}
		p.leave(first, false)
		p.leave(second, false)
		if s := p.stats(); s.Served != 2 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestChangeToAQuotaIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testPool(10, 0)
		p.change(Config{Workers: 10, Service: 10 * time.Millisecond, Quota: 10})
		refused := 0
		for range 100 {
			ticket, why := p.enter()
			if ticket == nil {
				refused++
				if !why.quota {
					t.Fatal("refused for another reason")
				}
			}
		}
		if refused < 90 {
			t.Errorf("%d of 100 at once were refused with a quota of 10 a second", refused)
		}
		p.shed()
	})
}
