package probe

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
	"github.com/tidegate-go/tidegate/demo/internal/load"
)

func TestEveryCapEndsTheProbeAndIsNamed(t *testing.T) {
	w := knee.Network{Workers: 200, Service: 10 * ms}
	for _, tt := range []struct {
		name    string
		change  func(*Config)
		stopped string
	}{
		{"concurrency", func(c *Config) { c.Caps.Concurrency = 30 }, "the cap of 30 calls at once"},
		{"requests", func(c *Config) { c.Caps.Requests = 500 }, "the cap of 500 requests"},
		{"time", func(c *Config) { c.Caps.Time = 2 * time.Second }, "the cap of 2s"},
		{"rate", func(c *Config) { c.Caps.Rate = 1000 }, "the cap of 1000 calls per second"},
	} {
		c := config()
		tt.change(&c)
		r, err := Run(t.Context(), virtual(w, 1), c)
		if err != nil || !strings.Contains(r.Stopped, tt.stopped) || !r.AtLeast || r.Limit < 1 || r.Harm != "" {
			t.Errorf("%s: %v, limit %d, %s, harm %q", tt.name, err, r.Limit, r.Stopped, r.Harm)
		}
		for _, m := range r.Measurements {
			if m.Limit > c.Caps.Concurrency {
				t.Errorf("%s: %d at once", tt.name, m.Limit)
			}
		}
		if r.Seconds > c.Caps.Time.Seconds() {
			t.Errorf("%s: %.1f s", tt.name, r.Seconds)
		}
	}
}

// With a cap of 8 the step after 6 is 9, and the probe said that the cap was reached
// without having tried 7 or 8.
func TestTheCapOnConcurrencyIsTriedBeforeItIsReached(t *testing.T) {
	c := config()
	c.Caps.Concurrency = 8
	r, err := Run(t.Context(), virtual(knee.Network{Workers: 64, Service: 10 * ms}, 1), c)
	if err != nil || r.Limit != 8 || !r.AtLeast {
		t.Errorf("%v, limit %d, at least %v: %s", err, r.Limit, r.AtLeast, r.Stopped)
	}
}

// hanging answers a lone call, and no other until its context ends.
type hanging struct{ virtual load.Target }

func (h hanging) Measure(ctx context.Context, t load.Trial) (load.Measurement, error) {
	if t.Limit == 1 {
		return h.virtual.Measure(ctx, t)
	}
	<-ctx.Done()
	return load.Measurement{Limit: t.Limit}, context.Cause(ctx)
}

func TestCallsThatHangDoNotExceedTheCapOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Caps.Time = 2 * time.Second
		c.Timeout = time.Hour
		from := time.Now()
		r, err := Run(t.Context(), hanging{virtual(knee.Network{Workers: 8, Service: 10 * ms}, 1)}, c)
		if took := time.Since(from); took > c.Caps.Time || err != nil || r.Stopped != "the cap of 2s was reached" || r.Limit != 1 {
			t.Errorf("%v: %v, limit %d, %s", took, err, r.Limit, r.Stopped)
		}
	})
}
