package limiter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func Example() {
	l := limiter.New(limiter.Fixed(2), limiter.MaxQueue(0))
	ctx := context.Background()

	first, _ := l.Acquire(ctx)
	second, _ := l.Acquire(ctx)
	_, err := l.Acquire(ctx)
	fmt.Println(err)
	fmt.Println("not started:", errors.Is(err, limiter.ErrRejected))

	first.Report(limiter.Success)
	first.Release()
	third, err := l.Acquire(ctx)
	fmt.Println(err)

	second.Release()
	third.Release()
	// Output:
	// limiter: rejected: queue full (2 in flight, limit 2, 0 queued)
	// not started: true
	// <nil>
}

func ExampleDo() {
	l := limiter.New(limiter.Adaptive(limiter.AdaptiveConfig{}))
	answer, err := limiter.Do(context.Background(), l, func(ctx context.Context) (string, error) {
		return "pong", nil // a call of your database, your API, your disk
	})
	fmt.Println(answer, err)
	// Output: pong <nil>
}

func ExampleForEach() {
	l := limiter.New(limiter.Fixed(3))
	urls := slices.Values([]string{"a", "b", "c", "d", "e"})
	err := limiter.ForEach(context.Background(), l, urls, func(ctx context.Context, url string) error {
		return nil // fetch it
	})
	fmt.Println(err, l.Stats().Outcomes.Success, l.Stats().PeakInFlight <= 3)
	// Output: <nil> 5 true
}

func ExampleForEach_keepGoing() {
	l := limiter.New(limiter.Fixed(1))
	err := limiter.ForEach(context.Background(), l, slices.Values([]int{1, 2, 3}), func(ctx context.Context, n int) error {
		if n%2 == 1 {
			return fmt.Errorf("item %d is odd", n)
		}
		return nil
	}, limiter.KeepGoing())
	fmt.Println(err)
	// Output:
	// item 1 is odd
	// item 3 is odd
}

func ExampleMap() {
	l := limiter.New(limiter.Fixed(4))
	for square, err := range limiter.Map(context.Background(), l, 8, slices.Values([]int{1, 2, 3, 4}), func(ctx context.Context, n int) (int, error) {
		time.Sleep(time.Duration(5-n) * time.Millisecond) // the later, the faster
		return n * n, nil
	}) {
		fmt.Println(square, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// 16 <nil>
}

func ExampleAll() {
	// At most 50 calls per second, and at most 8 at once should they be slow.
	l := limiter.New(limiter.All(limiter.Rate(50, 10), limiter.Fixed(8)))
	p, _ := l.Acquire(context.Background())
	defer p.Release()
	fmt.Println(l.Stats().Limit)
	// Output: 8
}

func ExampleKeyed() {
	perTenant := limiter.NewKeyed(1000, func(tenant string) *limiter.Limiter {
		return limiter.New(limiter.Fixed(1))
	})
	_, alice := perTenant.TryAcquire("alice")
	_, bob := perTenant.TryAcquire("bob")
	_, aliceAgain := perTenant.TryAcquire("alice")
	fmt.Println(alice, bob, aliceAgain)
	// Output: true true false
}

func ExampleObserve() {
	l := limiter.New(limiter.AIMD(limiter.AIMDConfig{Initial: 10, Min: 1}), limiter.Observe(func(e limiter.Event) {
		if e.Kind == limiter.LimitChanged {
			fmt.Println("limit", e.Limit, "because:", e.Cause)
		}
	}))
	p, _ := l.Acquire(context.Background())
	p.Report(limiter.Refused)
	p.Release()
	l.TryAcquire()
	// Output:
	// limit 10 because: initial
	// limit 9 because: refused
}

// office is a Policy of one's own: two places in working hours, twenty at
// night.
type office struct{}

func (office) Next(s limiter.State) (limit int, wait time.Duration) {
	if h := s.Wall().Hour(); h >= 8 && h < 18 {
		return 2, 0
	}
	return 20, 0
}
func (office) Start(limiter.State)                  {}
func (office) Report(limiter.State, limiter.Result) {}

func ExamplePolicy() {
	morning := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	limit, _ := office{}.Next(limiter.State{Epoch: &morning})
	fmt.Println(limit)
	limiter.New(office{}) // and that is all
	// Output: 2
}

func ExampleWithPriority() {
	ctx := limiter.WithPriority(context.Background(), 10) // a person is waiting for this one
	l := limiter.New(limiter.Fixed(1))
	p, err := l.Acquire(ctx)
	fmt.Println(err)
	p.Release()
	// Output: <nil>
}
