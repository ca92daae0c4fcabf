package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// Programs read these names. A field may be added here; one that goes away or
// is renamed is schema 2.
var golden = []string{
	"environment", "environment.arch", "environment.cores", "environment.cpu", "environment.flags",
	"environment.go", "environment.gogc", "environment.gomaxprocs", "environment.os", "environment.runs",
	"environment.seed", "environment.started", "environment.version",
	"interrupted", "kind", "runs",
	"runs[].against", "runs[].chosen", "runs[].connections_opened",
	"runs[].counts", "runs[].counts.cancelled", "runs[].counts.failed", "runs[].counts.refused",
	"runs[].counts.rejected", "runs[].counts.succeeded", "runs[].counts.timed_out",
	"runs[].experiment", "runs[].floor_seconds", "runs[].foreign_cpu", "runs[].goroutines_left",
	"runs[].interrupted", "runs[].label", "runs[].latency_histogram", "runs[].latency_histogram.hdr",
	"runs[].latency_histogram.max_ns", "runs[].latency_histogram.total_ns",
	"runs[].latency_ms", "runs[].latency_ms.max", "runs[].latency_ms.mean", "runs[].latency_ms.p50",
	"runs[].latency_ms.p90", "runs[].latency_ms.p99", "runs[].latency_ms.p999",
	"runs[].little_residual", "runs[].mean_in_flight", "runs[].memory_before_bytes", "runs[].n", "runs[].noisy", "runs[].params", "runs[].params.limit",
	"runs[].peak_goroutines", "runs[].peak_in_flight", "runs[].peak_memory_bytes", "runs[].policy",
	"runs[].prediction", "runs[].prediction.at_least", "runs[].prediction.at_most", "runs[].prediction.of",
	"runs[].prediction.open", "runs[].prediction.text",
	"runs[].run",
	"runs[].since_submitted_ms", "runs[].since_submitted_ms.max", "runs[].since_submitted_ms.mean",
	"runs[].since_submitted_ms.p50", "runs[].since_submitted_ms.p90", "runs[].since_submitted_ms.p99",
	"runs[].since_submitted_ms.p999",
	"runs[].since_submitted_histogram", "runs[].since_submitted_histogram.hdr",
	"runs[].since_submitted_histogram.max_ns", "runs[].since_submitted_histogram.total_ns",
	"runs[].stand_in",
	"runs[].timeline", "runs[].timeline[].completed", "runs[].timeline[].in_flight",
	"runs[].timeline[].limit", "runs[].timeline[].queued", "runs[].timeline[].t",
	"runs[].timeout_rate", "runs[].wall_seconds",
	"schema",
}

func TestJSONKeepsItsNames(t *testing.T) {
	d := &Document{Schema: Schema, Environment: experiment.ReadEnvironment()}
	d.Runs = append(d.Runs,
		made("http", 10, "fixed", 1.5, experiment.Counts{TimedOut: 3}),
		made("http", 10, "batch", 2.5, experiment.Counts{}))
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b.Bytes(), &tree); err != nil {
		t.Fatalf("%v in %s", err, b.Bytes())
	}
	keys := map[string]bool{}
	collect(tree, "", keys)
	var got []string
	for k := range keys {
		got = append(got, k)
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(golden))
	if !slices.Equal(got, want) {
		t.Errorf("keys are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	var back Document
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Runs) != 2 || back.Runs[0].Counts != d.Runs[0].Counts || back.Runs[1].WallSeconds != 2.5 ||
		back.Schema != 1 || *back.Runs[0].Timeline[1].Limit != 16 || back.Runs[0].Timeline[0].Limit != nil {
		t.Errorf("read back: %+v", back)
	}
	if lines := strings.Count(b.String(), "\n"); lines != 3 {
		t.Errorf("%d lines for 2 runs, want one for each", lines)
	}
}

// collect notes the paths of all keys in a JSON value.
func collect(v any, path string, keys map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			p := strings.TrimPrefix(path+"."+k, ".")
			keys[p] = true
			collect(inner, p, keys)
		}
	case []any:
		for _, inner := range v {
			collect(inner, path+"[]", keys)
		}
	}
}

func TestDocumentWithoutRunsIsAList(t *testing.T) {
	var b bytes.Buffer
	if err := (&Document{Schema: Schema, Interrupted: true}).Write(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"runs":[]`) || !json.Valid(b.Bytes()) {
		t.Errorf("%s", b.String())
	}
}
