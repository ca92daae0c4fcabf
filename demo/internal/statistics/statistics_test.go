package statistics

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestFiveMeasurementsHaveNoIntervalAndSixHave(t *testing.T) {
	five := []float64{5, 1, 4, 2, 3}
	if i := MedianInterval(five); i.Known() {
		t.Errorf("%+v of five", i)
	}
	i := MedianInterval(append(five, 6))
	// All six on one side of the median: 2 in 64 throws.
	if want := 1 - 2.0/64; i.Low != 1 || i.High != 6 || math.Abs(i.Confidence-want) > 1e-9 {
		t.Errorf("%+v, want 1 to 6 with %v", i, want)
	}
	if MedianInterval(nil).Known() {
		t.Error("an interval of nothing")
	}
}

func TestIntervalsHoldTheMedianAsOftenAsTheySay(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{6, 10, 20} {
		const tries = 4000
		held := 0
		var confidence float64
		for range tries {
			v := make([]float64, n)
			for k := range v {
				v[k] = source.ExpFloat64() // skewed, as times are; its median is ln 2
			}
			i := MedianInterval(v)
			confidence = i.Confidence
			if i.Low <= math.Ln2 && math.Ln2 <= i.High {
				held++
			}
		}
		if share := float64(held) / tries; math.Abs(share-confidence) > 0.015 {
			t.Errorf("of %d: %.3f held, said %.3f", n, share, confidence)
		}
	}
}

func TestMedianIsAValueThatWasMeasured(t *testing.T) {
	if m := Median([]float64{5, 1, 9, 2}); m != 2 {
		t.Errorf("%v, want 2", m)
	}
	if Median(nil) != 0 {
		t.Error("a median of nothing")
	}
}

func TestDifferencesAreFoundAndNotInvented(t *testing.T) {
	low, high := []float64{1, 2, 3, 4, 5, 6}, []float64{7, 8, 9, 10, 11, 12}
	if p := PValue(low, high); math.Abs(p-LeastP(6, 6)) > 1e-9 || p > 0.003 {
		t.Errorf("p = %v of samples apart, least %v", p, LeastP(6, 6))
	}
	if p := PValue(low, low); p < 0.9 {
		t.Errorf("p = %v of a sample and itself", p)
	}
	if PValue(nil, low) != 1 || PValue([]float64{1, 1}, []float64{1, 1}) != 1 {
		t.Error("a difference of nothing")
	}
	if LeastP(3, 3) <= 0.05 || LeastP(4, 4) >= 0.05 {
		t.Errorf("three and three: %v, four and four: %v", LeastP(3, 3), LeastP(4, 4))
	}
}
