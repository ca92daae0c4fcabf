package httpclient_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
)

// A customer whose quota is used up gets 429 whatever the client does. Each such answer
// would bring down the rate for all the others.
func TestRefusalsOfOneCustomerBringDownTheHost(t *testing.T) {
	shares := []int64{1000, 100, 50, 20}
	if testing.Short() {
		shares = shares[1:2]
	}
	for _, oneIn := range shares {
		t.Run(fmt.Sprint("one in ", oneIn), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n, ok atomic.Int64
				tr := must(httpclient.NewTransport(httpclient.Config{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
					time.Sleep(10 * time.Millisecond)
					if n.Add(1)%oneIn == 0 {
						return response(req, http.StatusTooManyRequests), nil
					}
					ok.Add(1)
					return response(req, http.StatusOK), nil
				})}))
				const learning, span = 40 * time.Second, 10 * time.Second
				start := time.Now()
				var wg sync.WaitGroup
				for range 32 { // who get 3,200 answers per second
					wg.Go(func() {
						for time.Since(start) < learning+span {
							_, _ = do(tr, get(t.Context()))
						}
					})
				}
				time.Sleep(learning)
				before := ok.Load()
				time.Sleep(span - 1)
				if rate := float64(ok.Load()-before) / span.Seconds(); rate < 0.9*3200*(1-1/float64(oneIn)) {
					t.Errorf("%.0f answers per second", rate)
				}
				wg.Wait()
			})
		})
	}
}
