package realservers

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/postgres"
	"github.com/tidegate-go/tidegate/limiter"
)

// slots has tasks each open a connection of their own, of which PostgreSQL has 97.
func slots(t *testing.T, all *rows) {
	server, err := postgres.Open(t.Context(), postgres.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if server.Kind() != postgres.Temporary {
		missing := "PostgreSQL is not installed: apt-get install postgresql"
		if os.Getenv("TIDEGATE_REQUIRE_REAL") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	const tasks = 300
	got := map[string]*tally{}
	for _, c := range []client{bare, fixed(90), adaptive} {
		w := server.NewWorkload(100 * time.Millisecond)
		policy := limiter.Unlimited()
		if c.policy != nil {
			policy = c.policy()
		}
		l := limiter.New(policy, limiter.Classify(func(err error) limiter.Outcome {
			if postgres.IsTooMany(err) {
				return limiter.Refused
			}
			return limiter.OutcomeOf(err)
		}))
		r := &tally{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		began := time.Now()
		for range tasks {
			wg.Go(func() {
				var latency time.Duration
				_, err := limiter.Do(context.Background(), l, func(ctx context.Context) (struct{}, error) {
					start := time.Now()
					err := w.Own(ctx)
					latency = time.Since(start)
					return struct{}{}, err
				})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					r.ok++
					r.latencies = append(r.latencies, latency)
				case postgres.IsTooMany(err):
					r.refused++
				default:
					r.failed++
					t.Error(err)
				}
			})
		}
		wg.Wait()
		r.took, r.connections = time.Since(began), int64(w.Opened())
		slices.Sort(r.latencies)
		s := l.Stats()
		r.limit = s.Limit
		if r.calls() != tasks || w.Opened() != r.ok || w.Refused() != r.refused || s.InFlight != 0 {
			t.Errorf("%s: %d tasks ended of %d; the server has opened %d sessions and refused %d; %+v", c.name, r.calls(), tasks, w.Opened(), w.Refused(), s)
		}
		all.add("PostgreSQL", "97 connections", c, r)
		got[c.name] = r
	}
	if got["bare"].refused == 0 || got["fixed 90"].refused != 0 || 4*got["adaptive"].refused > got["bare"].refused {
		t.Errorf("refused: bare %d, fixed 90 %d, adaptive %d", got["bare"].refused, got["fixed 90"].refused, got["adaptive"].refused)
	}
}
