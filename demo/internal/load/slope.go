package load

import (
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// ended is one call: when it ended, how long it had taken, and how it ended.
type ended struct {
	at, took time.Duration
	end      experiment.End
}

// log is the calls of one caller.
type log struct{ calls []ended }

func (l *log) add(e ended) { l.calls = append(l.calls, e) }

// A Record is the calls of a trial that are not made by [HTTP] but, say, in
// virtual time. Its methods must not be called concurrently.
type Record struct {
	trial      Trial
	log        log
	harm       string
	retryAfter time.Duration
}

// NewRecord returns the record of a trial without calls.
func NewRecord(t Trial) *Record { return &Record{trial: t} }

// Ended notes a call that ended so, so long after the beginning of the trial.
func (r *Record) Ended(at, took time.Duration, end experiment.End) { r.log.add(ended{at, took, end}) }

// Harm notes why the trial ends early. The first reason counts.
func (r *Record) Harm(why string, retryAfter time.Duration) {
	if r.harm == "" {
		r.harm, r.retryAfter = why, retryAfter
	}
}

// Halted reports whether harm has been noted.
func (r *Record) Halted() bool { return r.harm != "" }

// Measurement sums up the trial.
func (r *Record) Measurement() Measurement {
	m := r.trial.measurement([]log{r.log})
	m.Harm, m.RetryAfter = r.harm, r.retryAfter.Seconds()
	return m
}

// measurement sums up what ended in the window.
func (t Trial) measurement(logs []log) Measurement {
	m := Measurement{Limit: t.Limit}
	from := t.Ramp + t.Warm
	latencies := experiment.MergedLatencies()
	var successes []time.Duration
	var took []float64
	for _, l := range logs {
		for _, c := range l.calls {
			m.All.Add(c.end)
			if c.at < from || c.at >= from+t.Window {
				continue
			}
			m.Counts.Add(c.end)
			if c.end != experiment.Cancelled {
				latencies.Add(c.took)
			}
			if c.end == experiment.Succeeded {
				successes, took = append(successes, c.at), append(took, c.took.Seconds())
			}
		}
	}
	m.Latency = latencies.Percentiles()
	m.Goodput = Slope(successes, t.Window)
	m.Little = m.Goodput * m.Latency.Mean / 1000 / float64(t.Limit)
	if len(took) > 1 {
		mean, deviation := stat.MeanStdDev(took, nil)
		m.Variation = deviation / mean
	}
	return m
}

// Slope is how many of these moments there are per second: by least squares the
// slope of their number over the time, and their number over the window if all
// of them, or too few, are at one place. It orders moments.
func Slope(moments []time.Duration, window time.Duration) float64 {
	slices.Sort(moments)
	n := len(moments)
	if n < 2 || moments[n-1]-moments[0] < window/2 {
		return float64(n) / window.Seconds()
	}
	x, y := make([]float64, n), make([]float64, n)
	for i, at := range moments {
		x[i], y[i] = at.Seconds(), float64(i)
	}
	_, slope := stat.LinearRegression(x, y, nil, false)
	return slope
}
