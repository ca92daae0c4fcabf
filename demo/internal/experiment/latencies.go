package experiment

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies is a distribution of durations, exact to three digits. Those of
// several runs can be merged, which is the only right way to get percentiles
// of them all: the mean of two medians is the median of nothing.
type Latencies struct {
	histogram *hdrhistogram.Histogram
	sum       time.Duration
	max       time.Duration
}

// Percentiles is what people look at, in milliseconds. All are 0 if there was
// nothing to measure.
type Percentiles struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// longest is the longest duration told apart; longer ones count as this. No
// run of the harness lasts a day.
const longest = 24 * time.Hour

func newLatencies() *Latencies {
	return &Latencies{histogram: hdrhistogram.New(1, longest.Microseconds(), 3)}
}

// Add adds a duration. It is not safe for concurrent use.
func (l *Latencies) Add(d time.Duration) { l.add(d) }

func (l *Latencies) add(d time.Duration) {
	d = min(max(d, 0), longest)
	_ = l.histogram.RecordValue(d.Microseconds()) // cannot fail: d is in range
	l.sum += d
	l.max = max(l.max, d)
}

// Merge adds the durations of other to l.
func (l *Latencies) Merge(other *Latencies) {
	if other == nil {
		return
	}
	l.histogram.Merge(other.histogram)
	l.sum += other.sum
	l.max = max(l.max, other.max)
}

// Count is the number of durations.
func (l *Latencies) Count() int { return int(l.histogram.TotalCount()) }

// Percentiles sums l up.
func (l *Latencies) Percentiles() Percentiles {
	n := l.Count()
	if n == 0 {
		return Percentiles{}
	}
	// A bucket of the histogram is reported by its upper end, which may lie
	// above the longest duration that there was.
	at := func(q float64) float64 {
		return min(float64(l.histogram.ValueAtQuantile(q))/1e3, milliseconds(l.max))
	}
	return Percentiles{
		Mean: milliseconds(l.sum) / float64(n),
		P50:  at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: milliseconds(l.max),
	}
}

// latenciesJSON is the JSON of Latencies. HDR is in the format that other tools
// read, base64 of V2 with compression, in microseconds.
type latenciesJSON struct {
	HDR   string        `json:"hdr"`
	Total time.Duration `json:"total_ns"`
	Max   time.Duration `json:"max_ns"`
}

// MarshalJSON writes the whole distribution, so that runs that were read from
// files can still be merged.
func (l *Latencies) MarshalJSON() ([]byte, error) {
	text, err := l.histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encoding latencies: %w", err)
	}
	return json.Marshal(latenciesJSON{HDR: string(text), Total: l.sum, Max: l.max})
}

// UnmarshalJSON reads what MarshalJSON has written.
func (l *Latencies) UnmarshalJSON(text []byte) error {
	var in latenciesJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	histogram, err := hdrhistogram.Decode([]byte(in.HDR))
	if err != nil {
		return fmt.Errorf("decoding latencies: %w", err)
	}
	*l = Latencies{histogram: hdrhistogram.New(1, longest.Microseconds(), 3), sum: in.Total, max: in.Max}
	l.histogram.Merge(histogram) // into one of our own range, whatever the file's was
	return nil
}

// A Quantile is the share of durations that are at most so many milliseconds.
type Quantile struct {
	Share float64 // from 0 to 1
	MS    float64
}

// Curve returns the distribution as a line, densest at its upper end, where
// what matters is.
func (l *Latencies) Curve() (curve []Quantile) {
	n := l.Count()
	if n == 0 {
		return nil
	}
	at := func(share float64) {
		ms := min(float64(l.histogram.ValueAtQuantile(100*share))/1e3, milliseconds(l.max))
		curve = append(curve, Quantile{share, ms})
	}
	for share := 0.0; share < 0.9; share += 0.02 {
		at(share)
	}
	// Above the percentile of the last single call there is nothing to see.
	for above := 0.1; above*float64(n) >= 1; above *= 0.85 {
		at(1 - above)
	}
	return curve
}

// MergedLatencies merges all of ls into a new one.
func MergedLatencies(ls ...*Latencies) *Latencies {
	all := newLatencies()
	for _, l := range ls {
		all.Merge(l)
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
