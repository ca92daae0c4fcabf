package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// A column of the table. Those that would be empty, or zero all the way down,
// are left out: most experiments know one way to fail.
type column struct {
	title  string
	always bool
	left   bool
	cell   func(Row) string // "" is empty
}

// Table writes the table of one experiment with one number of tasks, and the
// notes that it needs.
func Table(w io.Writer, s Style, name string, n int, rows []Row) {
	columns := columnsOf(s, name, n, rows)
	var titles []string
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	t := NewTable(s, func(i int) bool { return columns[i].left }, titles...)
	for _, r := range rows {
		var cells table.Row
		for _, c := range columns {
			cells = append(cells, c.cell(r))
		}
		t.AppendRow(cells)
	}
	WriteTable(w, t)
	notes(w, s, rows)
}

func columnsOf(s Style, name string, n int, rows []Row) []column {
	count := func(title string, of func(experiment.Counts) int) column {
		return column{title: title, cell: func(r Row) string { return s.failures(of(r.Counts), r.N) }}
	}
	candidates := []column{
		{title: "policy", always: true, left: true, cell: label},
		{title: "wall s", always: true, cell: wall},
		{title: "× own\nfloor", always: true, cell: timesFloor},
		{title: "ok", always: true, cell: func(r Row) string { return strconv.Itoa(r.Counts.Succeeded) }},
		count("timed out", func(c experiment.Counts) int { return c.TimedOut }),
		count("refused", func(c experiment.Counts) int { return c.Refused }),
		count("rejected", func(c experiment.Counts) int { return c.Rejected }),
		count("failed", func(c experiment.Counts) int { return c.Failed }),
		count("cancelled", func(c experiment.Counts) int { return c.Cancelled }),
		{title: "call ms\np50 / p99", always: true, cell: func(r Row) string { return pair(r.Calls, r.Measured) }},
		{title: "since submit\np50 / p99", always: true, cell: func(r Row) string { return pair(r.SinceSubmitted, r.Measured) }},
		{title: "peak in\nflight", always: true, cell: func(r Row) string { return strconv.Itoa(r.Peak) }},
		{title: "memory\n+MB", always: true, cell: func(r Row) string { return fmt.Sprintf("%.0f", float64(r.MemoryAdded)/1e6) }},
		{title: "conns", cell: func(r Row) string { return zeroEmpty(r.Connections) }},
		{title: "the post", left: true, cell: func(r Row) string { return postFigure(name, n, r) }},
	}
	var columns []column
	for _, c := range candidates {
		used := c.always
		for _, r := range rows {
			used = used || c.cell(r) != "" && c.cell(r) != "0"
		}
		if used {
			columns = append(columns, c)
		}
	}
	return columns
}

// label is the policy. One that searches shows where it has got to.
func label(r Row) string {
	text := named(r)
	if r.LastLimit != nil && slices.Contains(experiment.Searching, r.Policy) {
		text += fmt.Sprintf(" → %d", *r.LastLimit)
	}
	return text
}

// named is the policy with what ran it, if that was another program.
func named(r Row) string {
	if r.Runtime == "" {
		return r.Label
	}
	return r.Label + " (" + r.Runtime + ")"
}

func wall(r Row) string {
	text := fmt.Sprintf("%.2f", r.Wall.Median)
	if r.Runs > 1 {
		low, high := r.Wall.bounds()
		text += fmt.Sprintf(" (%.2f–%.2f)", low, high)
	}
	if r.Interrupted {
		text += " cut"
	}
	if r.Noisy {
		text += "†"
	}
	return text
}

// timesFloor is left out for a run that has failed tasks: who does not do the
// work can be as quick as he likes.
func timesFloor(r Row) string {
	if !r.Whole() || r.Floor <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", r.TimesFloor())
}

func (s Style) failures(count, n int) string {
	if count == 0 {
		return "0"
	}
	return s.bad(fmt.Sprintf("%d (%s %%)", count, Percent(float64(count), n)))
}

// pair leaves out a p99 that would be no more than the slowest call.
func pair(p experiment.Percentiles, measured int) string {
	switch {
	case measured == 0:
		return "–"
	case measured < 100:
		return number(p.P50) + " / –"
	}
	return number(p.P50) + " / " + number(p.P99)
}

func number(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return fmt.Sprintf("%.0f", ms)
}

func zeroEmpty(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// NewTable makes a table of text with these titles. Columns are on the right but for
// those that left names by their index.
func NewTable(s Style, left func(int) bool, titles ...string) table.Writer {
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	var head table.Row
	var config []table.ColumnConfig
	for i, title := range titles {
		// Every line by itself, or the whole title would be one bold run
		// through the neighbouring cells.
		lines := strings.Split(title, "\n")
		for k := range lines {
			lines[k] = s.bold(lines[k])
		}
		head = append(head, strings.Join(lines, "\n"))
		align := text.AlignRight
		if left(i) {
			align = text.AlignLeft
		}
		config = append(config, table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, VAlignHeader: text.VAlignBottom})
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(config)
	return t
}

// WriteTable writes a table of text, indented.
func WriteTable(w io.Writer, t table.Writer) {
	for line := range strings.Lines(t.Render()) {
		fmt.Fprintln(w, "  "+strings.TrimRight(line, " \n"))
	}
}

// plainStyle is columns of text with a line under their titles.
func plainStyle() table.Style {
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	return style
}

const noisyNote = "† other programs used more than 12 % of this machine meanwhile: trust the counts, not the times"

// notes explains the marks that are in the table.
func notes(w io.Writer, s Style, rows []Row) {
	if rows[0].StandIn {
		fmt.Fprintln(w, "  "+s.bad("stand-in: no real PostgreSQL was called"))
	}
	for _, r := range rows {
		if r.Noisy {
			fmt.Fprintln(w, "  "+s.dim(noisyNote))
			break
		}
	}
	if text := repeats(rows); text != "" {
		fmt.Fprintln(w, "  "+s.dim(text))
	}
	for _, r := range rows {
		if text := r.mistrust(); text != "" {
			fmt.Fprintln(w, "  "+s.bad(text))
		}
		if r.Left > 0 {
			fmt.Fprintln(w, "  "+s.bad(fmt.Sprintf("%s left %d goroutines behind", r.Label, r.Left)))
		}
	}
}

// repeats says what the parentheses are.
func repeats(rows []Row) string {
	runs, known, bad := 0, true, false
	confidence := 1.0
	for _, r := range rows {
		runs, bad = max(runs, r.Runs), bad || !r.Whole()
		if r.Runs > 1 {
			// Of the row with the fewest runs, if some were cut short: no row is to
			// be trusted less than it says.
			known = known && r.Wall.Interval.Known()
			confidence = min(confidence, r.Wall.Interval.Confidence)
		}
	}
	if runs < 2 {
		return ""
	}
	text := fmt.Sprintf("medians of %d runs, in parentheses the least and the greatest: six runs are the fewest with an interval", runs)
	if known {
		text = fmt.Sprintf("medians of %d runs, in parentheses their %.0f %% interval by order statistics", runs, 100*confidence)
	}
	if bad {
		text += "; how tasks ended is that of the run in the middle by ok"
	}
	return text
}

// littleEdge is by how much of itself the sampled mean of the calls in flight
// may miss what follows from Little's law. Samples every 10 ms of runs that
// take a second miss it by a few percent.
const littleEdge = 0.15

// mistrust says that the harness' two accounts of a run contradict each other.
func (r Row) mistrust() string {
	wrong := 0
	for _, run := range r.All {
		if run.LittleResidual != nil && math.Abs(*run.LittleResidual) > littleEdge {
			wrong++
		}
	}
	if wrong == 0 {
		return ""
	}
	where, most, doubt := "", "", "this row"
	if len(r.All) > 1 {
		where, most = fmt.Sprintf("in %d of %d runs ", wrong, len(r.All)), "at worst "
	}
	if wrong < len(r.All) {
		doubt = "what that adds to this row"
	}
	return fmt.Sprintf("%s: %sthe calls in flight as sampled are %s%+.0f %% off what Little's law makes of the latencies; do not trust %s",
		label(r), where, most, 100**r.Little, doubt)
}
