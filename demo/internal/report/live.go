package report

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// live is what a terminal shows while the policies of one table take their
// turns: a line for each, with a bar, and at the end how it went.
type live struct {
	bars  *mpb.Progress
	lines []*line
}

// A line is that of one policy. The bar asks for its text whenever the terminal
// is drawn anew, in a goroutine of its own.
type line struct {
	bar   *mpb.Bar
	style Style
	n     int
	runs  int
	floor float64 // seconds that one run takes at least

	mu      sync.Mutex
	at      experiment.Point
	done    int     // runs
	spent   float64 // seconds that those took
	running bool
	last    string // how the last run went
}

// newLive shows the policies of a table, each of which runs so many times.
func newLive(w io.Writer, s Style, load experiment.Workload, n, runs int, policies []experiment.Policy) *live {
	l := &live{bars: mpb.New(mpb.WithOutput(w), mpb.WithWidth(24), mpb.WithRefreshRate(100*time.Millisecond))}
	for _, p := range policies {
		one := &line{style: s, n: n, runs: runs, floor: load.Floor(n, p).Seconds()}
		one.bar = l.bars.New(int64(n)*int64(runs), mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"),
			mpb.PrependDecorators(decor.Name("  "+p.Text, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + one.text() })),
		)
		l.lines = append(l.lines, one)
	}
	return l
}

// close leaves the lines as they are now.
func (l *live) close() {
	for _, one := range l.lines {
		one.bar.Abort(false) // does nothing to those that are complete
	}
	l.bars.Wait()
}

func (l *line) begin() {
	l.mu.Lock()
	l.at, l.running = experiment.Point{}, true
	l.mu.Unlock()
}

func (l *line) sampled(at experiment.Point) {
	l.mu.Lock()
	l.at = at
	done := l.done
	l.mu.Unlock()
	// The end of a run is for end to show, as it knows how it went.
	l.bar.SetCurrent(int64(done)*int64(l.n) + int64(min(at.Completed, l.n-1)))
}

// end notes how a run went; whole says that it was not cut short.
func (l *line) end(how string, wall float64, whole bool) {
	l.mu.Lock()
	l.running, l.last = false, how
	if whole {
		l.done++
		l.spent += wall
	}
	done := l.done
	l.mu.Unlock()
	l.bar.SetCurrent(int64(done) * int64(l.n))
}

func (l *line) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.running:
		run := ""
		if l.runs > 1 {
			run = fmt.Sprintf("run %d of %d, ", min(l.done+1, l.runs), l.runs)
		}
		return run + l.style.state(l.at) + fmt.Sprintf(", %s left", short(l.left()))
	case l.done > 0 && l.done < l.runs:
		return fmt.Sprintf("%d of %d done; the last: %s", l.done, l.runs, l.last)
	case l.last != "":
		return l.last
	}
	return l.style.dim("waits for its turn")
}

// left estimates how long this run and the ones after it still take.
func (l *line) left() float64 {
	one := l.floor
	if l.done > 0 {
		one = l.spent / float64(l.done)
	}
	// The first few tasks say nothing of the rest: a batch ends all at once.
	now := max(0, one-l.at.T)
	if c := l.at.Completed; c > l.n/10 {
		now = l.at.T * float64(l.n-c) / float64(c)
	}
	return now + one*float64(l.runs-l.done-1)
}

// short is a time that is estimated anyway.
func short(s float64) string {
	if s < 9.5 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f s", s)
}
