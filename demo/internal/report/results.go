package report

import (
	"fmt"
	"io"
	"strings"

	gotext "github.com/jedib0t/go-pretty/v6/text"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// Results writes all that there is to say about the runs of one experiment with
// one number of tasks.
func Results(w io.Writer, s Style, name string, n int, runs []*experiment.Run) {
	rows := Rows(runs)
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w)
	Table(w, s, name, n, rows)
	fmt.Fprintln(w)
	Check(w, s, rows)
	if text := Sentence(name, n, rows); text != "" {
		for line := range strings.Lines(gotext.WrapSoft(text, 110)) {
			fmt.Fprintln(w, "  "+strings.TrimRight(line, " \n"))
		}
	}
}

// Closing writes how to read the tables and what may be worth running next.
func Closing(w io.Writer, s Style, d *Document) {
	if len(d.Runs) == 0 {
		return
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, s.dim(`× own floor: wall time over the least that the policy could take. call: from when a call was let start to
its end; since submit: the waiting before it, too; both of all calls that started, failed ones included.
memory: above what the program had before the run. the post: Python's asyncio on another machine.`))
	e := d.Environment
	fmt.Fprintln(w, s.dim(fmt.Sprintf("%s, %s/%s, %s, %d cores, GOMAXPROCS %d, seed %d",
		e.Go, e.OS, e.Arch, e.CPU, e.Cores, e.GOMAXPROCS, e.Seed)))
	if d.Interrupted {
		fmt.Fprintln(w, s.bad("interrupted: rows marked cut ended early, and runs are missing"))
	}
	if d.Error != "" {
		fmt.Fprintln(w, s.bad("not complete: "+d.Error))
	}
	fmt.Fprint(w, `
Next:
  go run ./demo --experiments sleep --n 1000000         where do batches begin to win?
  go run ./demo --experiments sleep,http --asyncio      Python's asyncio beside it, here
  go run ./demo --experiments http --n 1000 --runs 6    is it always so?
  go run ./demo --experiments postgres --limit 97       no headroom: a slot that is given back is not free at once

`)
}
