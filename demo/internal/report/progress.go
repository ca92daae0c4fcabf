package report

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// plainEvery is how often a run that takes long is heard of where lines cannot
// be drawn anew: often enough to see that it lives, and no flood in a log.
const plainEvery = 3 * time.Second

// Progress shows runs while they are made, on standard error: on a terminal a
// line for each policy of the table that is being made, and elsewhere a line for
// each run that has ended. Its methods are called by one goroutine, but for
// Sampled.
type Progress struct {
	w     io.Writer
	style Style
	total int // runs
	done  int

	mu      sync.Mutex // guards what Sampled reads and writes
	live    *live      // nil where lines cannot be drawn anew
	now     *line
	heading string
	n       int
	heardOf time.Time

	policies []experiment.Policy // of the live lines, in their order
}

// NewProgress returns a Progress of so many runs.
func NewProgress(w io.Writer, s Style, runs int) *Progress {
	return &Progress{w: w, style: s, total: runs}
}

// Say shows a line that is not about a run.
func (p *Progress) Say(text string) { fmt.Fprintln(p.w, p.style.dim(text)) }

// Open shows that policies are about to run, each so many times, with n tasks.
func (p *Progress) Open(w experiment.Workload, n, runs int, policies []experiment.Policy) {
	if !p.style.Live {
		return
	}
	p.policies = policies
	l := newLive(p.w, p.style, w, n, runs, policies)
	p.mu.Lock()
	p.live = l
	p.mu.Unlock()
}

// Close leaves the terminal to others.
func (p *Progress) Close() {
	p.mu.Lock()
	l := p.live
	p.live, p.now = nil, nil
	p.mu.Unlock()
	if l != nil {
		l.close()
	}
}

// Begin shows that a run of n tasks begins.
func (p *Progress) Begin(w experiment.Workload, n int, policy experiment.Policy) {
	name := w.Name()
	if w.StandIn() {
		name += " (stand-in)"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heading = fmt.Sprintf("[%d/%d] %s %s, %s", p.done+1, p.total, name, grouped(n), policy.Text)
	p.n, p.heardOf = n, time.Now()
	if p.live == nil {
		return
	}
	i := slices.IndexFunc(p.policies, func(q experiment.Policy) bool { return q.Text == policy.Text })
	if i >= 0 {
		p.now = p.live.lines[i]
		p.now.begin()
	}
}

// Sampled shows how the run in progress stands. It may be called by another
// goroutine than the rest.
func (p *Progress) Sampled(at experiment.Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != nil {
		p.now.sampled(at)
		return
	}
	if p.style.Live || time.Since(p.heardOf) < plainEvery {
		return
	}
	p.heardOf = time.Now()
	fmt.Fprintf(p.w, "  %s: %.0f s, %s of %s, %s\n", p.heading, at.T, grouped(at.Completed), grouped(p.n), p.style.state(at))
}

// End shows how the run ended; nil means that there is nothing to show.
func (p *Progress) End(r *experiment.Run) {
	p.done++
	p.mu.Lock()
	now, isLive := p.now, p.live != nil
	p.now = nil
	p.mu.Unlock()
	switch {
	case r == nil:
	case now != nil:
		now.end(seconds(r.WallSeconds)+", "+p.outcome(r), r.WallSeconds, !r.Interrupted)
	case !isLive:
		fmt.Fprintf(p.w, "  %s: %s, %s\n", p.heading, seconds(r.WallSeconds), p.outcome(r))
	}
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
	if r.Noisy && r.ForeignCPU != nil {
		text += p.style.dim(fmt.Sprintf(" (others used %.0f %% of the machine)", 100**r.ForeignCPU))
	}
	return text
}

// state is how a run stands.
func (s Style) state(at experiment.Point) string {
	text := fmt.Sprintf("%s in flight, %s ok", grouped(at.InFlight), grouped(at.Completed-at.Failed))
	if at.Failed > 0 {
		text += s.bad(fmt.Sprintf(", %s not", grouped(at.Failed)))
	}
	if at.Limit != nil && *at.Limit > 0 { // a batch lets none in until it has ended
		text += fmt.Sprintf(", limit %s", grouped(*at.Limit))
	}
	return text
}
