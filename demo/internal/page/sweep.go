package page

import (
	"fmt"
	"math"
	"strconv"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// The kinds of a Sweep.
const (
	kindSweep = "sweep"
	kindProbe = "probe"
)

// Sweep is what the report needs of the JSON of a sweep or a probe. Fields that
// are missing are left out of the page.
type Sweep struct {
	Kind        string       `json:"kind"`
	Against     string       `json:"against"`  // what was called
	Endpoint    string       `json:"endpoint"` // the same, of a probe
	Target      string       `json:"target"`   // the same
	Answer      string       `json:"answer"`   // the sentence with the limit and why
	Because     string       `json:"because"`
	Points      []SweepPoint `json:"points"`
	Knee        *Knee        `json:"knee"`
	Kneedle     int          `json:"kneedle"`
	USL         *USL         `json:"usl"`
	Regions     *Regions     `json:"regions"`
	Stopped     string       `json:"stopped"` // why a probe ended
	Harm        string       `json:"harm"`
	Interrupted bool         `json:"interrupted"`
	Error       string       `json:"error"`

	// What a probe recommends.
	Limit   int     `json:"limit"`
	From    int     `json:"from"`
	To      int     `json:"to"`
	Rate    float64 `json:"rate"`
	Timeout float64 `json:"timeout_seconds"`
}

// A SweepPoint is what one limit gave.
type SweepPoint struct {
	Limit     int                `json:"limit"`
	Goodput   float64            `json:"goodput"`
	PerSecond float64            `json:"goodput_per_second"` // the same
	P50       float64            `json:"p50_ms"`
	P99       float64            `json:"p99_ms"`
	Failed    int                `json:"failed"`
	Counts    *experiment.Counts `json:"counts"` // in place of Failed
	Noisy     bool               `json:"noisy"`
}

func (p SweepPoint) goodput() float64 { return max(p.Goodput, p.PerSecond) }

func (p SweepPoint) failed() int {
	if p.Counts != nil {
		return p.Counts.Sum() - p.Counts.Succeeded - p.Counts.Cancelled
	}
	return p.Failed
}

// A Knee is the smallest limit with nearly the best goodput, and its interval.
type Knee struct {
	Limit int  `json:"limit"`
	From  int  `json:"from"`
	To    int  `json:"to"`
	Low   int  `json:"low"`  // the same as From
	High  int  `json:"high"` // the same as To
	Open  bool `json:"open"` // it may lie above the largest limit
}

// Interval are the ends of the interval, both 0 if there is none.
func (k Knee) Interval() [2]int { return [2]int{max(k.From, k.Low), max(k.To, k.High)} }

// Regions are the ranges of limits in which the far side behaves alike.
type Regions struct {
	LinearTo     int `json:"linear_to"`
	FlatTo       int `json:"flat_to"`
	CollapseFrom int `json:"collapse_from"`
	FailingFrom  int `json:"failing_from"`
}

// String names them.
func (r Regions) String() string {
	text := fmt.Sprintf("Up to %d in flight every further call brings goodput", r.LinearTo)
	if r.FlatTo > r.LinearTo {
		brings := "only brings latency"
		if r.FailingFrom > 0 && r.FailingFrom <= r.FlatTo {
			brings = fmt.Sprintf("brings none, and from %d on calls fail", r.FailingFrom)
		}
		text += fmt.Sprintf("; up to %d it %s", r.FlatTo, brings)
	}
	if r.CollapseFrom > 0 {
		text += fmt.Sprintf("; from %d on more in flight gets less done", r.CollapseFrom)
	}
	return text + "."
}

// USL are the parameters of the universal scalability law fitted to the points.
type USL struct {
	Sigma  float64 `json:"sigma"`
	Kappa  float64 `json:"kappa"`
	Lambda float64 `json:"lambda"`
	R2     float64 `json:"r2"`
}

// at is the throughput that the law gives for so many calls at once.
func (u USL) at(n float64) float64 {
	return u.Lambda * n / (1 + u.Sigma*(n-1) + u.Kappa*n*(n-1))
}

// A sweepView is the section of one sweep.
type sweepView struct {
	*Sweep
	ID     string
	Title  string
	Called string
	Advice string
	Noisy  bool
	Rows   [][]string
	Law    string
	Charts []*chart
}

func newSweepView(s *Sweep) *sweepView {
	v := &sweepView{Sweep: s, Title: "Where the knee is", Advice: s.Answer}
	if s.Kind == kindProbe {
		v.Title = "Your endpoint"
	}
	for _, called := range []string{s.Against, s.Endpoint, s.Target} {
		if called != "" {
			v.Called = called
		}
	}
	if v.Advice == "" && s.Limit > 0 {
		v.Advice = fmt.Sprintf("Use a limit of %d (%d to %d)", s.Limit, s.From, s.To)
		if s.Because != "" {
			v.Advice += ", because " + s.Because
		}
		v.Advice += fmt.Sprintf(". At most %.0f starts per second, and a timeout of %.3g s.", s.Rate, s.Timeout)
	}
	for _, p := range s.Points {
		text := fmt.Sprintf("%.0f", p.goodput())
		if p.Noisy {
			text += "†"
			v.Noisy = true
		}
		v.Rows = append(v.Rows, []string{
			strconv.Itoa(p.Limit), text, fmt.Sprintf("%.1f", p.P50), fmt.Sprintf("%.1f", p.P99), strconv.Itoa(p.failed()),
		})
	}
	if s.USL != nil {
		v.Law = fmt.Sprintf("Universal scalability law, as an overlay and not as the answer: σ = %.3g, κ = %.3g, λ = %.3g per second, R² = %.2f.",
			s.USL.Sigma, s.USL.Kappa, s.USL.Lambda, s.USL.R2)
		if s.USL.R2 < 0.95 {
			v.Law += " It fits badly: a far side with a hard number of places is not what it describes."
		}
	}
	if s.Kneedle > 0 {
		v.Law += fmt.Sprintf(" Kneedle (Satopää and others, 2011) finds %d.", s.Kneedle)
	}
	if len(s.Points) > 1 {
		v.Charts = []*chart{s.goodput(), s.latency()}
	}
	return v
}

// Early is why a probe ended before it was done, empty if it was not so.
func (s *Sweep) Early() string {
	if s.Stopped == "done" {
		return ""
	}
	return s.Stopped
}

func (s *Sweep) columns() (x, goodput, p50, p99 []float64) {
	for _, p := range s.Points {
		if p.Limit < 1 {
			continue
		}
		x, goodput = append(x, float64(p.Limit)), append(goodput, p.goodput())
		p50, p99 = append(p50, positive(p.P50)), append(p99, positive(p.P99))
	}
	return x, goodput, p50, p99
}

func (s *Sweep) goodput() *chart {
	c := &chart{
		Title: "Goodput by limit", X: axis{Label: "limit", Scale: "log2"}, Y: axis{Label: "successes per second", Scale: "linear"},
		Marks: s.marks(),
	}
	x, goodput, _, _ := s.columns()
	c.add(series{Label: "goodput", Colour: "fixed", Points: true}, x, goodput)
	if s.USL != nil {
		var law []float64
		for _, n := range x {
			law = append(law, s.USL.at(n))
		}
		c.add(series{Label: fmt.Sprintf("USL, R² %.2f", s.USL.R2), Colour: "other", Dashed: true}, x, law)
	}
	return c
}

func (s *Sweep) latency() *chart {
	c := &chart{
		Title: "Latency by limit", X: axis{Label: "limit", Scale: "log2"}, Y: axis{Label: "ms", Scale: "log10"},
		Marks: s.marks(),
	}
	x, _, p50, p99 := s.columns()
	c.add(series{Label: "p50", Colour: "adaptive", Points: true}, x, p50)
	c.add(series{Label: "p99", Colour: "unbounded", Points: true}, x, p99)
	return c
}

func (s *Sweep) marks() []mark {
	if s.Knee == nil {
		return nil
	}
	marks := []mark{{Axis: "x", At: float64(s.Knee.Limit), Text: "knee " + strconv.Itoa(s.Knee.Limit)}}
	if i := s.Knee.Interval(); i[0] > 0 && i[1] > i[0] {
		marks = append(marks, mark{Axis: "x", At: float64(i[0]), To: float64(i[1])})
	}
	return marks
}

// positive is what a logarithmic axis can show: not a number stands for a gap.
func positive(v float64) float64 {
	if v <= 0 {
		return math.NaN()
	}
	return v
}
