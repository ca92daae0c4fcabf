package report

import (
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

func TestSentencesFollowTheNumbers(t *testing.T) {
	type runs = []*experiment.Run
	none := experiment.Counts{}
	for _, tt := range []struct {
		name       string
		experiment string
		n          int
		runs       runs
		want       []string
		not        []string
	}{
		{
			"all at once wins", "sleep", 100_000,
			runs{made("sleep", 100_000, "unbounded", 0.6, none), made("sleep", 100_000, "batch", 1.8, none)},
			[]string{"running all at once is 3.0 times as fast", "the opposite of the post"},
			[]string{"as in the post"},
		},
		{
			"batches win", "sleep", 100_000,
			runs{made("sleep", 100_000, "unbounded", 4, none), made("sleep", 100_000, "batch", 2, none)},
			[]string{"batching is 2.0 times as fast", "as in the post"},
			[]string{"opposite"},
		},
		{
			"nobody wins", "sleep", 10_000,
			runs{made("sleep", 10_000, "unbounded", 1.0, none), made("sleep", 10_000, "batch", 1.05, none)},
			[]string{"no difference"},
			[]string{"times as fast"},
		},
		{
			"one run against the others proves nothing", "sleep", 10_000,
			runs{
				made("sleep", 10_000, "unbounded", 1, none), made("sleep", 10_000, "unbounded", 3, none),
				made("sleep", 10_000, "batch", 2, none), made("sleep", 10_000, "batch", 2, none),
			},
			[]string{"no difference"},
			nil,
		},
		{
			"time-outs", "http", 1000,
			runs{
				made("http", 1000, "unbounded", 1, experiment.Counts{TimedOut: 230}),
				made("http", 1000, "fixed", 1.2, none), made("http", 1000, "adaptive", 1.5, none),
			},
			[]string{"230 of 1,000 tasks (23 %) timed out under unbounded", "none under fixed and adaptive", "1.25 times as long"},
			nil,
		},
		{
			"time-outs under every policy", "http", 1000,
			runs{
				made("http", 1000, "unbounded", 1, experiment.Counts{TimedOut: 230}),
				made("http", 1000, "fixed", 1, experiment.Counts{TimedOut: 10}),
			},
			[]string{"10 (1 %) under fixed"},
			[]string{"none under"},
		},
		{
			"no time-outs", "http", 100,
			runs{made("http", 100, "unbounded", 1, none), made("http", 100, "batch", 1, none)},
			[]string{"None of the 100 tasks timed out under unbounded and batch."},
			nil,
		},
		{
			"refusals", "postgres", 500,
			runs{
				made("postgres", 500, "unbounded", 1, experiment.Counts{Refused: 403}),
				made("postgres", 500, "fixed", 2, none), made("postgres", 500, "pool", 1, none),
			},
			[]string{"403 of 500 tasks (81 %) were refused under unbounded", "the pool opened"},
			nil,
		},
	} {
		text := Sentence(tt.experiment, tt.n, Rows(tt.runs))
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q, want it to say %q", tt.name, text, want)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(text, not) {
				t.Errorf("%s: %q must not say %q", tt.name, text, not)
			}
		}
	}
}

func TestTimesOfABusyMachineAreDoubted(t *testing.T) {
	all, batch := made("sleep", 100_000, "unbounded", 1, experiment.Counts{}), made("sleep", 100_000, "batch", 3, experiment.Counts{})
	text := func() string { return Sentence("sleep", 100_000, Rows([]*experiment.Run{all, batch})) }
	if strings.Contains(text(), "other programs") {
		t.Errorf("doubt without reason: %s", text())
	}
	batch.Noisy = true
	if !strings.Contains(text(), "other programs") {
		t.Errorf("no doubt: %s", text())
	}
}

func TestASentenceClaimsNothingOfRunsThatWereCut(t *testing.T) {
	none := experiment.Counts{}
	cut := made("postgres", 500, "batch", 0.1, experiment.Counts{Refused: 9, Cancelled: 300})
	cut.Interrupted = true
	text := Sentence("postgres", 500, Rows([]*experiment.Run{made("postgres", 500, "fixed", 1, none), cut}))
	if want := "None of the 500 tasks were refused under fixed; runs cut short are not counted (batch)."; text != want {
		t.Errorf("%q, want %q", text, want)
	}
	// Nor where a policy has other runs, which were not.
	text = Sentence("postgres", 500, Rows([]*experiment.Run{made("postgres", 500, "batch", 1, none), cut}))
	if want := "None of the 500 tasks were refused under batch; runs cut short are not counted (batch)."; text != want {
		t.Errorf("%q, want %q", text, want)
	}
}

func TestASentenceTellsEveryWayToEndBadly(t *testing.T) {
	text := Sentence("http", 1000, Rows([]*experiment.Run{
		made("http", 1000, "unbounded", 1, experiment.Counts{Failed: 754, Refused: 2}),
		made("http", 1000, "fixed", 1, experiment.Counts{Rejected: 10, Cancelled: 1}),
	}))
	want := "None of the 1,000 tasks timed out under unbounded and fixed; " +
		"2 of 1,000 tasks (0.2 %) were refused under unbounded; " +
		"10 of 1,000 tasks (1 %) were rejected by the limiter under fixed; " +
		"754 of 1,000 tasks (75 %) failed under unbounded; " +
		"1 of 1,000 tasks (0.1 %) were cancelled under fixed."
	if text != want {
		t.Errorf("%q, want %q", text, want)
	}
}

func TestAMedianOfNoneIsNotNone(t *testing.T) {
	var runs []*experiment.Run
	for _, late := range []int{0, 0, 7} {
		runs = append(runs, made("http", 100, "batch", 1, experiment.Counts{TimedOut: late}))
	}
	rows := Rows(runs)
	if text, want := Sentence("http", 100, rows), "0–7 of 100 tasks (0–7 %) timed out under batch."; text != want {
		t.Errorf("%q, want %q", text, want)
	}
	if rows[0].Whole() {
		t.Error("a row one of whose runs has time-outs passes for whole")
	}
}

func TestALimitThatWasGivenIsNotCalledDerived(t *testing.T) {
	fixed, adaptive := made("http", 100, "fixed", 1, experiment.Counts{}), made("http", 100, "adaptive", 2, experiment.Counts{})
	text := func() string { return Sentence("http", 100, Rows([]*experiment.Run{fixed, adaptive})) }
	if got := text(); !strings.Contains(got, "derived") || !strings.Contains(got, "knows nothing") {
		t.Errorf("%q, want it to say what was derived", got)
	}
	fixed.Chosen = true
	if got := text(); strings.Contains(got, "derived") || !strings.Contains(got, "2.00 times as long as fixed.") {
		t.Errorf("%q of a limit that the user has given", got)
	}
	adaptive.Chosen = true
	if got := text(); strings.Contains(got, "knows nothing") {
		t.Errorf("%q of a search that the user has told where to begin", got)
	}
}

func TestNoDifferenceIsNotTheOppositeOfThePost(t *testing.T) {
	all, batch := made("sleep", 100_000, "unbounded", 1, experiment.Counts{}), made("sleep", 100_000, "batch", 1.01, experiment.Counts{})
	if text := Sentence("sleep", 100_000, Rows([]*experiment.Run{all, batch})); strings.Contains(text, "opposite") {
		t.Errorf("%q", text)
	}
	batch.WallSeconds, batch.Chosen = 3, true // not the post's five batches
	if text := Sentence("sleep", 100_000, Rows([]*experiment.Run{all, batch})); strings.Contains(text, "post") {
		t.Errorf("%q", text)
	}
}
