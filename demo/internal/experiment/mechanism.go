package experiment

import (
	"fmt"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

// predictMechanism says what is known beforehand of the ways to fail that the
// law of time-outs does not cover. How many calls meet them is up to how fast
// this machine makes calls, so the numbers stay open; what they are is not. It
// reports false for an origin that has none of them.
func predictMechanism(c origin.Config) (Prediction, bool) {
	switch {
	case c.Quota > 0:
		return Prediction{Of: ofRefusals, Open: true, Text: fmt.Sprintf("open: what is above %.0f/s is refused", c.Quota)}, true
	case c.Backlog > 0:
		return Prediction{Of: ofTimeouts, Open: true, Text: fmt.Sprintf("open: handshakes beyond %d are dropped and tried again after 1 s", c.Backlog)}, true
	case c.Streams > 0:
		return Prediction{Of: ofTimeouts, Open: true, Text: fmt.Sprintf("open: streams beyond %d on a new connection are refused and tried again after 1 s", c.Streams)}, true
	}
	return Prediction{}, false
}
