package httpclient

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// cancelOf returns Request.Cancel. It is deprecated, and yet http.Client sets
// it for its Timeout when its Transport is not net/http's.
func cancelOf(req *http.Request) <-chan struct{} {
	//lint:ignore SA1019 see above
	return req.Cancel
}

// clientTime is how long awaitClient waits at most.
const clientTime = 5 * time.Millisecond

// awaitClient waits for http.Client to know of its own timeout. For a Transport that
// is not net/http's it sets a deadline and, independently, a timer that notes
// the timeout and closes cancelled; if the error of the deadline comes first,
// the client does not say "Client.Timeout exceeded", for which people and
// programs look. The two are due at the same moment, so this takes
// microseconds, except for a caller that sets Cancel and a deadline itself.
func awaitClient(err error, cancelled <-chan struct{}) {
	if cancelled == nil || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrAttemptTimeout) || errors.Is(err, ErrTimeout) {
		return
	}
	t := time.NewTimer(clientTime)
	defer t.Stop()
	select {
	case <-cancelled:
	case <-t.C:
	}
}
