package page

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// document makes results like those of the default run, without running it:
// n tasks under each policy, in so many repeats.
func document(n, repeats int) *report.Document {
	d := &report.Document{Schema: report.Schema, Kind: report.KindRun}
	d.Environment = experiment.Environment{Go: "go1.26.8", OS: "linux", Arch: "amd64", CPU: "a CPU", Cores: 2, Started: time.Unix(1.8e9, 0).UTC()}
	for _, name := range experiment.Names {
		for i, policy := range []string{"unbounded", "batch", "fixed", "adaptive", "vegas"} {
			for repeat := range repeats {
				d.Runs = append(d.Runs, run(name, policy, n, repeat+1, 0.5+0.3*float64(i)+0.01*float64(repeat)))
			}
		}
	}
	return d
}

func run(name, policy string, n, repeat int, wall float64) *experiment.Run {
	r := &experiment.Run{
		Experiment: name, N: n, Policy: policy, Label: policy + " 20", Run: repeat, Params: map[string]any{"limit": 20, "size": 20},
		WallSeconds: wall, FloorSeconds: 0.3, Against: "an origin", Law: "time-outs begin somewhere",
		Prediction: &experiment.Prediction{Of: "timed_out", Text: "none", AtMost: 3},
		Calls:      experiment.MergedLatencies(), CallsSinceSubmitted: experiment.MergedLatencies(),
	}
	r.Counts.Succeeded, r.Counts.TimedOut = n-2, 2
	limit := 10
	for k := range 600 {
		limit := limit + k%7
		r.Timeline = append(r.Timeline, experiment.Point{T: wall * float64(k) / 600, InFlight: k % 50, Limit: &limit, Completed: k})
	}
	for k := range min(n, 100) {
		from := 1000 * wall * float64(k/20) / 5
		r.Tasks = append(r.Tasks, experiment.Span{from, from + 40 + float64(k%20)})
	}
	for k := range n {
		r.Calls.Add(time.Duration(10+k%90) * time.Millisecond)
		r.CallsSinceSubmitted.Add(time.Duration(10+k) * time.Millisecond)
	}
	return r
}

func made(t *testing.T, files ...File) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, Input{Files: files}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// reread is what a file of d holds.
func reread(t *testing.T, d *report.Document) File {
	t.Helper()
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	f, err := Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sweep(target string) string {
	text := fmt.Sprintf(`{"schema":1,"kind":"sweep","target":%q,"answer":"use limit = 8 (7…9)","knee":{"limit":8,"low":7,"high":9},
		"usl":{"sigma":0.02,"kappa":0.0001,"lambda":90,"r2":0.85},"regions":{"linear_to":8,"flat_to":64,"collapse_from":128},"points":[`, target)
	for k, limit := range []int{1, 2, 4, 8, 16, 32, 64, 128} {
		if k > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"limit":%d,"goodput_per_second":%d,"p50_ms":%d,"p99_ms":%d,"failed":%d}`, limit, min(700, 88*limit), max(11, limit*10/8), max(14, limit*12/8), k/6)
	}
	return text + `],"environment":{"go":"go1.26.8","cpu":"a CPU","cores":2}}`
}
