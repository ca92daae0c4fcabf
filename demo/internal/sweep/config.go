package sweep

import (
	"fmt"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/load"
)

// Config says how to sweep. The zero value is valid.
type Config struct {
	// Max is the largest limit; 0 means 1024.
	Max int
	// Rounds is how often the limits around the knee are measured; 0 means 6,
	// the fewest whose least and greatest enclose the median with 95 %. If the
	// interval is wide after them, three more are added.
	Rounds int
	// Window is for how long calls are counted with each limit. 0 means six
	// times the latency of a lone call, and at least 250 ms.
	Window time.Duration
	// Warm is how long calls are made with each limit before any is counted, at least;
	// 0 means one and a half times the latency of a lone call.
	Warm time.Duration
	// Seed is what the order within a round follows from.
	Seed uint64
	// Measured, if set, is told each measurement as it is made, and the step
	// that it belongs to: "scan", "refine" or "round k of n".
	Measured func(step string, m load.Measurement)
}

func (c Config) withDefaults() (Config, error) {
	if c.Max == 0 {
		c.Max = 1024
	}
	if c.Rounds == 0 {
		c.Rounds = 6
	}
	switch {
	case c.Max < 4:
		return c, fmt.Errorf("sweep: Config.Max is %d, want at least 4, or 0 for 1024", c.Max)
	case c.Rounds < 1:
		return c, fmt.Errorf("sweep: Config.Rounds is %d, want at least 1, or 0 for 6", c.Rounds)
	case c.Window < 0:
		return c, fmt.Errorf("sweep: Config.Window is %v, want a positive duration, or 0 for a suitable one", c.Window)
	}
	return c, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
