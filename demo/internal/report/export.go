package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// csvHead are the columns of the CSV. Programs read these names: new ones are
// added at the end.
var csvHead = []string{
	"experiment", "n", "policy", "label", "runtime", "run",
	"wall_seconds", "floor_seconds",
	"succeeded", "timed_out", "rejected", "refused", "failed", "cancelled", "timeout_rate",
	"call_p50_ms", "call_p90_ms", "call_p99_ms", "call_p999_ms", "call_max_ms",
	"since_submitted_p50_ms", "since_submitted_p90_ms", "since_submitted_p99_ms", "since_submitted_p999_ms", "since_submitted_max_ms",
	"peak_in_flight", "mean_in_flight", "peak_goroutines", "peak_memory_bytes", "connections_opened",
	"foreign_cpu", "noisy", "interrupted", "stand_in", "little_residual",
}

// CSV writes a line for each run.
func CSV(w io.Writer, documents []*Document) error {
	out := csv.NewWriter(w)
	_ = out.Write(csvHead) // Flush has the error
	for _, d := range documents {
		for _, r := range d.Runs {
			_ = out.Write(csvLine(r))
		}
	}
	out.Flush()
	return out.Error()
}

func csvLine(r *experiment.Run) []string {
	f := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	maybe := func(v *float64) string {
		if v == nil {
			return ""
		}
		return f(*v)
	}
	line := []string{
		r.Experiment, strconv.Itoa(r.N), r.Policy, r.Label, r.Runtime, strconv.Itoa(r.Run),
		f(r.WallSeconds), f(r.FloorSeconds),
	}
	c := r.Counts
	for _, n := range []int{c.Succeeded, c.TimedOut, c.Rejected, c.Refused, c.Failed, c.Cancelled} {
		line = append(line, strconv.Itoa(n))
	}
	line = append(line, f(r.TimeoutRate))
	for _, p := range []experiment.Percentiles{r.Latency, r.SinceSubmitted} {
		line = append(line, f(p.P50), f(p.P90), f(p.P99), f(p.P999), f(p.Max))
	}
	return append(line,
		strconv.Itoa(r.PeakInFlight), f(r.MeanInFlight), strconv.Itoa(r.PeakGoroutines),
		strconv.FormatInt(r.PeakMemoryBytes, 10), strconv.Itoa(r.ConnectionsOpened),
		maybe(r.ForeignCPU), strconv.FormatBool(r.Noisy), strconv.FormatBool(r.Interrupted),
		strconv.FormatBool(r.StandIn), maybe(r.LittleResidual))
}

// Markdown writes the tables with what they show.
func Markdown(w io.Writer, documents []*Document) error {
	var b strings.Builder
	for _, d := range documents {
		e := d.Environment
		fmt.Fprintf(&b, "# How many calls at once?\n\n%s, %s/%s, %s, %d cores, seed %d, %s\n",
			markdownText(e.Go), markdownText(e.OS), markdownText(e.Arch), markdownText(e.CPU), e.Cores, e.Seed, e.Started.Format("2006-01-02 15:04"))
		if d.Interrupted {
			b.WriteString("\n**Interrupted**: rows marked cut ended early, and runs are missing.\n")
		}
		for _, g := range Groups(d.Runs) {
			g.markdown(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g *Group) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", markdownText(g.Title()), markdownText(g.Against))
	grid := g.Grid()
	t := table.NewWriter()
	var config []table.ColumnConfig
	var head table.Row
	for i, title := range grid.Titles {
		head = append(head, strings.ReplaceAll(title, "\n", " "))
		align := text.AlignRight
		if grid.Left[i] {
			align = text.AlignLeft
		}
		config = append(config, table.ColumnConfig{Number: i + 1, Align: align})
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(config)
	for _, cells := range grid.Cells {
		var row table.Row
		for _, c := range cells {
			row = append(row, markdownText(c))
		}
		t.AppendRow(row)
	}
	b.WriteString(t.RenderMarkdown() + "\n")
	for _, note := range g.Notes() {
		fmt.Fprintf(b, "\n%s\n", markdownText(note))
	}
	if g.Rows[0].StandIn {
		b.WriteString("\n**Stand-in**: no real PostgreSQL was called.\n")
	}
	if text := g.Sentence(); text != "" {
		fmt.Fprintf(b, "\n%s\n", markdownText(text))
	}
}

// markdownText keeps names of others from becoming markup.
func markdownText(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "[", "\\[", "]", "\\]", "`", "\\`", "*", "\\*", "_", "\\_", "\n", " ").Replace(s)
}
