package scenario

import "time"

// A Moment is what could be seen at a time of a run, by somebody who sees both
// sides.
type Moment struct {
	At       time.Duration // since the run began
	Limit    int           // of all clients together
	Limits   []int         // of each, if there are several; 0 of one who is not there
	InFlight int           // calls of the clients that are judged
	Waiting  int           // calls of anybody that have reached the server and that no worker has begun
	Done     int           // successes since the moment before
}

// Course is how a run went, every 100 ms.
func (r *Result) Course() (course []Moment) {
	at := time.Duration(0)
	for i := range r.Phases {
		for _, b := range r.Phases[i].bins {
			at += binLong
			course = append(course, Moment{
				At: at, Limit: b.limit, Limits: b.limits, InFlight: b.inFlight, Waiting: b.waiting, Done: b.done,
			})
		}
	}
	return course
}
