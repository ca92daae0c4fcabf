package chance

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSeedIsForgotten(t *testing.T) {
	draw := func(seed uint64) (all [20]time.Duration) {
		synctest.Test(t, func(*testing.T) {
			defer Follow(seed)()
			for i := range all {
				time.Sleep(time.Duration(1+i) * time.Millisecond)
				all[i] = Below(time.Second)
				if all[i] < 0 || all[i] >= time.Second {
					t.Errorf("%v", all[i])
				}
			}
		})
		return all
	}
	a, b, c := draw(1), draw(1), draw(2)
	if a != b || a == c || a[0] == a[1] {
		t.Errorf("%v, %v, %v", a, b, c)
	}
	var free [20]time.Duration
	for i := range free {
		if free[i] = Below(time.Second); free[i] < 0 || free[i] >= time.Second {
			t.Errorf("%v", free[i])
		}
	}
	if free == a {
		t.Error("the seed is still followed")
	}
}
