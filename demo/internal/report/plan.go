package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// Plan writes what is about to run and what is expected of it, before anything
// has been measured.
func Plan(w io.Writer, s Style, load experiment.Workload, n int, policies []experiment.Policy) {
	fmt.Fprintf(w, "\n%s\n", s.bold(fmt.Sprintf("%s, %s tasks", load.Name(), grouped(n))))
	fmt.Fprintf(w, "  %s\n", load.About())
	if law := load.Law(); law != "" {
		fmt.Fprintf(w, "  %s\n", law)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, p := range policies {
		lead := "  "
		if i == 0 {
			lead = "  expected:"
		}
		text := "takes at least " + seconds(load.Floor(n, p).Seconds())
		if q, ok := load.Predict(n, p); ok {
			text += "\t" + what(q) + " " + q.Text
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", lead, p.Text, text)
	}
	_ = t.Flush() // of a stream that shows its errors elsewhere
}

// Checks are how the predictions of rows compare with what happened.
type Checks struct {
	Of     string   // what they are about
	Failed []string // each a sentence
	Held   []string // rows with what happened
	Open   []string // the same where nothing was predicted
}

// ChecksOf compares the predictions of rows with what happened.
func ChecksOf(rows []Row) (c Checks) {
	for _, r := range rows {
		if r.Interrupted || r.Predictions[0] == nil {
			continue
		}
		q := *r.Predictions[0] // the same for all runs, as it comes from nothing measured
		c.Of = what(q)
		observed := spreadOf(r.All, func(run *experiment.Run) float64 { return float64(q.Observed(run.Counts)) })
		text := named(r) + " " + observed.whole()
		failed := 0
		for _, run := range r.All {
			if !q.Held(run.Counts) {
				failed++
			}
		}
		switch {
		case failed > 0:
			c.Failed = append(c.Failed, fmt.Sprintf("%s %s in %d of %d runs; the prediction was %s", text, c.Of, failed, r.Runs, q.Text))
		case q.Open:
			c.Open = append(c.Open, text)
		default:
			c.Held = append(c.Held, text)
		}
	}
	return c
}

// Check writes how the predictions compare with what happened: in one line
// those that held, in one each those that did not.
func Check(w io.Writer, s Style, rows []Row) {
	c := ChecksOf(rows)
	for _, text := range c.Failed {
		fmt.Fprintf(w, "  %s %s\n", s.bad("✗ not as predicted:"), text)
	}
	if len(c.Held) > 0 {
		fmt.Fprintf(w, "  %s %s: %s\n", s.good("✓ as predicted,"), c.Of, strings.Join(c.Held, ", "))
	}
	if len(c.Open) > 0 {
		fmt.Fprintf(w, "  without a prediction, %s: %s\n", c.Of, strings.Join(c.Open, ", "))
	}
}

// whole writes a spread of whole numbers.
func (s Spread) whole() string {
	if s.Min == s.Max {
		return fmt.Sprintf("%.0f", s.Median)
	}
	return fmt.Sprintf("%.0f–%.0f", s.Min, s.Max)
}

// what names what a prediction is about.
func what(q experiment.Prediction) string {
	if q.Of == "refused" {
		return "refused"
	}
	return "timed out"
}

// grouped is short for [Grouped].
func grouped(n int) string { return Grouped(n) }

// Grouped writes a number with commas between its thousands.
func Grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }
