package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

// A ScenarioDocument is the whole output of the command scenario. It holds
// nothing of the machine or of the day, so that the same flags give the same
// bytes.
type ScenarioDocument struct {
	Schema      int                `json:"schema"`
	Summaries   []scenario.Summary `json:"summaries"`
	Verdicts    []scenario.Verdict `json:"verdicts"`
	Interrupted bool               `json:"interrupted"`
	Results     []*scenario.Result `json:"results"`
}

// NewScenarioDocument makes one of the results that there are: some may be nil.
func NewScenarioDocument(results []*scenario.Result, interrupted bool) *ScenarioDocument {
	results = slices.DeleteFunc(slices.Clone(results), func(r *scenario.Result) bool { return r == nil })
	return &ScenarioDocument{
		Schema: Schema, Interrupted: interrupted, Results: results,
		Summaries: scenario.Summarise(results), Verdicts: scenario.Judge(results),
	}
}

// Write writes d as JSON with one run to a line.
func (d *ScenarioDocument) Write(w io.Writer) error {
	head := *d
	head.Results = []*scenario.Result{}
	return writeHeaded(w, head, d.Results)
}

// ScenarioTables writes the tables: every phase of named scenarios, the worst of
// drawn ones, a summary of each group, and what the bars of the project say.
func ScenarioTables(w io.Writer, s Style, d *ScenarioDocument, worst int) {
	rows := scenario.Rows(d.Results)
	var named, drawn []scenario.Row
	for _, r := range rows {
		if r.Group == scenario.GroupRandom || r.Group == scenario.GroupShared {
			drawn = append(drawn, r)
		} else {
			named = append(named, r)
		}
	}
	if len(named) > 0 {
		phaseTable(w, s, "Phases", named)
	}
	if shown := worstOf(drawn, worst); len(shown) > 0 {
		phaseTable(w, s, "Drawn worlds: the phases with the least goodput", shown)
	}
	if lines := scenario.Besides(d.Results); len(lines) > 0 {
		fmt.Fprintln(w, s.bold("Beside others"))
		for _, line := range lines {
			fmt.Fprintln(w, "  "+line)
		}
		fmt.Fprintln(w)
	}
	summaryTable(w, s, d.Summaries)
	verdictTable(w, s, d.Verdicts)
}

// worstOf returns for each policy the n rows with the least goodput.
func worstOf(rows []scenario.Row, n int) (worst []scenario.Row) {
	byPolicy := map[string]int{}
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b scenario.Row) int { return cmp.Compare(a.Lowest, b.Lowest) })
	for _, r := range sorted {
		if byPolicy[r.Policy]++; byPolicy[r.Policy] <= n {
			worst = append(worst, r)
		}
	}
	slices.SortStableFunc(worst, func(a, b scenario.Row) int { return strings.Compare(a.Policy, b.Policy) })
	return worst
}

func phaseTable(w io.Writer, s Style, title string, rows []scenario.Row) {
	t := newTable(s, "phase", "policy", "goodput", "lowest", "p50 ×", "p99 ×", "lost %", "converged", "s (worst)", "Jain", "limit", "oracle: N, /s, p50 ms")
	for i, r := range rows {
		name, oracle := r.Name(), fmt.Sprintf("%d, %.0f, %s", r.Oracle.Limit, r.Oracle.Goodput, number(float64(r.Oracle.P50)/1e6))
		if i > 0 && rows[i-1].Name() == name {
			name, oracle = "", ""
		}
		lowest := ""
		if r.Runs > 1 {
			lowest = fmt.Sprintf("%.3f", r.Lowest)
		}
		t.AppendRow(table.Row{
			name, r.Policy, s.against(r.Share, 0.9, fmt.Sprintf("%.3f", r.Share)), lowest, times(r.P50x), times(r.P99x), lost(r.Lost),
			fmt.Sprintf("%d/%d", r.Converged, r.Runs), settledIn(r), orDash(r.Jain, "%.3f"),
			fmt.Sprintf("%.0f (%d–%d)", r.Limit.Mean, r.Limit.Low, r.Limit.High), oracle,
		})
	}
	render(w, s, title, t)
}

func summaryTable(w io.Writer, s Style, summaries []scenario.Summary) {
	t := newTable(s, "group", "policy", "phases", "goodput", "≤ 1", "5th pct", "lowest", "p50 ×", "p99 ×", "lost beyond %", "converged %", "s (worst)", "Jain", "lowest in")
	for i, x := range summaries {
		group := x.Group
		if i > 0 && summaries[i-1].Group == group {
			group = ""
		}
		t.AppendRow(table.Row{
			group, x.Policy, x.Phases, fmt.Sprintf("%.3f", x.Goodput), fmt.Sprintf("%.3f", x.Capped), fmt.Sprintf("%.2f", x.Fifth), fmt.Sprintf("%.2f", x.Lowest),
			times(x.P50x), times(x.P99x), lost(x.Beyond), fmt.Sprintf("%.1f", 100*x.Converged),
			convergedIn(x), orDash(x.Jain, "%.3f"), x.Where,
		})
	}
	render(w, s, "Summary: goodput a share of the oracle's; latencies geometric means, times the oracle's", t)
}

func verdictTable(w io.Writer, s Style, verdicts []scenario.Verdict) {
	t := newTable(s, "policy", "it must show", "want", "got", "met")
	for i, v := range verdicts {
		policy := v.Policy
		if i > 0 && verdicts[i-1].Policy == policy {
			policy = ""
		}
		met := s.good("yes")
		if !v.Met {
			met = s.bad("no")
		}
		t.AppendRow(table.Row{policy, v.What, v.Want, v.Got, met})
	}
	if len(verdicts) > 0 {
		t.SetColumnConfigs(nil)
		render(w, s, "The bars of the project", t)
	}
}

// Scenarios lists what there is to choose from.
func Scenarios(w io.Writer, s Style, worlds []*scenario.World, makers []scenario.Maker) {
	group := ""
	for _, x := range worlds {
		if x.Group != group {
			group = x.Group
			fmt.Fprintln(w, s.bold("Scenarios, group "+group))
		}
		fmt.Fprintf(w, "  %-18s %s\n", x.Name, x.About)
	}
	fmt.Fprintln(w, s.bold("Policies"))
	for _, m := range makers {
		fmt.Fprintf(w, "  %-18s %s\n", m.Name, m.About)
	}
}

// newTable has its first two columns and its last one on the left.
func newTable(s Style, titles ...string) table.Writer {
	return NewTable(s, func(i int) bool { return i < 2 || i == len(titles)-1 }, titles...)
}

func render(w io.Writer, s Style, title string, t table.Writer) {
	fmt.Fprintln(w, s.bold(title))
	WriteTable(w, t)
	fmt.Fprintln(w)
}

// against shows a figure in red if it is below a bound.
func (s Style) against(x, bound float64, text string) string {
	if x < bound {
		return s.bad(text)
	}
	return text
}

func times(x float64) string { return orDash(x, "%.2f") }

func orDash(x float64, format string) string {
	if x == 0 {
		return "–"
	}
	return fmt.Sprintf(format, x)
}

func lost(share float64) string {
	if share == 0 {
		return "0"
	}
	return fmt.Sprintf("%.2f", 100*share)
}

func settledIn(r scenario.Row) string {
	switch {
	case r.Converged == 0:
		return "–"
	case r.Runs == 1:
		return fmt.Sprintf("%.1f", r.Settled)
	}
	return fmt.Sprintf("%.1f (%.1f)", r.Settled, r.Slowest)
}

// convergedIn has no time for a policy that never converged: 0.0 s would be the best.
func convergedIn(x scenario.Summary) string {
	if x.Converged == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f (%.1f)", x.Settled, x.Slowest)
}
