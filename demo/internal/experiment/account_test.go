package experiment

import (
	"encoding/json"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestLatenciesSurviveTheirFile(t *testing.T) {
	l := newLatencies()
	for i := range 1000 {
		l.add(time.Duration(i*i) * time.Microsecond)
	}
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var back *Latencies
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back.Percentiles() != l.Percentiles() || back.Count() != 1000 {
		t.Errorf("%+v became %+v", l.Percentiles(), back.Percentiles())
	}
	if merged := MergedLatencies(l, back); merged.Count() != 2000 {
		t.Errorf("%d after merging", merged.Count())
	}
	for _, broken := range []string{`{"hdr":"x"}`, `{"hdr":""}`, `7`} {
		if err := json.Unmarshal([]byte(broken), &back); err == nil {
			t.Errorf("%s was taken", broken)
		}
	}
}

func TestCurveRisesToTheLongest(t *testing.T) {
	l := newLatencies()
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	curve := l.Curve()
	for i, q := range curve[1:] {
		if q.Share <= curve[i].Share || q.MS < curve[i].MS {
			t.Errorf("%+v after %+v", q, curve[i])
		}
	}
	if last := curve[len(curve)-1]; last.Share < 0.998 || last.MS < 990 || last.MS > 1000 {
		t.Errorf("it ends with %+v", last)
	}
	if newLatencies().Curve() != nil {
		t.Error("a curve of nothing")
	}
}

func TestTheTwoAccountsOfARunAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewUneven(1)
		for _, p := range Policies(w, []string{Unbounded, Batch, Fixed}, 100, Choices{}) {
			run, err := new(Runner).Run(t.Context(), w, 100, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			if run.LittleResidual == nil || math.Abs(*run.LittleResidual) > 0.05 {
				t.Errorf("%s: mean in flight %.2f, residual %v", p.Text, run.MeanInFlight, run.LittleResidual)
			}
			if len(run.Tasks) != 100 {
				t.Errorf("%s: %d of 100 tasks", p.Text, len(run.Tasks))
			}
			if got, want := run.WallSeconds, run.FloorSeconds; math.Abs(got-want) > 0.001 {
				t.Errorf("%s took %v s of virtual time, its floor is %v s", p.Text, got, want)
			}
		}
	})
}

func TestAMissingCallShowsInLittlesLaw(t *testing.T) {
	l := newLatencies()
	l.add(time.Second)
	r := little(2, 100, l, time.Second)
	if r == nil || *r != 1 {
		t.Errorf("residual %v of two in flight by one account and one by the other, want 1", r)
	}
	if little(2, leastSamples-1, l, time.Second) != nil || little(2, 100, newLatencies(), time.Second) != nil {
		t.Error("a residual of too little")
	}
}
