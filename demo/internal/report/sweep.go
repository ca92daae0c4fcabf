package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/sweep"
)

// Bold is for titles that others write.
func (s Style) Bold(title string) string { return s.bold(title) }

// Sweep writes a sweep of concurrency: the curve, what it says, and last the
// limit to use.
func Sweep(w io.Writer, s Style, r *sweep.Result) {
	if len(r.Points) == 0 {
		return
	}
	fmt.Fprintln(w)
	sweepTable(w, s, r)
	if r.Interrupted {
		fmt.Fprintln(w, "  "+s.bad("interrupted: limits and rounds are missing"))
	}
	if r.Knee == nil {
		fmt.Fprintln(w, "\n  Too little was measured to tell a knee.")
		return
	}
	fmt.Fprintln(w)
	for _, line := range findings(s, r) {
		paragraph(w, line)
	}
	Advice(w, s, r.Knee.Limit, r.Knee.From, r.Knee.To, r.Because())
}

// Advice writes code to paste and, as the last line, the limit to use.
func Advice(w io.Writer, s Style, limit, from, to int, because string) {
	fmt.Fprintf(w, `
  l := limiter.New(limiter.Fixed(%d))
  client := &http.Client{}
  client.Transport, err = httpclient.NewTransport(httpclient.Config{
  	Limiter: func(host string) *limiter.Limiter { return l },
  })

%s
`, limit, s.good(fmt.Sprintf("use limit = %d (%d…%d), because %s", limit, from, to, because)))
}

func sweepTable(w io.Writer, s Style, r *sweep.Result) {
	t := NewTable(s, func(i int) bool { return i == 9 },
		"limit", "goodput/s", "least–most", "of best", "p50 ms", "p99 ms", "failed", "L = X × W", "rounds", "")
	noisy, missing := false, false
	for _, p := range r.Points {
		of := p.Share
		if of == 0 && r.Knee != nil { // of a file that does not have it, or no call succeeded
			of = p.Goodput / r.Knee.Best
		}
		share, mark := "", ""
		if of > 0 || r.Knee != nil {
			share, mark = ofBest(of), bar(of)
		}
		if r.Knee != nil {
			switch {
			case p.Limit == r.Knee.Limit:
				mark += s.good(" ← knee")
			case p.Limit >= r.Knee.From && p.Limit <= r.Knee.To:
				mark += " ·"
			}
		}
		limit := fmt.Sprint(p.Limit)
		if p.Noisy {
			limit, noisy = limit+"†", true
		}
		failed := p.Counts.Sum() - p.Counts.Succeeded
		little := fmt.Sprintf("%.2f", p.Little)
		if failed == 0 && 0 < p.Little && p.Little < accounted {
			little, missing = little+"‡", true
		}
		t.AppendRow(table.Row{
			limit, fmt.Sprintf("%.0f", p.Goodput), fmt.Sprintf("%.0f–%.0f", p.Least, p.Most), share,
			number(p.P50), number(p.P99), s.failures(failed, max(1, p.Counts.Sum())), little, p.Rounds, mark,
		})
	}
	WriteTable(w, t)
	if noisy {
		fmt.Fprintln(w, "  "+s.dim("† other programs used more than 12 % of this machine in at least one of the rounds"))
	}
	if missing {
		fmt.Fprintln(w, "  "+s.dim("‡ below 0.9: calls that took longer than was measured are missing from the latencies"))
	}
}

// accounted is what Little's law must have found of the calls in flight. Where none has
// failed, the others were under way when the measurement ended: a connection that waits
// a second to be accepted, say, while those that have one are quick.
const accounted = 0.9

// ofBest writes a share with one digit and rounded down, so that it has the 95 %
// of the rule only if the rule has found them.
func ofBest(share float64) string {
	return fmt.Sprintf("%.1f %%", math.Floor(1000*share+1e-9)/10)
}

const barWidth = 24

func bar(share float64) string {
	return strings.Repeat("▇", min(barWidth, max(0, int(math.Round(barWidth*share)))))
}

// findings are what the curve says, a line each.
func findings(s Style, r *sweep.Result) []string {
	k := r.Knee
	knee := fmt.Sprintf("Knee: %d", k.Limit)
	if k.Confidence > 0 {
		knee += fmt.Sprintf(", in %d…%d with %.0f %% (order statistics of the rounds, and 1 ms of timers)", k.From, k.To, 100*k.Confidence)
	} else {
		knee += fmt.Sprintf(" (%d…%d; one round says nothing of the spread)", k.From, k.To)
	}
	lines := []string{knee + ". Rule: the smallest limit with 95 % of the best goodput."}
	if r.Kneedle > 0 {
		lines = append(lines, fmt.Sprintf("Kneedle, as a cross-check: %d, %s.", r.Kneedle, agreement(r.Kneedle, k.From, k.To)))
	}
	if u := r.USL; u != nil {
		line := fmt.Sprintf("USL, as an overlay: σ %.3g, κ %.2g, R² %.3f", u.Sigma, u.Kappa, u.R2)
		if u.Peak > 0 {
			line += fmt.Sprintf(", peak at %.0f", u.Peak)
		} else {
			line += ", no peak"
		}
		if u.R2 < 0.95 || u.Peak == 0 || u.Peak > 1.5*float64(k.To) || u.Peak < float64(k.From)/1.5 {
			line += s.bad("; it disagrees: the law knows no hard cap, do not use its peak")
		}
		lines = append(lines, line+".")
	}
	g := r.Regions
	line := fmt.Sprintf("Regions: linear 1…%d", g.LinearTo)
	if g.FlatTo > g.LinearTo {
		where := "only the latency grows"
		if g.FailingFrom > 0 && g.FailingFrom <= g.FlatTo {
			where = s.bad(fmt.Sprintf("no more gets done, and from %d on calls fail", g.FailingFrom))
		}
		line += fmt.Sprintf("; flat %d…%d, where %s", g.LinearTo, g.FlatTo, where)
	}
	switch {
	case g.CollapseFrom > 0:
		line += s.bad(fmt.Sprintf("; collapse from %d", g.CollapseFrom))
	default:
		line += "; no collapse up to there"
	}
	if r.Law > 0 {
		line += fmt.Sprintf(" (time-outs begin when in flight > goodput × timeout = %.0f)", r.Law)
	}
	lines = append(lines, line+".")
	if k.Open {
		lines = append(lines, s.bad("The knee may lie above the largest limit that was measured: raise --max."))
	}
	if n := r.Known; n != nil {
		lines = append(lines, fmt.Sprintf("Known: the arithmetic of this origin gives %d (%s), and %d with the %.1f ms that a lone call takes besides (%s).",
			n.Knee, insideOrNot(s, n.Inside), n.KneeHere, n.Overhead, insideOrNot(s, n.HereInside)))
	}
	return lines
}

func agreement(limit, from, to int) string {
	switch {
	case limit >= from && limit <= to:
		return "which agrees"
	case limit < from:
		return "which is lower"
	default:
		return "which is higher"
	}
}

func insideOrNot(s Style, inside bool) string {
	if inside {
		return s.good("✓ inside")
	}
	return s.bad("✗ outside the interval")
}

// paragraph writes a line with breaks where it is too long.
func paragraph(w io.Writer, line string) {
	for i, part := range strings.Split(text.WrapSoft(line, 110), "\n") {
		indent := "  "
		if i > 0 {
			indent = "    "
		}
		fmt.Fprintln(w, indent+strings.TrimRight(part, " "))
	}
}

// SweepProgress shows measurements as they are made: one line that is drawn
// anew on a terminal, and elsewhere a line for each step and every few seconds.
type SweepProgress struct {
	w     io.Writer
	style Style
	begin time.Time

	mu      sync.Mutex
	step    string
	heardOf time.Time
}

// NewSweepProgress returns a SweepProgress that begins now.
func NewSweepProgress(w io.Writer, s Style) *SweepProgress {
	return &SweepProgress{w: w, style: s, begin: time.Now()}
}

// Measured shows a measurement.
func (p *SweepProgress) Measured(step string, m load.Measurement) {
	line := fmt.Sprintf("  %s: limit %d, %.0f/s", step, m.Limit, m.Goodput)
	if m.Counts.Sum() > m.Counts.Cancelled { // or nothing has a latency
		line += fmt.Sprintf(", p50 %s ms", number(m.Latency.P50))
	}
	if bad := m.All.Sum() - m.All.Succeeded; bad > 0 {
		line += fmt.Sprintf(", %d failed", bad)
	}
	p.Say(step, line)
}

// Say shows a line that belongs to a step.
func (p *SweepProgress) Say(step, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.style.Live {
		fmt.Fprintf(p.w, "\r\x1b[2K%s (%.0f s)", line, time.Since(p.begin).Seconds())
		return
	}
	if step == p.step && time.Since(p.heardOf) < plainEvery {
		return
	}
	p.step, p.heardOf = step, time.Now()
	fmt.Fprintln(p.w, line)
}

// End leaves the terminal to others.
func (p *SweepProgress) End() {
	if p.style.Live {
		fmt.Fprint(p.w, "\r\x1b[2K")
	}
}
