package httpclient_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
)

// A server that says nothing of its quota refuses everything once a window is used up,
// and whoever then goes on as before has one call of eight refused, or of five. One whose
// bucket is empty refuses little of what comes; taken for refusals that come at any rate,
// they go on for minutes. Where in its window the first request meets the server, and how
// long requests are on their way, is chance.
func TestSilentServerRefusesManyWhateverTheMomentWeCome(t *testing.T) {
	for name, test := range map[string]struct {
		window         time.Duration
		burst          float64
		latency        time.Duration
		goodput        float64 // of the quota, at least
		refused        float64 // of the calls, at most
		refusedTheLast float64 // the same in the second minute
	}{
		"windows of 1 s":       {time.Second, 0, 20 * time.Millisecond, 0.95, 0.05, 0.04},
		"windows of 1 s, near": {time.Second, 0, 2 * time.Millisecond, 0.95, 0.05, 0.03},
		"windows of 10 s":      {10 * time.Second, 0, 20 * time.Millisecond, 0.85, 0.05, 0.05},
		"windows of 10 s, far": {10 * time.Second, 0, 200 * time.Millisecond, 0.85, 0.15, 0.15},
		"windows of a minute":  {time.Minute, 0, 20 * time.Millisecond, 0.7, 0.05, 0.05},
		"bucket":               {time.Second, 500, 20 * time.Millisecond, 0.97, 0.02, 0.01},
	} {
		seeds := uint64(3)
		if testing.Short() {
			seeds = 1
		}
		for seed := range seeds {
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var mu sync.Mutex
					rng := rand.New(rand.NewPCG(seed, 1))
					now := time.Now()
					s := &quotaServer{quota: 500 * test.window.Seconds(), window: test.window, burst: test.burst, last: now}
					s.start, s.left = now.Add(-time.Duration(rng.Float64()*float64(test.window))), test.burst
					if test.burst == 0 {
						s.left = s.quota * rng.Float64() // others have used the rest
					}
					tr := must(httpclient.NewTransport(httpclient.Config{Base: roundTripper(func(req *http.Request) (*http.Response, error) {
						mu.Lock()
						d := time.Duration(float64(test.latency) * (0.5 + rng.ExpFloat64()/2) / 2)
						mu.Unlock()
						time.Sleep(d) // there
						defer time.Sleep(d)
						return s.RoundTrip(req)
					})}))
					minute := func() (ok, refused int) {
						ok, refused = s.ok, s.refused
						ctx, stop := context.WithTimeout(t.Context(), time.Minute)
						defer stop()
						load(ctx, tr, 400)
						return s.ok - ok, s.refused - refused
					}
					ok1, refused1 := minute()
					ok2, refused2 := minute()
					goodput := float64(ok1+ok2) / (500 * 120)
					refused := float64(refused1+refused2) / float64(ok1+ok2+refused1+refused2)
					last := float64(refused2) / float64(ok2+refused2)
					t.Logf("goodput %.1f %% of the quota, %.2f %% refused, %.2f %% in the second minute", 100*goodput, 100*refused, 100*last)
					if goodput < test.goodput || refused > test.refused || last > test.refusedTheLast {
						t.Errorf("goodput %.1f %% of the quota, %.2f %% refused, %.2f %% in the second minute", 100*goodput, 100*refused, 100*last)
					}
				})
			})
		}
	}
}
