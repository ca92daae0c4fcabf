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

// Check writes how the predictions compare with what happened: in one line
// those that held, in one each those that did not.
func Check(w io.Writer, s Style, rows []Row) {
	var held, open []string
	var of string
	for _, r := range rows {
		if r.Interrupted || r.Predictions[0] == nil {
			continue
		}
		q := *r.Predictions[0] // the same for all runs, as it comes from nothing measured
		of = what(q)
		observed := spreadOf(r.All, func(run *experiment.Run) float64 { return float64(q.Observed(run.Counts)) })
		text := r.Label + " " + observed.whole()
		failed := 0
		for _, run := range r.All {
			if !q.Held(run.Counts) {
				failed++
			}
		}
		switch {
		case failed > 0:
			fmt.Fprintf(w, "  %s %s %s in %d of %d runs; the prediction was %s\n",
				s.bad("✗ not as predicted:"), text, of, failed, r.Runs, q.Text)
		case q.Open:
			open = append(open, text)
		default:
			held = append(held, text)
		}
	}
	if len(held) > 0 {
		fmt.Fprintf(w, "  %s %s: %s\n", s.good("✓ as predicted,"), of, strings.Join(held, ", "))
	}
	if len(open) > 0 {
		fmt.Fprintf(w, "  without a prediction, %s: %s\n", of, strings.Join(open, ", "))
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

// grouped writes a number with commas between its thousands.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }
