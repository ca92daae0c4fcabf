package page

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// MaxBytes is how large a report gets. Lines have fewer points in it if there
// are very many of them.
const MaxBytes = 400_000

// leastForGantt is the number of points of a line below which there is no room
// for pictures of single tasks.
const leastForGantt = 40

// Write writes the report of in.
func Write(w io.Writer, in Input) error {
	// As many points as fit: a file of ten experiments has ten times as many
	// lines as one of one, and each is looked at less closely.
	groups := make([][]*report.Group, len(in.Files))
	for i, f := range in.Files {
		if f.Runs != nil {
			groups[i] = report.Groups(f.Runs.Runs)
		}
	}
	for points := 160; ; points /= 2 {
		var b bytes.Buffer
		if err := parsed.Execute(&b, newView(in, groups, points)); err != nil {
			return fmt.Errorf("making the report: %w", err)
		}
		if b.Len() <= MaxBytes || points < 4 {
			_, err := w.Write(b.Bytes())
			return err
		}
	}
}

// A view is what the template shows.
type view struct {
	assets
	Lead     string
	Warnings []string
	Glance   []glance
	Sections []section
	Sweeps   []*sweepView
	Sleeps   []*sleepView
	Machines []machine
	Charts   []*chart // of all sections, for page.js
	Asyncio  bool
}

// A section is one group.
type section struct {
	ID       string
	Name     string
	Tasks    string
	StandIn  bool
	Sentence string
	Bars     bars
	Gantts   *gantts
	Grid     report.Grid
	Tail     []tailRow
	Group    *report.Group
	Checks   report.Checks
	Charts   []*chart
}

// A tailRow is the latencies of one policy in figures.
type tailRow struct {
	Label  string
	Figure []string
}

// A machine is the environment of one file.
type machine struct {
	Name string
	Rows [][2]string
}

// newView shows the files, of whose runs groups are made already.
func newView(in Input, groups [][]*report.Group, points int) *view {
	v := &view{assets: newAssets()}
	for i, f := range in.Files {
		v.Machines = append(v.Machines, newMachine(f))
		for _, s := range f.Sweeps {
			v.addSweep(s)
		}
		if f.Sleep != nil {
			s := newSleepView(f.Sleep)
			v.Sleeps = append(v.Sleeps, s)
			v.Charts = append(v.Charts, s.Charts...)
		}
		if f.Runs != nil {
			v.addRuns(f.Runs, groups[i], points)
		}
	}
	if len(in.Files) > 0 {
		v.Lead = lead(in.Files[0])
	}
	for i, c := range v.Charts {
		c.ID = fmt.Sprintf("chart-%d", i+1)
	}
	return v
}

func (v *view) addRuns(d *report.Document, groups []*report.Group, points int) {
	if d.Interrupted {
		v.warn("The run was interrupted: rows marked cut ended early, and others are missing.")
	}
	if d.Error != "" {
		v.warn("Runs are missing: " + d.Error)
	}
	for _, g := range groups {
		s := newSection(g, points)
		s.ID = fmt.Sprintf("experiment-%d", len(v.Sections)+1)
		v.Sections = append(v.Sections, s)
		v.Charts = append(v.Charts, s.Charts...)
		v.Glance = append(v.Glance, newGlance(s.ID, g))
		for _, r := range g.Rows {
			v.Asyncio = v.Asyncio || r.Runtime != ""
			if r.Noisy {
				v.warn("Other programs were busy on this machine during some of the runs. Trust the counts; times marked † may be too long.")
			}
		}
	}
}

func (v *view) addSweep(s *Sweep) {
	if s.Interrupted {
		v.warn("The sweep was interrupted: limits are missing.")
	}
	if s.Error != "" {
		v.warn("Limits are missing: " + s.Error)
	}
	sv := newSweepView(s)
	if sv.Noisy {
		v.warn("Other programs were busy on this machine during some measurements, which are marked †. Measure again before you believe a knee.")
	}
	sv.ID = fmt.Sprintf("sweep-%d", len(v.Sweeps)+1)
	v.Sweeps = append(v.Sweeps, sv)
	v.Charts = append(v.Charts, sv.Charts...)
}

// warn says something at the top, once.
func (v *view) warn(text string) {
	if !slices.Contains(v.Warnings, text) {
		v.Warnings = append(v.Warnings, text)
	}
}

// names are what people call the experiments.
var names = map[string]string{
	experiment.NameSleep:    "Sleeping tasks",
	experiment.NameUneven:   "Uneven tasks",
	experiment.NameHTTP:     "HTTP calls",
	experiment.NamePostgres: "Database connections",
}

func nameOf(g *report.Group) string {
	if name, ok := names[g.Experiment]; ok {
		return name
	}
	return g.Experiment
}

func newSection(g *report.Group, points int) section {
	s := section{
		Name: nameOf(g), Tasks: report.Grouped(g.N), Group: g, Sentence: g.Sentence(), Bars: newBars(g),
		Grid: g.Grid(), Checks: report.ChecksOf(g.Rows), Gantts: occupancy(g), Tail: tails(g),
	}
	for _, r := range g.Rows {
		s.StandIn = s.StandIn || r.StandIn
	}
	if points < leastForGantt {
		s.Gantts = nil
	}
	if s.Gantts == nil { // which shows the same, better
		s.add(inFlight(g, points))
	}
	s.add(limits(g, points))
	s.add(latencies(g, points, "Latency of the call", "From when a call was let start to its end.",
		func(r report.Row) *experiment.Latencies { return r.CallLatencies }))
	s.add(latencies(g, points, "Latency since it was submitted", "With the waiting for its turn: what the caller sees.",
		func(r report.Row) *experiment.Latencies { return r.SinceLatencies }))
	return s
}

func (s *section) add(c *chart) {
	if c != nil {
		s.Charts = append(s.Charts, c)
	}
}

func tails(g *report.Group) (rows []tailRow) {
	for _, r := range g.Rows {
		if r.Measured == 0 {
			continue
		}
		row := tailRow{Label: r.Name()}
		for _, p := range []experiment.Percentiles{r.Calls, r.SinceSubmitted} {
			row.Figure = append(row.Figure,
				figure(p.P50), few(r.Measured, 10, p.P90), few(r.Measured, 100, p.P99), few(r.Measured, 1000, p.P999), figure(p.Max))
		}
		rows = append(rows, row)
	}
	return rows
}

// few leaves out a percentile that would be no more than the slowest call.
func few(measured, least int, ms float64) string {
	if measured < least {
		return "–"
	}
	return figure(ms)
}

func figure(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f", ms)
	}
	return report.Grouped(int(ms + 0.5))
}

// lead says when and where.
func lead(f File) string {
	var parts []string
	text := func(key string) string {
		if v, ok := f.Environment[key]; ok && v != nil && v != "" {
			return fmt.Sprint(v)
		}
		return ""
	}
	if at, err := time.Parse(time.RFC3339, text("started")); err == nil {
		parts = append(parts, at.Format("2 January 2006, 15:04"))
	}
	if cpu := text("cpu"); cpu != "" && cpu != "unknown" {
		parts = append(parts, cpu)
	}
	if cores := text("cores"); cores != "" {
		parts = append(parts, cores+" cores")
	}
	if os := text("os"); os != "" {
		parts = append(parts, os+"/"+text("arch"))
	}
	parts = append(parts, text("go"))
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// newMachine lists all that the file says of where it was made, whatever this
// version knows of it.
func newMachine(f File) machine {
	m := machine{Name: f.Name}
	keys := make([]string, 0, len(f.Environment))
	for k := range f.Environment {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		m.Rows = append(m.Rows, [2]string{strings.ReplaceAll(k, "_", " "), plain(f.Environment[k])})
	}
	return m
}

// plain is a value of JSON for people.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return "unknown"
	case float64:
		return fmt.Sprintf("%.15g", v)
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, plain(e))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		var parts []string
		for k, e := range v {
			parts = append(parts, k+"="+plain(e))
		}
		if len(parts) == 0 {
			return "none"
		}
		slices.Sort(parts)
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(v)
}

// invalid reports whether a run of a file cannot have come from the harness.
func invalid(r *experiment.Run) bool {
	return r == nil || r.N < 1 || r.WallSeconds < 0
}
