package experiment

import (
	"math"
	"slices"
	"time"
)

// A Recorder notes when each task of a run started and how and when it ended.
// Each task writes to places of its own, so recording takes no lock and does
// not make the tasks wait for each other; the sums are made after the run.
type Recorder struct {
	begin   time.Time
	ends    []End
	started []time.Duration // since begin; notStarted if it was never admitted
	ended   []time.Duration
}

const notStarted = time.Duration(-1)

// newRecorder returns a Recorder for n tasks that are submitted now.
func newRecorder(n int) *Recorder {
	r := &Recorder{
		ends:    make([]End, n),
		started: make([]time.Duration, n),
		ended:   make([]time.Duration, n),
	}
	for i := range r.started {
		r.started[i] = notStarted
	}
	r.begin = time.Now()
	return r
}

// Start notes that task i has been admitted and begins its call. A task may
// start once.
func (r *Recorder) Start(i int) { r.started[i] = time.Since(r.begin) }

// End notes how task i ended. A task may end once.
func (r *Recorder) End(i int, e End) {
	r.ended[i] = time.Since(r.begin)
	r.ends[i] = e
}

// counts may be called when all tasks have ended.
func (r *Recorder) counts() Counts {
	var c Counts
	for _, e := range r.ends {
		c.add(e)
	}
	return c
}

// latencies returns the durations of the calls themselves, and the times from
// the start of the run to their ends. Only calls that started and were not
// cancelled are in it, failed ones included: the survivors of an overload are
// not the whole story.
func (r *Recorder) latencies() (call, sinceSubmitted *Latencies) {
	call, sinceSubmitted = newLatencies(), newLatencies()
	for i, from := range r.started {
		if from == notStarted || r.ends[i] == Cancelled {
			continue
		}
		call.add(r.ended[i] - from)
		sinceSubmitted.add(r.ended[i])
	}
	return call, sinceSubmitted
}

// spans returns when the tasks ran, if there are few enough.
func (r *Recorder) spans() (s []Span) {
	if len(r.ends) > mostSpans {
		return nil
	}
	tenth := func(d time.Duration) float64 { return math.Round(10*milliseconds(d)) / 10 }
	for i, from := range r.started {
		if from != notStarted && r.ends[i] != Cancelled {
			s = append(s, Span{tenth(from), tenth(r.ended[i])})
		}
	}
	slices.SortFunc(s, func(a, b Span) int { return slices.Compare(a[:], b[:]) })
	return s
}

// leastSamples is how many samples the mean of the calls in flight needs before
// it is worth comparing with anything.
const leastSamples = 20

// little compares the sampled mean of the calls in flight with what Little's
// law makes of the latencies: calls per second times their mean.
func little(mean float64, samples int, calls *Latencies, wall time.Duration) *float64 {
	want := calls.sum.Seconds() / wall.Seconds()
	if samples < leastSamples || want == 0 {
		return nil
	}
	residual := mean/want - 1
	return &residual
}
