//go:build !unix

package origin

import (
	"errors"
	"net"
)

// canSetBacklog says whether setBacklog works here.
const canSetBacklog = false

func setBacklog(net.Listener, int) error { return errors.ErrUnsupported }
