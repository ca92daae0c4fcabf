package limiter_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

func TestGatherMixesUpItsBatchesOrResults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		start := time.Now()
		began := make([]time.Duration, 7)
		got, err := limiter.Gather(t.Context(), 3, count(7), func(_ context.Context, i int) (int, error) {
			began[i] = time.Since(start)
			time.Sleep(time.Duration(i%3+1) * time.Second)
			return i * i, nil
		})
		if err != nil || !slices.Equal(got, []int{0, 1, 4, 9, 16, 25, 36}) {
			t.Errorf("%v, %v", got, err)
		}
		const s = time.Second
		if want := []time.Duration{0, 0, 0, 3 * s, 3 * s, 3 * s, 6 * s}; !slices.Equal(began, want) {
			t.Errorf("began at %v, want %v", began, want)
		}
		got, err = limiter.Gather(t.Context(), 2, count(100), func(_ context.Context, i int) (int, error) {
			if i == 3 {
				return 99, errTest
			}
			return i + 1, nil
		})
		if !errors.Is(err, errTest) || !slices.Equal(got[:3], []int{1, 2, 3}) || got[3] != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}
