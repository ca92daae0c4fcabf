package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// An origin that was killed left tables that looked like any other; what had happened
// stood on standard error alone.
func TestTheTablesSayThatAnExperimentCouldNotGoOn(t *testing.T) {
	var b bytes.Buffer
	Closing(&b, Style{}, &Document{Runs: []*experiment.Run{{}}, Error: "the origin has gone"})
	if !strings.Contains(b.String(), "not complete: the origin has gone") {
		t.Errorf("%s", b.String())
	}
}
