package report

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

func TestWhoNeverConvergedDidNotDoSoInNoTime(t *testing.T) {
	var b bytes.Buffer
	summaryTable(&b, Style{}, []scenario.Summary{
		{Group: "study", Policy: "aimd", Phases: 2, Where: "step/5"},
		{Group: "study", Policy: "adaptive", Phases: 2, Converged: 1, Settled: 0.3, Slowest: 0.4, Where: "step/5"},
	})
	for _, want := range []string{`aimd .* 0\.0 +– +– +step/5`, `adaptive .* 100\.0 +0\.3 \(0\.4\) +– +step/5`} {
		if !regexp.MustCompile(want).MatchString(b.String()) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}
