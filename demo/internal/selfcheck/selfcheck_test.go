package selfcheck

import (
	"context"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func TestMain(m *testing.M) {
	origin.Main()
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// Whether the bars are met is a matter of the machine and of who else uses it,
// and so no matter for a test. That the figures are measured is.
func TestFindingsAreMeasured(t *testing.T) {
	f, err := Overhead(t.Context(), 1)
	if err != nil || !strings.Contains(f.Got, "%") || f.Want != "≤ 5 %" {
		t.Errorf("%+v, %v", f, err)
	}
	all, err := Latency(t.Context(), 1)
	if err != nil || len(all) != 6 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, f := range all {
		if strings.HasPrefix(f.Got, "0.00 ms") || strings.HasSuffix(f.Got, " 0.00 ms") {
			t.Errorf("%+v: nothing was measured", f)
		}
	}
}

func TestSelfcheckEndsWithTheInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Overhead(ctx, 1); err == nil {
		t.Error("it went on")
	}
}
