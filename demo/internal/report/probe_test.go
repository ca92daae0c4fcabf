package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/probe"
)

func TestTheLeastTimeoutIsNotCalledFourTimesTheP99(t *testing.T) {
	for seconds, want := range map[float64]string{0.1: "the least to recommend", 0.28: "timeout 280ms (four times the p99)"} {
		var b bytes.Buffer
		Probe(&b, Style{}, &probe.Result{Limit: 9, From: 7, To: 10, Rate: 712, Timeout: seconds, Stopped: "done"})
		if text := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(text, want) {
			t.Errorf("%v s: no %q in\n%s", seconds, want, text)
		}
	}
}
