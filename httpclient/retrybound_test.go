package httpclient_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// However long all went well, an outage is not to be met with as many retries.
func TestBudgetSavesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serving(answering(200))
		tr := transport(t, 1, s, retries(2))
		for range 1000 {
			do(tr, get(t.Context()))
		}
		s.become(answering(500))
		for range 100 {
			do(tr, get(t.Context()))
		}
		if h := only(t, tr); h.Retries != 10 || h.RetriesDenied != 90 {
			t.Errorf("%d retries, %d denied", h.Retries, h.RetriesDenied)
		}
	})
}

// What is left of an answer that nobody will see is read for the sake of its connection,
// which is worth little time.
func TestBodyThatTricklesHoldsUpTheRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
			if calls++; calls > 1 {
				return response(req, 200), nil
			}
			resp := response(req, 503)
			resp.Body = &trickle{closed: make(chan struct{})}
			return resp, nil
		}), retries(2))
		start := time.Now()
		if code, err := do(tr, get(t.Context())); code != 200 || err != nil {
			t.Errorf("%d, %v", code, err)
		}
		if took := time.Since(start); took > 200*time.Millisecond { // of which 100 may be the pause
			t.Errorf("the retry began after %v", took)
		}
	})
}

// A trickle gives a byte a second until it is closed.
type trickle struct{ closed chan struct{} }

func (b *trickle) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		return copy(p, "."), nil
	case <-b.closed:
		return 0, errors.New("closed")
	}
}

func (b *trickle) Close() error {
	close(b.closed) // a second time it panics, as others may
	return nil
}
