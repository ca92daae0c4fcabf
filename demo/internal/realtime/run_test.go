package realtime

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
	"github.com/tidegate-go/tidegate/limiter"
)

func TestMain(m *testing.M) {
	origin.Main()
	goleak.VerifyTestMain(m)
}

func fixed(t *testing.T, name string) []scenario.Maker {
	t.Helper()
	m, err := scenario.MakerOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return []scenario.Maker{m}
}

// A short story with a real origin: what is asserted is what must be so however
// busy the machine is.
func TestPhaseIsPlayedWithTheServiceOfAnother(t *testing.T) {
	if testing.Short() {
		t.Skip("searches for three oracles")
	}
	story := Story{"test", "", 2, 40, []Phase{
		{"open", origin.Config{Workers: 4, Service: 20 * ms}},
		{"closed", origin.Config{Workers: 4, Service: 20 * ms, Quota: 1}},
		{"far", origin.Config{Workers: 4, Service: 20 * ms, Network: 200 * ms}},
	}}
	r := &Runner{Makers: fixed(t, "fixed-9"), Long: 500 * ms, Timeout: 5 * time.Second}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	results, err := r.Run(ctx, []Story{story})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 6 || r.Lasts([]Story{story}) != 3*time.Second {
		t.Fatalf("%d results, want three phases of two policies, in %v", len(results), r.Lasts([]Story{story}))
	}
	for i, want := range []string{"oracle", "fixed-9"} {
		open, closed, far := results[3*i], results[3*i+1], results[3*i+2]
		if open.Policy != want || open.OK == 0 || open.Refused > 0 {
			t.Errorf("open: %+v", open)
		}
		if closed.Refused == 0 {
			t.Errorf("a quota of one call per second has refused none: %+v", closed)
		}
		if far.OK > 0 && far.P50 < 200*ms {
			t.Errorf("a path of 200 ms was never taken: %+v", far)
		}
	}
	if n := results[3].LimitEnd; n != 18 {
		t.Errorf("two clients with a limit of 9 have %d together", n)
	}
	// 4 workers, 20 ms and no path: 4 calls. With 200 ms of path it is 44.
	if a, b := results[0].Best, results[2].Best; a != 4 || b < 40 || b > 48 {
		t.Errorf("the best fixed limits are said to be %d and %d", a, b)
	}
}

func TestInterruptLosesWhatWasDone(t *testing.T) {
	story := Story{"test", "", 1, 8, []Phase{
		{"first", origin.Config{Workers: 4, Service: 5 * ms}}, {"second", origin.Config{Workers: 2, Service: 5 * ms}},
	}}
	ctx, cancel := context.WithCancel(t.Context())
	r := &Runner{Makers: fixed(t, "fixed-4"), Long: 300 * ms, Timeout: time.Second}
	r.Begins = func(_ *Story, policy string) {
		if policy == "fixed-4" {
			time.AfterFunc(100*ms, cancel)
		}
	}
	results, err := r.Run(ctx, []Story{story})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(results); n < 2 || n > 3 {
		t.Fatalf("%d results, want the two of the first policy and at most one that is cut", n)
	}
	for i, x := range results {
		if x.Interrupted != (i == 2) {
			t.Errorf("result %d is marked %v", i, x.Interrupted)
		}
	}
}

// answering is a transport that does nothing but answer, or fail.
type answering struct {
	status int
	err    error
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Body: http.NoBody}, nil
}

func TestOutcomeBlamesTheService(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		far  answering
		want limiter.Outcome
	}{
		{t.Context(), answering{status: http.StatusOK}, limiter.Success},
		{t.Context(), answering{status: http.StatusTooManyRequests}, limiter.Refused},
		{t.Context(), answering{status: http.StatusServiceUnavailable}, limiter.Refused},
		{t.Context(), answering{status: http.StatusInternalServerError}, limiter.Failed},
		{t.Context(), answering{err: context.DeadlineExceeded}, limiter.Overdue},
		{ended, answering{err: context.Canceled}, limiter.Ignored},
		{t.Context(), answering{err: errors.New("reset")}, limiter.Failed},
	} {
		target := &load.HTTP{Transport: c.far, URL: "http://origin.test/"}
		if got := outcome(experiment.EndOf(c.ctx, target.Call(c.ctx))); got != c.want {
			t.Errorf("%+v is %v, want %v", c.far, got, c.want)
		}
	}
}

func TestMatchFindsNothingInSilence(t *testing.T) {
	if _, err := Match([]string{"nosuch"}); err == nil || !strings.Contains(err.Error(), "step") {
		t.Errorf("%v, want an error that names what there is", err)
	}
	if _, err := Match([]string{"["}); err == nil {
		t.Error("a bad pattern is taken")
	}
	got, err := Match([]string{"q*", "step"})
	if err != nil || len(got) != 2 || got[0].Name != "step" {
		t.Errorf("%v, %v", got, err)
	}
	if all, err := Match([]string{"all"}); err != nil || len(all) != len(Stories()) {
		t.Errorf("%d stories, %v", len(all), err)
	}
	for _, s := range Stories() {
		if s.Phases[0].Origin != usual {
			t.Errorf("%s does not begin with the usual service", s.Name)
		}
	}
}
