package compare

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// Table writes deltas: those that chance does not explain, or all of them.
func Table(w io.Writer, s report.Style, deltas []Delta, all bool) {
	t := report.NewTable(report.Style{}, func(i int) bool { return i < 3 || i > 6 }, // its titles are not bold
		"", "", "", "before", "after", "change", "p", "")
	shown := 0
	for _, d := range deltas {
		if !all && !d.Significant {
			continue
		}
		shown++
		t.AppendRow(table.Row{
			report.Name(d.Experiment, d.N), d.Policy, d.Metric, d.figure(d.Before), d.figure(d.After), d.change(), d.p(), d.verdict(s),
		})
	}
	if shown > 0 {
		report.WriteTable(w, t)
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, summary(deltas))
}

func (d Delta) figure(v float64) string {
	switch d.Unit {
	case "":
		return fmt.Sprintf("%.1f %%", 100*v)
	case "s":
		return fmt.Sprintf("%.3f s", v)
	}
	return fmt.Sprintf("%.1f %s", v, d.Unit)
}

func (d Delta) change() string {
	if d.Unit == "" {
		return fmt.Sprintf("%+.1f pp", 100*d.Change)
	}
	return fmt.Sprintf("%+.1f %%", 100*d.Change)
}

func (d Delta) p() string {
	if d.TooFew {
		return "–"
	}
	return fmt.Sprintf("%.3f", d.P)
}

func (d Delta) verdict(s report.Style) string {
	mark := ""
	if d.Noisy {
		mark = " †"
	}
	switch {
	case d.Regression:
		return s.Bad("worse") + mark
	case d.TooFew:
		return fmt.Sprintf("too few runs: %d and %d", d.RunsBefore, d.RunsAfter)
	case !d.Significant:
		return "no difference shown" + mark
	case d.Change > 0:
		return "worse, within the threshold" + mark
	case d.Change < 0:
		return s.Good("better") + mark
	}
	return "same median" + mark
}

// summary says how many figures differ, and how many would by chance.
func summary(deltas []Delta) string {
	var significant, regressions, able, noisy int
	for _, d := range deltas {
		if d.TooFew {
			continue
		}
		able++
		if d.Significant {
			significant++
			if d.Noisy {
				noisy++
			}
		}
		if d.Regression {
			regressions++
		}
	}
	if able == 0 {
		return fmt.Sprintf("None of %d figures can be told apart: it takes at least four runs in both files. Make them with --runs 6.", len(deltas))
	}
	text := fmt.Sprintf("%d of %d figures differ (p < 0.05; by chance alone it would be about %.0f), %d are worse by more than the threshold.",
		significant, able, 0.05*float64(able), regressions)
	if able < len(deltas) {
		text += fmt.Sprintf(" %d had too few runs to tell.", len(deltas)-able)
	}
	if noisy > 0 {
		text += "\n† other programs were busy meanwhile: measure again before you believe it."
	}
	return text
}
