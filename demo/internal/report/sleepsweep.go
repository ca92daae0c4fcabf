package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/sleepsweep"
)

// SleepSweep writes a sweep over numbers of sleeping tasks, and up to which of
// them all at once is best.
func SleepSweep(w io.Writer, s Style, r *sleepsweep.Result) {
	if len(r.Rows) > 0 {
		fmt.Fprintln(w)
		sleepTable(w, s, r)
	}
	for _, why := range r.Refused {
		fmt.Fprintln(w, "  "+s.bad("left out: "+why))
	}
	if r.Interrupted {
		fmt.Fprintln(w, "  "+s.bad("interrupted: numbers and runs are missing"))
	}
	if len(r.Rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	paragraph(w, "Batches of sleepers pay the floor five times, 1.5 s, and can only win where starting all at once takes longer than that. "+aliveAtOnce(r))
	fmt.Fprintln(w)
	fmt.Fprintln(w, s.good(r.Sentence()))
}

// aliveAtOnce says whether "all at once" was all at once. From which number on it
// is not depends on the machine and on what else it does, so only these runs tell.
func aliveAtOnce(r *sleepsweep.Result) string {
	var short []string
	most := 0
	for _, row := range r.Rows {
		switch {
		case row.Policy != experiment.Unbounded:
		case row.PeakAlive < row.N:
			short = append(short, fmt.Sprintf("%s of %s", grouped(row.PeakAlive), grouped(row.N)))
		default:
			most = max(most, row.N)
		}
	}
	switch {
	case len(short) > 0:
		return fmt.Sprintf("To start goroutines takes time, in which the first ones end: of all at once there were never more alive here than %s. With --barrier all are.",
			strings.Join(short, ", "))
	case most > 0:
		return fmt.Sprintf("Of all at once all were alive at the same time here, up to %s.", grouped(most))
	}
	return ""
}

func sleepTable(w io.Writer, s Style, r *sleepsweep.Result) {
	t := NewTable(s, func(i int) bool { return i == 1 },
		"tasks", "policy", "wall s", "× own floor", "task p99 ms", "peak alive", "launch s", "bytes/task")
	noisy := false
	for i, row := range r.Rows {
		n := grouped(row.N)
		if i > 0 && r.Rows[i-1].N == row.N {
			n = ""
		}
		wall := fmt.Sprintf("%.2f", row.Median)
		if row.Noisy {
			wall, noisy = wall+"†", true
		}
		launch := ""
		if row.Launch > 0 {
			launch = fmt.Sprintf("%.2f", row.Launch)
		}
		t.AppendRow(table.Row{
			n, row.Policy, wall, fmt.Sprintf("%.2f", row.Median/row.Floor), number(row.P99),
			grouped(row.PeakAlive), launch, fmt.Sprintf("%.0f", row.BytesPer),
		})
	}
	WriteTable(w, t)
	if noisy {
		fmt.Fprintln(w, "  "+s.dim("† other programs used more than 12 % of this machine in at least one of the runs"))
	}
}
