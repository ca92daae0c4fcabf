package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

func TestOtherTasksAreNotComparedWithThePost(t *testing.T) {
	all, batch := made("sleep", 100_000, "unbounded", 1, experiment.Counts{}), made("sleep", 100_000, "batch", 3, experiment.Counts{})
	for _, r := range []*experiment.Run{all, batch} {
		r.Params[experiment.ParamSpread] = 0.9
	}
	var b bytes.Buffer
	Results(&b, Style{}, "sleep", 100_000, []*experiment.Run{all, batch})
	if strings.Contains(b.String(), "post") {
		t.Errorf("uneven tasks beside the post's even ones:\n%s", b.String())
	}
}

func TestACutRunIsNoMeasurement(t *testing.T) {
	whole, cut := made("sleep", 10, "batch", 2, experiment.Counts{}), made("sleep", 10, "batch", 0.1, experiment.Counts{Cancelled: 9})
	cut.Interrupted = true
	rows := Rows([]*experiment.Run{whole, cut})
	if len(rows) != 1 || rows[0].Wall.Median != 2 || rows[0].Runs != 1 || rows[0].Interrupted {
		t.Errorf("%+v, want the whole run alone", rows)
	}
	rows = Rows([]*experiment.Run{cut})
	if !rows[0].Interrupted || rows[0].Whole() {
		t.Errorf("%+v, want it to say that it was cut", rows)
	}
	if text := Sentence("sleep", 10, rows); text != "" {
		t.Errorf("a cut run leads to %q", text)
	}
}

func TestTheMedianIsANumberThatWasMeasured(t *testing.T) {
	var runs []*experiment.Run
	for _, wall := range []float64{5, 1, 9, 2} {
		runs = append(runs, made("sleep", 10, "batch", wall, experiment.Counts{}))
	}
	if got, want := Rows(runs)[0].Wall, (Spread{Median: 2, Min: 1, Max: 9}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTheCountsOfARowAddUpToItsTasks(t *testing.T) {
	var runs []*experiment.Run
	for _, c := range []experiment.Counts{
		{TimedOut: 145}, {TimedOut: 16, Failed: 40}, {TimedOut: 77}, {TimedOut: 82}, {}, {TimedOut: 122, Refused: 3},
	} {
		runs = append(runs, made("http", 900, "unbounded", 1, c))
	}
	if c := Rows(runs)[0].Counts; c.Sum() != 900 || c.TimedOut == 0 {
		t.Errorf("%+v are %d of 900 tasks", c, c.Sum())
	}
}

func TestTheIntervalThatIsTrustedLeastIsTheOneThatIsNamed(t *testing.T) {
	var runs []*experiment.Run
	for i := range 7 {
		runs = append(runs, made("http", 100, "unbounded", float64(i), experiment.Counts{}), made("http", 100, "fixed", float64(i), experiment.Counts{}))
	}
	runs[0].Interrupted = true
	if got := repeats(Rows(runs)); !strings.Contains(got, "97 %") {
		t.Errorf("%q of rows of six and of seven runs: six have 97 %%", got)
	}
}

func TestPlainTextHasNoEscapesAndFitsATerminal(t *testing.T) {
	var runs []*experiment.Run
	for _, p := range experiment.DefaultPolicies {
		r := made("http", 100_000, p, 34.56, experiment.Counts{TimedOut: 24_000, Refused: 11_000})
		r.Label = p + " 100000"
		r.PeakInFlight, r.ConnectionsOpened, r.PeakMemoryBytes, r.Noisy, r.StandIn = 100_000, 100_000, 300e6, true, true
		runs = append(runs, r)
	}
	var b bytes.Buffer
	Results(&b, Style{}, "http", 100_000, runs)
	if strings.Contains(b.String(), "\x1b") {
		t.Errorf("escape codes in %q", b.String())
	}
	for line := range strings.Lines(b.String()) {
		if width := utf8.RuneCountInString(strings.TrimSpace(line)); width > 140 && !strings.Contains(line, "predicted") {
			t.Errorf("%d columns: %s", width, line)
		}
	}
	if !strings.Contains(b.String(), "stand-in") {
		t.Error("the table does not say that it is of a stand-in")
	}
	b.Reset()
	Results(&b, Style{Colour: true}, "http", 100_000, runs)
	if !strings.Contains(b.String(), "\x1b[31m") {
		t.Error("no colour for failures where colour is wanted")
	}
}

func TestColumnsOfZerosAreLeftOut(t *testing.T) {
	var b bytes.Buffer
	Table(&b, Style{}, "http", 1000, Rows([]*experiment.Run{
		made("http", 1000, "unbounded", 1, experiment.Counts{TimedOut: 5}),
		made("http", 1000, "batch", 1, experiment.Counts{}),
	}))
	for title, want := range map[string]bool{"timed out": true, "refused": false, "rejected": false, "failed": false, "the post": true} {
		if got := strings.Contains(b.String(), title); got != want {
			t.Errorf("column %q: %v, want %v, in\n%s", title, got, want, b.String())
		}
	}
}

func TestAPredictionThatFailsIsShown(t *testing.T) {
	bad := made("http", 10, "fixed", 1, experiment.Counts{TimedOut: 3}) // none were predicted
	good := made("http", 10, "batch", 1, experiment.Counts{})
	var b bytes.Buffer
	Check(&b, Style{}, Rows([]*experiment.Run{bad, good}))
	if text := b.String(); !strings.Contains(text, "✗ not as predicted: fixed 3 timed out in 1 of 1 runs") || !strings.Contains(text, "✓ as predicted, timed out: batch 0") {
		t.Errorf("%s", text)
	}
}

func TestProgressIsPlainLinesWhereLinesCannotBeRedrawn(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, Style{}, 1)
	p.Begin(experiment.NewSleep(1, 0), 10_000, experiment.Policy{Text: "batch 5"})
	p.Sampled(experiment.Point{T: 0.01, Completed: 7, InFlight: 5})
	p.End(made("sleep", 10_000, "batch", 1, experiment.Counts{Failed: 2}))
	want := "  [1/1] sleep 10,000, batch 5: 1.00 s, 9998 ok, 2 failed\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// The median of the residuals hid the one run of three that was 70 % off.
func TestOneRunThatContradictsItselfIsNamed(t *testing.T) {
	var runs []*experiment.Run
	for _, residual := range []float64{0.01, -0.7, 0.02} {
		r := made("http", 10, "fixed", 1, experiment.Counts{})
		r.LittleResidual = &residual
		runs = append(runs, r)
	}
	for _, tt := range []struct {
		runs []*experiment.Run
		want string
	}{
		{runs, "fixed: in 1 of 3 runs the calls in flight as sampled are at worst -70 % off"},
		{runs[1:2], "fixed: the calls in flight as sampled are -70 % off"},
		{runs[:1], ""},
	} {
		got := Rows(tt.runs)[0].mistrust()
		if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%d runs: %q, want %q", len(tt.runs), got, tt.want)
		}
	}
}
