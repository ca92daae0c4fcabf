package sweep

import (
	"context"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
)

// watched notes the shortest time that was left for warming up.
type watched struct {
	load.Target
	least time.Duration
}

func (w *watched) Measure(ctx context.Context, t load.Trial) (load.Measurement, error) {
	w.least = min(w.least, t.Warm)
	return w.Target.Measure(ctx, t)
}

// The burst of a quota was counted as if it could be had for ever: the best goodput of
// an origin that lets in 400 per second was 512/s.
func TestNothingIsCountedBeforeTheOriginHasSettled(t *testing.T) {
	const warm = 500 * time.Millisecond
	w := &watched{virtual(knee.Network{Workers: 8, Service: 10 * time.Millisecond}, 1, 0), time.Hour}
	if _, err := Run(t.Context(), w, Config{Rounds: 1, Warm: warm}); err != nil || w.least < warm {
		t.Errorf("%v, counted after %v, want %v", err, w.least, warm)
	}
}
