// Package sleepsweep finds out up to how many sleeping tasks "all at once" is
// the quickest way to run them in Go: the question of the post's first
// experiment, asked of more numbers.
package sleepsweep

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/statistics"
)

// BytesPerTask is what a sleeping goroutine needs: its stack of 2 kB, its
// descriptor, its timer, and what the harness notes about it. Measured at 2.8
// to 3.0 kB for numbers from a thousand to three million.
const BytesPerTask = 3000

// memoryShare is the share of the memory that is there which a run may use.
// Beyond it a machine begins to swap, and the times are those of its disk.
const memoryShare = 0.5

// Wins is how much quicker, relative to "all at once", a policy must be to have
// won: less is what two runs of the same policy differ by.
const Wins = 0.05

// Numbers are the default numbers of tasks.
var Numbers = []int{1_000, 10_000, 100_000, 300_000, 1_000_000, 3_000_000}

// Policies are what is compared.
var Policies = []string{experiment.Unbounded, experiment.Batch, experiment.Fixed}

// Alive is the name of the run with a barrier: all goroutines exist before the
// first one sleeps.
const Alive = "barrier"

// Config says what to run.
type Config struct {
	N       []int // in ascending order
	Runs    int   // of each policy with each number
	Seed    uint64
	Barrier bool // also run with a barrier
	Refine  bool // also run numbers between the last that "all at once" wins and the first that it loses
	// Memory is how many bytes may be used, and false for not known.
	Memory func() (int64, bool)
	// Ran is told each run; nil for one with a barrier.
	Ran func(*experiment.Run, Row)
	// Refused is told why a number is left out.
	Refused func(why string)
}

// A Row is all runs of one policy with one number of tasks. Its JSON is part of
// the harness's output, schema 1.
type Row struct {
	N         int       `json:"n"`
	Policy    string    `json:"policy"`
	Wall      []float64 `json:"wall_seconds"` // of each run
	Median    float64   `json:"median_seconds"`
	Floor     float64   `json:"floor_seconds"`
	PeakAlive int       `json:"peak_alive"` // tasks that had begun and not ended, at most
	Launch    float64   `json:"launch_seconds,omitempty"`
	BytesPer  float64   `json:"bytes_per_task"` // of memory above what there was before, over N
	P99       float64   `json:"p99_ms"`         // of a task, from its start to its end; 300 is perfect
	Noisy     bool      `json:"noisy"`
}

// A Result is a whole sweep. Its JSON is part of the harness's output, schema 1.
type Result struct {
	Rows    []Row    `json:"rows"`
	Refused []string `json:"refused"`
	// BestUpTo is the largest number with which all at once was the quickest,
	// and every smaller one, 0 if there is none. LosesFrom is the smallest with
	// which it was not, 0 if there is none, and To whom it lost.
	BestUpTo    int    `json:"best_up_to"`
	LosesFrom   int    `json:"loses_from"`
	To          string `json:"loses_to,omitempty"`
	Interrupted bool   `json:"interrupted"`
}

// Run runs the sweep. It returns all runs as well, but for those with a barrier.
// When ctx ends the result is of what has been run.
func Run(ctx context.Context, c Config) (*Result, []*experiment.Run, error) {
	s := &sweep{Config: c, result: &Result{Refused: []string{}}, load: experiment.NewSleep(c.Seed, 0)}
	var err error
	for _, n := range c.N {
		if err = s.one(ctx, n); err != nil || ctx.Err() != nil {
			break
		}
	}
	for range refinements {
		s.result.conclude()
		next := s.result.between()
		if !c.Refine || err != nil || ctx.Err() != nil || next == 0 {
			break
		}
		err = s.one(ctx, next)
	}
	s.result.conclude()
	s.result.Interrupted = ctx.Err() != nil
	return s.result, s.runs, err
}

// refinements halve the ratio between the numbers that enclose the answer.
const refinements = 2

type sweep struct {
	Config
	load   *experiment.Sleep
	runner experiment.Runner
	result *Result
	runs   []*experiment.Run
}

// one runs every policy with n tasks.
func (s *sweep) one(ctx context.Context, n int) error {
	if s.Memory != nil {
		if most, ok := s.Memory(); ok && float64(n)*BytesPerTask > memoryShare*float64(most) {
			why := fmt.Sprintf("%d tasks need about %.1f GB, more than half of the %.1f GB of memory that are free", n, float64(n)*BytesPerTask/1e9, float64(most)/1e9)
			s.result.Refused = append(s.result.Refused, why)
			if s.Refused != nil {
				s.Refused(why)
			}
			return nil
		}
	}
	policies := experiment.Policies(s.load, Policies, n, experiment.Choices{})
	for run := 1; run <= s.Runs; run++ {
		for _, p := range experiment.Order(s.load, n, policies, s.Seed, run) {
			if ctx.Err() != nil {
				return nil
			}
			r, err := s.runner.Run(ctx, s.load, n, p, run)
			if r != nil {
				s.runs = append(s.runs, r)
			}
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil // a run that was cut says nothing of how long it takes
			}
			s.add(r, Row{
				N: n, Policy: p.Name, Wall: []float64{r.WallSeconds}, Floor: r.FloorSeconds, PeakAlive: r.PeakInFlight,
				BytesPer: float64(max(0, r.PeakMemoryBytes-r.MemoryBeforeBytes)) / float64(n), P99: r.Latency.P99, Noisy: r.Noisy,
			})
		}
		if s.Barrier && ctx.Err() == nil {
			if row, ok := alive(ctx, n); ok {
				s.add(nil, row)
			}
		}
	}
	return nil
}

// add merges a run into its row.
func (s *sweep) add(r *experiment.Run, row Row) {
	i := slices.IndexFunc(s.result.Rows, func(o Row) bool { return o.N == row.N && o.Policy == row.Policy })
	if i < 0 {
		s.result.Rows = append(s.result.Rows, row)
		i = len(s.result.Rows) - 1
	} else {
		o := &s.result.Rows[i]
		o.Wall = append(o.Wall, row.Wall...)
		o.PeakAlive = max(o.PeakAlive, row.PeakAlive)
		o.Launch = max(o.Launch, row.Launch)
		o.BytesPer = max(o.BytesPer, row.BytesPer)
		o.P99 = max(o.P99, row.P99)
		o.Noisy = o.Noisy || row.Noisy
	}
	o := &s.result.Rows[i]
	o.Median = statistics.Median(o.Wall) // as the tables of the same runs have it
	if s.Ran != nil {
		s.Ran(r, row)
	}
}

// conclude finds where all at once stops being best.
func (r *Result) conclude() {
	order := map[string]int{}
	for i, p := range append(slices.Clone(Policies), Alive) {
		order[p] = i
	}
	slices.SortStableFunc(r.Rows, func(a, b Row) int {
		if a.N != b.N {
			return a.N - b.N
		}
		return order[a.Policy] - order[b.Policy]
	})
	r.BestUpTo, r.LosesFrom, r.To = 0, 0, ""
	for first := 0; first < len(r.Rows); {
		n := r.Rows[first].N
		last := first
		var atOnce, best *Row
		for ; last < len(r.Rows) && r.Rows[last].N == n; last++ {
			switch row := &r.Rows[last]; {
			case row.Policy == experiment.Unbounded:
				atOnce = row
			case row.Policy == Alive: // its wall time leaves out the launch
			case best == nil || row.Median < best.Median:
				best = row
			}
		}
		first = last
		if atOnce == nil || best == nil {
			continue // interrupted
		}
		if best.Median < (1-Wins)*atOnce.Median {
			r.LosesFrom, r.To = n, best.Policy
			return
		}
		r.BestUpTo = n
	}
}

// between is a number between those that enclose the answer, 0 if nothing does.
func (r *Result) between() int {
	if r.BestUpTo == 0 || r.LosesFrom == 0 {
		return 0
	}
	n := int(math.Sqrt(float64(r.BestUpTo) * float64(r.LosesFrom)))
	round := int(math.Pow10(max(0, int(math.Log10(float64(n)))-1)))
	if n = n / round * round; n <= r.BestUpTo || n >= r.LosesFrom {
		return 0
	}
	return n
}

const (
	naps    = 3
	napTime = 100 * time.Millisecond
)

// alive runs n tasks all of which exist before the first one sleeps: the only
// way to have a million alive, since to start them takes longer than they
// sleep. It reports false if ctx has ended.
func alive(ctx context.Context, n int) (Row, bool) {
	debug.FreeOSMemory()
	cpu := experiment.WatchCPU()
	before := experiment.MemoryInUse()
	var ready, running sync.WaitGroup
	open := make(chan struct{})
	took := make([]time.Duration, n)
	ready.Add(n)
	begin := time.Now()
	for i := range n {
		running.Go(func() {
			ready.Done()
			<-open
			from := time.Now()
			for range naps {
				if ctx.Err() != nil {
					return
				}
				time.Sleep(napTime)
			}
			took[i] = time.Since(from)
		})
	}
	ready.Wait()
	launched := time.Now()
	memory := experiment.MemoryInUse() - before
	close(open)
	running.Wait()
	wall := time.Since(launched)
	if ctx.Err() != nil {
		return Row{}, false
	}
	slices.Sort(took)
	_, noisy := cpu()
	return Row{
		N: n, Policy: Alive, Wall: []float64{wall.Seconds()}, Floor: (naps * napTime).Seconds(), PeakAlive: n,
		Launch: launched.Sub(begin).Seconds(), BytesPer: float64(max(0, memory)) / float64(n),
		P99: took[(n-1)*99/100].Seconds() * 1000, Noisy: noisy,
	}, true
}

// Sentence is the answer.
func (r *Result) Sentence() string {
	switch {
	case r.LosesFrom > 0 && r.BestUpTo > 0:
		return fmt.Sprintf("all at once is best up to %d sleeping tasks; with %d, %s was quicker by more than %.0f %%", r.BestUpTo, r.LosesFrom, r.To, 100*Wins)
	case r.LosesFrom > 0:
		return fmt.Sprintf("with %d sleeping tasks, the fewest that were run, %s was already quicker by more than %.0f %%", r.LosesFrom, r.To, 100*Wins)
	case r.BestUpTo > 0:
		return fmt.Sprintf("all at once is best up to %d sleeping tasks, the most that were run", r.BestUpTo)
	}
	return "too little was run to compare"
}
