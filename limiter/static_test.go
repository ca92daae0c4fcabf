package limiter_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tidegate-go/tidegate/limiter"
)

var epoch = time.Unix(1_700_000_000, 0)

// step is one question to a policy in a table: at some time, with so many
// calls in flight, may one start? If so it does.
type step struct {
	at       time.Duration
	inFlight int
	ok       bool
	wait     time.Duration
}

func runSteps(t *testing.T, p limiter.Policy, steps []step) {
	t.Helper()
	for i, s := range steps {
		state := limiter.State{Now: s.at, InFlight: s.inFlight, Queued: 1}
		limit, wait := p.Next(state)
		if again, wait2 := p.Next(state); again != limit || wait2 != wait {
			t.Fatalf("step %d: asked twice, answered (%d, %v) and (%d, %v)", i, limit, wait, again, wait2)
		}
		ok := s.inFlight < limit && wait <= 0
		if ok != s.ok || wait != s.wait {
			t.Fatalf("step %d: %+v: limit %d, wait %v", i, s, limit, wait)
		}
		if ok {
			state.InFlight++
			p.Start(state)
		}
	}
}

func TestFixedLetsNoMoreThanNStart(t *testing.T) {
	runSteps(t, limiter.Fixed(2), []step{
		{inFlight: 0, ok: true},
		{inFlight: 1, ok: true},
		{inFlight: 2},
		{inFlight: 3},
		{inFlight: 1, ok: true},
	})
}

func TestBatchRefillsBeforeItIsEmpty(t *testing.T) {
	runSteps(t, limiter.Batch(3), []step{
		{inFlight: 0, ok: true},
		{inFlight: 1, ok: true},
		{inFlight: 1, ok: true}, // one ended: the third still joins this batch
		{inFlight: 2},           // three have started
		{inFlight: 1},
		{inFlight: 0, ok: true}, // the next batch
		{inFlight: 1, ok: true},
		{inFlight: 2, ok: true},
		{inFlight: 3},
	})
}

func TestRateGivesMoreThanItsTokens(t *testing.T) {
	const ms = time.Millisecond
	runSteps(t, limiter.Rate(10, 2), []step{
		{at: 0, ok: true},
		{at: 0, ok: true},
		{at: 0, wait: 100 * ms},
		{at: 60 * ms, wait: 40 * ms},
		{at: 100 * ms, ok: true},
		{at: 100 * ms, inFlight: 1000, wait: 100 * ms},
		{at: 10_000 * ms, ok: true}, // a long pause fills the bucket and no more
		{at: 10_000 * ms, ok: true},
		{at: 10_000 * ms, wait: 100 * ms},
	})
	runSteps(t, limiter.Rate(rate.Inf, 1), []step{{ok: true}, {ok: true}, {ok: true}})
}

// The bucket is a rewriting of x/time/rate's, so that is what it must agree with,
// for any rate, any burst and any rhythm of calls.
func TestRateStraysFromXTimeRate(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		perSecond := rate.Limit(math.Exp(random.Float64()*30 - 8)) // from one in an hour to billions
		burst := 1 + random.IntN(1<<random.IntN(12))
		ours, theirs := limiter.Rate(perSecond, burst), rate.NewLimiter(perSecond, burst)
		now := time.Duration(1)
		for i := range 2000 {
			pace := math.Exp(random.NormFloat64()) / float64(perSecond)
			if random.IntN(100) == 0 {
				pace *= float64(burst)
			}
			now += time.Duration(min(pace*1e9, 1e15))
			_, wait := ours.Next(limiter.State{Now: now, Queued: 1})
			if allowed := theirs.AllowN(time.Unix(0, int64(now)), 1); allowed != (wait <= 0) {
				t.Fatalf("seed %d, call %d at %v of Rate(%v, %d): wait %v, x/time/rate says %v", seed, i, now, perSecond, burst, wait, allowed)
			}
			if wait <= 0 {
				ours.Start(limiter.State{Now: now, InFlight: 1})
			}
		}
	}
}

// A wait beyond what a Duration can hold must not wrap around to none.
func TestVerySlowRateWrapsAround(t *testing.T) {
	p := limiter.Rate(1e-30, 1)
	p.Start(limiter.State{Now: 1, Epoch: &epoch, InFlight: 1})
	if _, wait := p.Next(limiter.State{Now: 1, Queued: 1}); wait != math.MaxInt64 {
		t.Errorf("wait %v, want the longest there is", wait)
	}
}

func TestAllObeysOnlyOneOfItsParts(t *testing.T) {
	const ms = time.Millisecond
	runSteps(t, limiter.All(limiter.Fixed(2), limiter.Rate(10, 3)), []step{
		{inFlight: 0, ok: true},
		{inFlight: 1, ok: true},
		{inFlight: 2}, // tokens are left, places are not
		{inFlight: 0, ok: true},
		{inFlight: 0, wait: 100 * ms}, // places are left, tokens are not
		{at: 100 * ms, ok: true},
	})
	if limit, _ := limiter.All().Next(limiter.State{}); limit != math.MaxInt {
		t.Errorf("All of nothing has limit %d", limit)
	}
	if one := limiter.Fixed(3); limiter.All(one) != one {
		t.Error("All of one policy is not that policy")
	}
}

func TestAIMDFollowsItsSource(t *testing.T) {
	for _, c := range []limiter.AIMDConfig{{Max: 10}, {Initial: 3}, {Min: 300}, {}} {
		limiter.AIMD(c) // what is left out must fit what is given
	}
	p := limiter.AIMD(limiter.AIMDConfig{Initial: 20, Min: 5, Max: 23, Timeout: time.Second})
	limit := func() int { n, _ := p.Next(limiter.State{}); return n }
	for i, s := range []struct {
		inFlight int
		r        limiter.Result
		want     int
	}{
		{9, limiter.Result{Outcome: limiter.Success}, 20}, // less than half in use
		{10, limiter.Result{Outcome: limiter.Success}, 21},
		{21, limiter.Result{Outcome: limiter.Success}, 22},
		{21, limiter.Result{Outcome: limiter.Success}, 23},
		{21, limiter.Result{Outcome: limiter.Success}, 23}, // Max
		{21, limiter.Result{Outcome: limiter.Refused}, 20},
		{21, limiter.Result{Outcome: limiter.Overdue}, 18},
		{18, limiter.Result{Outcome: limiter.Success, Latency: 2 * time.Second}, 16},
		{16, limiter.Result{Outcome: limiter.Failed}, 16},
		{16, limiter.Result{Outcome: limiter.Cancelled}, 16},
		{16, limiter.Result{Outcome: limiter.Ignored}, 16},
	} {
		p.Report(limiter.State{InFlight: s.inFlight}, s.r)
		if limit() != s.want {
			t.Fatalf("step %d: limit %d, want %d", i, limit(), s.want)
		}
	}
	for range 100 {
		p.Report(limiter.State{}, limiter.Result{Outcome: limiter.Refused})
	}
	if limit() != 5 {
		t.Errorf("limit %d below Min", limit())
	}
}

// Each row must panic with an error that names what is wrong and what is right.
func TestBadConfigurationIsAccepted(t *testing.T) {
	nan := math.NaN()
	for name, row := range map[string]struct {
		make func()
		want []string
	}{
		"Fixed zero":         {func() { limiter.Fixed(0) }, []string{"Fixed", "n is 0", "at least 1"}},
		"Fixed negative":     {func() { limiter.Fixed(-3) }, []string{"-3"}},
		"Batch zero":         {func() { limiter.Batch(0) }, []string{"Batch", "at least 1"}},
		"Rate zero":          {func() { limiter.Rate(0, 1) }, []string{"Rate", "r is 0", "more than 0"}},
		"Rate NaN":           {func() { limiter.Rate(rate.Limit(nan), 1) }, []string{"NaN"}},
		"Rate negative":      {func() { limiter.Rate(-1, 1) }, []string{"-1"}},
		"Rate burst":         {func() { limiter.Rate(1, 0) }, []string{"burst is 0"}},
		"All nil":            {func() { limiter.All(limiter.Fixed(1), nil) }, []string{"policy 1", "nil"}},
		"New nil":            {func() { limiter.New(nil) }, []string{"policy", "nil", "Unlimited()"}},
		"New nil option":     {func() { limiter.New(limiter.Fixed(1), nil) }, []string{"option"}},
		"SetPolicy nil":      {func() { limiter.New(limiter.Fixed(1)).SetPolicy(nil) }, []string{"policy"}},
		"MaxQueue negative":  {func() { limiter.MaxQueue(-1) }, []string{"MaxQueue", "-1"}},
		"MaxWait zero":       {func() { limiter.MaxWait(0) }, []string{"MaxWait", "positive"}},
		"MaxPause negative":  {func() { limiter.MaxPause(-1) }, []string{"MaxPause", "positive"}},
		"Observe nil":        {func() { limiter.Observe(nil) }, []string{"Observe"}},
		"Classify nil":       {func() { limiter.Classify(nil) }, []string{"Classify"}},
		"AIMD bounds":        {func() { limiter.AIMD(limiter.AIMDConfig{Min: 9, Max: 8, Initial: 8}) }, []string{"AIMDConfig", "Max is 8", "at least Min (9)"}},
		"AIMD backoff":       {func() { limiter.AIMD(limiter.AIMDConfig{Backoff: 1}) }, []string{"Backoff is 1"}},
		"AIMD backoff NaN":   {func() { limiter.AIMD(limiter.AIMDConfig{Backoff: nan}) }, []string{"NaN"}},
		"AIMD timeout":       {func() { limiter.AIMD(limiter.AIMDConfig{Timeout: -1}) }, []string{"Timeout"}},
		"AIMD initial":       {func() { limiter.AIMD(limiter.AIMDConfig{Initial: -1}) }, []string{"Initial is -1"}},
		"Vegas bounds":       {func() { limiter.Vegas(limiter.VegasConfig{Max: -1}) }, []string{"VegasConfig", "Max is -1", "at least Min (1)"}},
		"Vegas initial":      {func() { limiter.Vegas(limiter.VegasConfig{Initial: 2, Min: 3}) }, []string{"Initial is 2", "between Min (3)"}},
		"Vegas smoothing":    {func() { limiter.Vegas(limiter.VegasConfig{Smoothing: 1.1}) }, []string{"Smoothing is 1.1", "above 0"}},
		"Vegas NaN":          {func() { limiter.Vegas(limiter.VegasConfig{Smoothing: nan}) }, []string{"NaN"}},
		"Gradient2 bounds":   {func() { limiter.Gradient2(limiter.Gradient2Config{Min: -1}) }, []string{"Gradient2Config", "Min is -1"}},
		"Gradient2 factor":   {func() { limiter.Gradient2(limiter.Gradient2Config{Tolerance: 0.9}) }, []string{"Tolerance is 0.9", "from 1 to 1000"}},
		"Gradient2 NaN":      {func() { limiter.Gradient2(limiter.Gradient2Config{Tolerance: nan}) }, []string{"NaN"}},
		"Gradient2 queue":    {func() { limiter.Gradient2(limiter.Gradient2Config{Queue: -1}) }, []string{"Queue is -1", "at least 1"}},
		"Gradient2 share":    {func() { limiter.Gradient2(limiter.Gradient2Config{Smoothing: -1}) }, []string{"Gradient2Config", "Smoothing is -1"}},
		"Gradient2 window":   {func() { limiter.Gradient2(limiter.Gradient2Config{Window: 1}) }, []string{"Window is 1ns", "from 1ms"}},
		"Gradient bounds":    {func() { limiter.Gradient(limiter.GradientConfig{Min: 3, Max: 2}) }, []string{"GradientConfig", "Max is 2"}},
		"Gradient minimum":   {func() { limiter.Gradient(limiter.GradientConfig{Min: -1}) }, []string{"Min is -1"}},
		"Gradient buffer":    {func() { limiter.Gradient(limiter.GradientConfig{Buffer: 1.5}) }, []string{"Buffer is 1.5", "at most 1"}},
		"Gradient NaN":       {func() { limiter.Gradient(limiter.GradientConfig{Buffer: nan}) }, []string{"NaN"}},
		"Gradient update":    {func() { limiter.Gradient(limiter.GradientConfig{Update: -1}) }, []string{"Update is -1ns", "from 1ms"}},
		"Gradient probe":     {func() { limiter.Gradient(limiter.GradientConfig{Probe: math.MaxInt64}) }, []string{"Probe", "to 8760h"}},
		"Adaptive initial":   {func() { limiter.Adaptive(limiter.AdaptiveConfig{Initial: -1}) }, []string{"AdaptiveConfig", "Initial is -1"}},
		"Adaptive minimum":   {func() { limiter.Adaptive(limiter.AdaptiveConfig{Min: -1}) }, []string{"Min is -1"}},
		"Adaptive maximum":   {func() { limiter.Adaptive(limiter.AdaptiveConfig{Min: 3, Max: 2}) }, []string{"Max is 2"}},
		"Adaptive eagerness": {func() { limiter.Adaptive(limiter.AdaptiveConfig{Eagerness: 9}) }, []string{"Eagerness is 9", "0.1 to 2"}},
		"Adaptive NaN":       {func() { limiter.Adaptive(limiter.AdaptiveConfig{Eagerness: nan}) }, []string{"NaN"}},
		"NewKeyed limit":     {func() { limiter.NewKeyed(0, func(string) *limiter.Limiter { return nil }) }, []string{"NewKeyed", "limit is 0"}},
		"NewKeyed nil":       {func() { limiter.NewKeyed[string](1, nil) }, []string{"create"}},
		"Keyed nil result": {func() {
			_, _ = limiter.NewKeyed(1, func(string) *limiter.Limiter { return nil }).Acquire(context.Background(), "x")
		}, []string{"result of create"}},
		"SetPolicy of another": {func() { new(limiter.Limiter).SetPolicy(nil) }, []string{"SetPolicy"}},
		"Gather size": {func() {
			_, _ = limiter.Gather(context.Background(), 0, count(1), func(context.Context, int) (int, error) { return 0, nil })
		}, []string{"Gather", "size is 0"}},
		"ForEach option": {func() {
			_ = limiter.ForEach(context.Background(), limiter.New(limiter.Fixed(1)), count(1), func(context.Context, int) error { return nil }, nil)
		}, []string{"ForEach", "option"}},
		"Do without a limiter": {func() {
			_, _ = limiter.Do(context.Background(), nil, func(context.Context) (int, error) { return 0, nil })
		}, []string{"Do: l is"}},
		"Do nil": {func() {
			_, _ = limiter.Do[int](context.Background(), limiter.New(limiter.Fixed(1)), nil)
		}, []string{"Do", "f is <nil>"}},
		"ForEach nil f": {func() {
			_ = limiter.ForEach(context.Background(), limiter.New(limiter.Fixed(1)), count(1), nil)
		}, []string{"ForEach"}},
		"ForEach nil seq": {func() {
			_ = limiter.ForEach(context.Background(), limiter.New(limiter.Fixed(1)), nil, func(context.Context, int) error { return nil })
		}, []string{"seq"}},
		"Map window": {func() {
			limiter.Map(context.Background(), limiter.New(limiter.Fixed(1)), 0, count(1), func(context.Context, int) (int, error) { return 0, nil })
		}, []string{"Map", "window is 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				err, _ := recover().(error)
				var config *limiter.ConfigError
				if !errors.As(err, &config) {
					t.Fatalf("panic with %v, want a ConfigError", err)
				}
				for _, part := range row.want {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q does not say %q", err, part)
					}
				}
			}()
			row.make()
			t.Error("accepted")
		})
	}
}
