package origin

import "time"

// schedule says when each request is worked on. It stands for the workers:
// they are not goroutines that sleep, they are arithmetic.
//
// A worker that slept for the service time would be late each time by what the
// timer overshoots, about 1 ms on an ordinary Linux machine. With 10 ms of
// service that turns 800 requests per second into 730, and into a different
// figure on every machine, which no rule could predict. The schedule instead
// takes the moment at which a worker was due to finish as the start of its next
// request, however late the timer was. Overshoot delays single answers by about
// 1 ms and never adds up.
//
// Since all requests take equally long and start in order, they also end in
// order, and worker number i mod W is always the one that is free first. The
// whole pool is therefore one recurrence over the last W finishing times:
//
//	start(i)  = max(arrival(i), finish(i-W))
//	finish(i) = start(i) + service
//
// The arrival is in it, and not the present, because "the present" would be the
// late wake-up again. schedule is not safe for concurrent use.
type schedule struct {
	service time.Duration
	free    []time.Time // when each worker is free; the zero time is long ago
	next    int         // the worker that is free first
}

func newSchedule(workers int, service time.Duration) schedule {
	return schedule{service: service, free: make([]time.Time, workers)}
}

// book takes the worker that is free first. Arrivals must not go backwards.
func (s *schedule) book(arrival time.Time) (start, finish time.Time) {
	start = arrival
	if f := s.free[s.next]; f.After(start) {
		start = f
	}
	finish = start.Add(s.service)
	s.free[s.next] = finish
	s.next = (s.next + 1) % len(s.free)
	return start, finish
}

// occupy has the next worker finish at that time, for work that was booked with
// another schedule. Times must not go backwards.
func (s *schedule) occupy(until time.Time) {
	s.free[s.next] = until
	s.next = (s.next + 1) % len(s.free)
}

// clear frees all workers.
func (s *schedule) clear() {
	clear(s.free)
}
