package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// titles say what an operation is.
var titles = map[string]string{
	"Fixed":             "fixed limit: acquire + release",
	"FixedEveryCore":    "the same on every core, places for all",
	"FixedContended":    "the same on every core, places for half",
	"Adaptive":          "adaptive limit: acquire + report + release",
	"AdaptiveEveryCore": "the same on every core",
	"All":               "All(Fixed, Rate, Adaptive): acquire + report + release",
	"Queue":             "64 goroutines for 2 permits, let go at once",
	"QueueHeld":         "64 goroutines for 2 permits, held while others run",
	"Rate":              "rate with nothing to wait for",
	"ForEach":           "each of 1,000,000 no-op items, 64 at once",
	"Keyed":             "memory of each of 100,000 live keys",
	"Do":                "a no-op function called through a fixed limit",
	"HTTP":              "a request through a limit and a breaker, over no-op",
}

func report(w io.Writer, set settings, about machine, ops []*operation) {
	fmt.Fprintf(w, "%s/%s, %s, %d cores, GOMAXPROCS %d, %s\n",
		about.goos, about.goarch, about.cpu, runtime.NumCPU(), runtime.GOMAXPROCS(0), runtime.Version())
	fmt.Fprintf(w, "%s\n", strings.Join(about.modules, ", "))
	fmt.Fprintf(w, "rounds: %d of %s, sides taking turns; medians with 95 %% intervals; bytes and allocs are what one operation allocates\n\n", set.rounds, set.benchtime)

	render(w, set, figures(ops))
	if t := judged(ops); t.Length() > 0 {
		fmt.Fprintln(w)
		render(w, set, t)
	}
}

func figures(ops []*operation) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"implementation", "median", "interval", "bytes", "allocs", "x ours", "interval"})
	for i, op := range ops {
		if i > 0 {
			t.AppendSeparator()
		}
		title := titles[op.name]
		if title == "" {
			title = op.name
		}
		t.AppendRow(table.Row{op.name + ": " + title})
		unit, us := op.unit(), op.side(ours)
		for _, s := range op.sides {
			own := summary(s.metrics[unit])
			row := table.Row{
				"  " + s.name, quantity(own.Center, unit), interval(own, func(v float64) string { return quantity(v, unit) }),
				each(s.metrics["B/"+op.per()]), each(s.metrics["allocs/"+op.per()]),
			}
			if unit == "B/key" {
				row[3] = "" // is the figure itself
			}
			if us != nil && s != us {
				r := ratio(s.metrics[unit], us.metrics[unit])
				row = append(row, times(r.Center), interval(r, times))
			}
			t.AppendRow(row)
		}
	}
	t.SetColumnConfigs(rightAligned(2, 3, 4, 5, 6, 7))
	return t
}

func judged(ops []*operation) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"operation", "bar", "measured", "interval", "verdict"})
	for _, b := range bars {
		if v, ok := b.judge(ops); ok {
			t.AppendRow(table.Row{b.operation, b.promise, v.measured, v.interval, v.word})
		}
	}
	t.SetColumnConfigs(rightAligned(3, 4))
	return t
}

func rightAligned(columns ...int) []table.ColumnConfig {
	var configs []table.ColumnConfig
	for _, n := range columns {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	return configs
}

func render(w io.Writer, set settings, t table.Writer) {
	style := table.StyleLight
	style.Format.Header = text.FormatDefault // not in capitals
	t.SetStyle(style)
	if set.markdown {
		fmt.Fprintln(w, t.RenderMarkdown())
	} else {
		fmt.Fprintln(w, t.Render())
	}
}
