package page

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// SleepSweep is what the report needs of the JSON of a sweep over the number of
// sleeping tasks.
type SleepSweep struct {
	Rows        []SleepRow `json:"rows"`
	Refused     []string   `json:"refused"`
	BestUpTo    int        `json:"best_up_to"` // all at once is best up to here
	LosesFrom   int        `json:"loses_from"` // and from here on it is not; 0 if nowhere
	LosesTo     string     `json:"loses_to"`
	Interrupted bool       `json:"interrupted"`
}

// A SleepRow is what one number of tasks took under one policy.
type SleepRow struct {
	N         int     `json:"n"`
	Policy    string  `json:"policy"`
	Median    float64 `json:"median_seconds"`
	Floor     float64 `json:"floor_seconds"`
	PeakAlive int     `json:"peak_alive"`
	BytesPer  float64 `json:"bytes_per_task"`
	P99       float64 `json:"p99_ms"`
	Noisy     bool    `json:"noisy"`
}

// A sleepView is its section.
type sleepView struct {
	*SleepSweep
	ID      string
	Finding string
	Cells   [][]string
	Charts  []*chart
}

func newSleepView(s *SleepSweep) *sleepView {
	v := &sleepView{SleepSweep: s, ID: "sleep-sweep"}
	switch {
	case s.LosesFrom > 0:
		v.Finding = fmt.Sprintf("All at once is the fastest up to %s tasks. At %s it loses to %s.",
			report.Grouped(s.BestUpTo), report.Grouped(s.LosesFrom), s.LosesTo)
	case s.BestUpTo > 0:
		v.Finding = fmt.Sprintf("All at once is the fastest as far as this went, up to %s tasks.", report.Grouped(s.BestUpTo))
	}
	c := &chart{
		Title: "Time by number of tasks", Note: "Medians. Both axes are logarithmic.",
		X: axis{Label: "tasks", Scale: "log10"}, Y: axis{Label: "s", Scale: "log10"},
	}
	var policies []string
	for _, r := range s.Rows {
		text := fmt.Sprintf("%.2f", r.Median)
		if r.Noisy {
			text += "†"
		}
		v.Cells = append(v.Cells, []string{
			report.Grouped(r.N), r.Policy, text, fmt.Sprintf("%.2f", r.Floor), report.Grouped(r.PeakAlive),
			strconv.Itoa(int(r.BytesPer)), fmt.Sprintf("%.0f", r.P99),
		})
		if !slices.Contains(policies, r.Policy) {
			policies = append(policies, r.Policy)
		}
	}
	for _, p := range policies {
		var x, y []float64
		for _, r := range s.Rows {
			if r.Policy == p && r.N > 0 {
				x, y = append(x, float64(r.N)), append(y, positive(r.Median))
			}
		}
		if len(x) > 1 {
			c.add(series{Label: p, Colour: colour(p), Points: true}, x, y)
		}
	}
	if len(c.Series) > 0 {
		if s.LosesFrom > 0 {
			c.Marks = []mark{{Axis: "x", At: float64(s.LosesFrom), Text: "no longer all at once"}}
		}
		v.Charts = []*chart{c}
	}
	return v
}
