package page

import (
	"fmt"
	"math"
	"strconv"
)

// sweepKinds are the kinds of files that hold a Sweep.
var sweepKinds = []string{"sweep", "probe"}

// Sweep is what the report needs of the JSON of a sweep or a probe. Fields that
// are missing are left out of the page.
type Sweep struct {
	Kind        string       `json:"kind"`
	Target      string       `json:"target"`
	Answer      string       `json:"answer"` // the sentence with the limit and why
	Points      []SweepPoint `json:"points"`
	Knee        *Knee        `json:"knee"`
	USL         *USL         `json:"usl"`
	Regions     []Region     `json:"regions"`
	Stopped     string       `json:"stopped"` // why a probe ended early
	Interrupted bool         `json:"interrupted"`
	Error       string       `json:"error"`
}

// A SweepPoint is what one limit gave.
type SweepPoint struct {
	Limit   int     `json:"limit"`
	Goodput float64 `json:"goodput_per_second"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Failed  int     `json:"failed"`
}

// A Knee is the smallest limit with nearly the best goodput, and its interval.
type Knee struct {
	Limit int `json:"limit"`
	Low   int `json:"low"`
	High  int `json:"high"`
}

// USL are the parameters of the universal scalability law fitted to the points.
type USL struct {
	Sigma  float64 `json:"sigma"`
	Kappa  float64 `json:"kappa"`
	Lambda float64 `json:"lambda"`
	R2     float64 `json:"r2"`
}

// A Region is a range of limits in which the far side behaves alike.
type Region struct {
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
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
	Rows   [][]string
	Law    string
	Charts []*chart
}

func newSweepView(s *Sweep) *sweepView {
	v := &sweepView{Sweep: s, Title: "Where the knee is"}
	if s.Kind == "probe" {
		v.Title = "Your endpoint"
	}
	for _, p := range s.Points {
		v.Rows = append(v.Rows, []string{
			strconv.Itoa(p.Limit), fmt.Sprintf("%.0f", p.Goodput),
			fmt.Sprintf("%.1f", p.P50), fmt.Sprintf("%.1f", p.P99), strconv.Itoa(p.Failed),
		})
	}
	if s.USL != nil {
		v.Law = fmt.Sprintf("Universal scalability law, as an overlay and not as the answer: σ = %.3g, κ = %.3g, λ = %.3g per second, R² = %.2f.",
			s.USL.Sigma, s.USL.Kappa, s.USL.Lambda, s.USL.R2)
		if s.USL.R2 < 0.95 {
			v.Law += " It fits badly: a far side with a hard number of places is not what it describes."
		}
	}
	if len(s.Points) > 1 {
		v.Charts = []*chart{s.goodput(), s.latency()}
	}
	return v
}

func (s *Sweep) columns() (x, goodput, p50, p99 []float64) {
	for _, p := range s.Points {
		if p.Limit < 1 {
			continue
		}
		x, goodput = append(x, float64(p.Limit)), append(goodput, p.Goodput)
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
	if s.Knee.Low > 0 && s.Knee.High > s.Knee.Low {
		marks = append(marks, mark{Axis: "x", At: float64(s.Knee.Low), To: float64(s.Knee.High)})
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
