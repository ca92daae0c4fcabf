package report

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// plainEvery is how often a run that takes long is heard of where lines cannot
// be drawn anew: often enough to see that it lives, and no flood in a log.
const plainEvery = 3 * time.Second

// Progress shows runs while they are made, on standard error: a bar on a
// terminal, and elsewhere lines. Either way each run that has ended leaves one
// line. Its methods are called by one goroutine, but for Sampled.
type Progress struct {
	w     io.Writer
	style Style
	total int // runs
	done  int

	bars *mpb.Progress // nil where lines cannot be drawn anew
	bar  *mpb.Bar

	now     atomic.Pointer[experiment.Point]
	mu      sync.Mutex // guards what Sampled writes to
	heading string
	n       int
	heardOf time.Time
}

// NewProgress returns a Progress of so many runs.
func NewProgress(w io.Writer, s Style, runs int) *Progress {
	return &Progress{w: w, style: s, total: runs}
}

// Say shows a line that is not about a run.
func (p *Progress) Say(text string) { fmt.Fprintln(p.w, p.style.dim(text)) }

// Begin shows that a run of n tasks begins.
func (p *Progress) Begin(w experiment.Workload, n int, policy experiment.Policy) {
	name := w.Name()
	if w.StandIn() {
		name += " (stand-in)"
	}
	p.mu.Lock()
	p.heading = fmt.Sprintf("[%d/%d] %s %s, %s", p.done+1, p.total, name, grouped(n), policy.Text)
	p.n, p.heardOf = n, time.Now()
	p.mu.Unlock()
	p.now.Store(&experiment.Point{})
	if !p.style.Live {
		return
	}
	// A container of its own for each run: it ends with the run, and then the
	// terminal is free for lines and tables.
	p.bars = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(30), mpb.WithRefreshRate(100*time.Millisecond))
	p.bar = p.bars.New(int64(n), mpb.BarStyle().Rbound("]").Lbound("["),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name("  "+p.heading+" ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + state(*p.now.Load(), n) })),
	)
}

// Sampled shows how the run in progress stands. It may be called by another
// goroutine than the rest.
func (p *Progress) Sampled(at experiment.Point) {
	p.now.Store(&at)
	if p.bar != nil {
		p.bar.SetCurrent(int64(min(at.Completed, p.n-1))) // the end is for End to show
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.style.Live || time.Since(p.heardOf) < plainEvery {
		return
	}
	p.heardOf = time.Now()
	fmt.Fprintf(p.w, "  %s: %.0f s, %s\n", p.heading, at.T, state(at, p.n))
}

// End shows how the run ended; nil means that there is nothing to show.
func (p *Progress) End(r *experiment.Run) {
	p.done++
	if p.bars != nil {
		p.bar.Abort(true)
		p.bars.Wait()
		p.bars, p.bar = nil, nil
	}
	if r == nil {
		return
	}
	fmt.Fprintf(p.w, "  %s: %s, %s\n", p.heading, seconds(r.WallSeconds), p.outcome(r))
}

// outcome lists the ends of a run's tasks.
func (p *Progress) outcome(r *experiment.Run) string {
	text := fmt.Sprintf("%d ok", r.Counts.Succeeded)
	for _, c := range []struct {
		n    int
		name string
	}{
		{r.Counts.TimedOut, "timed out"},
		{r.Counts.Refused, "refused"},
		{r.Counts.Rejected, "rejected"},
		{r.Counts.Failed, "failed"},
		{r.Counts.Cancelled, "cancelled"},
	} {
		if c.n > 0 {
			text += p.style.bad(fmt.Sprintf(", %d %s", c.n, c.name))
		}
	}
	if r.Noisy {
		text += p.style.dim(fmt.Sprintf(" (others used %.0f %% of the machine)", 100**r.ForeignCPU))
	}
	return text
}

func state(at experiment.Point, n int) string {
	text := fmt.Sprintf("%s of %s, %s in flight", grouped(at.Completed), grouped(n), grouped(at.InFlight))
	if at.Limit != nil {
		text += fmt.Sprintf(", limit %s", grouped(*at.Limit))
	}
	return text
}
