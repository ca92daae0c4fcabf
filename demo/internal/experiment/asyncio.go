package experiment

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

//go:embed asyncio.py
var asyncioScript string

// ErrNoAsyncio is wrapped by the errors of FindAsyncio.
var ErrNoAsyncio = errors.New("no Python with asyncio")

// Asyncio is a Python that can run the post's experiments the way the post did.
type Asyncio struct {
	program string
	version string // such as "Python 3.11.7"
}

// FindAsyncio finds python3, of version 3.7 or later. It runs it once to see
// whether it works: what is called so may be an empty shim.
func FindAsyncio(ctx context.Context) (*Asyncio, error) {
	program, err := exec.LookPath("python3")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAsyncio, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	const ask = `import asyncio, platform, sys; assert sys.version_info >= (3, 7); print("Python " + platform.python_version())`
	out, err := exec.CommandContext(ctx, program, "-c", ask).Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s is older than 3.7 or does not work: %w", ErrNoAsyncio, program, err)
	}
	return &Asyncio{program, strings.TrimSpace(string(out))}, nil
}

// Version is the name and the version.
func (a *Asyncio) Version() string { return a.version }

// scripted is a workload whose tasks asyncio.py knows, too.
type scripted interface {
	// job is what it has to know of n tasks.
	job(n int) map[string]any
}

// AsyncioPolicies are those of policies that the post has, to be run by a. They
// are none for a workload that the script does not know.
func AsyncioPolicies(w Workload, policies []Policy, a *Asyncio) (theirs []Policy) {
	if _, ok := w.(scripted); !ok {
		return nil
	}
	for _, p := range policies {
		if p.Name != Unbounded && p.Name != Batch {
			continue
		}
		p.Python, p.Runtime = a, a.version
		p.Text += " (" + a.version + ")"
		theirs = append(theirs, p)
	}
	return theirs
}

// job is the post's own task, or a list of what each task does.
func (s *Sleep) job(n int) map[string]any {
	seconds := func(i int) (naps []float64) {
		for _, d := range s.naps(i) {
			naps = append(naps, d.Seconds())
		}
		return naps
	}
	j := map[string]any{"nap": seconds(0)}
	if s.spread > 0 {
		all := make([][]float64, n)
		for i := range all {
			all[i] = seconds(i)
		}
		j["naps"] = all
	}
	return j
}

func (h *HTTP) job(int) map[string]any {
	u, err := url.Parse(h.origin.URL())
	if err != nil {
		panic("origin: " + err.Error()) // it is our own
	}
	port, _ := strconv.Atoi(u.Port())
	return map[string]any{"host": u.Hostname(), "port": port, "timeout": h.timeout.Seconds()}
}

// An account is what asyncio.py says of a run. Times are in nanoseconds.
type account struct {
	Wall         time.Duration   `json:"wall"`
	Start        []time.Duration `json:"start"`
	End          []time.Duration `json:"end"`
	Ends         []End           `json:"ends"`
	Peak         int             `json:"peak"`
	Timeline     [][3]float64    `json:"timeline"`
	MemoryBefore int64           `json:"memory_before"`
	Memory       int64           `json:"memory"`
}

// runAsyncio is Run for a policy that Python runs. Python's own start is not in
// the times, as it was not in the post's.
func (r *Runner) runAsyncio(ctx context.Context, w Workload, n int, p Policy, repeat int) (*Run, error) {
	job := w.(scripted).job(n) // AsyncioPolicies has seen that it is one
	job["n"], job["batch"] = n, p.Size
	cpu := readCPU()
	begin := time.Now()
	a, err := p.Python.run(ctx, job, n)
	foreign, tooMuch := cpu.foreign(time.Since(begin))

	t := &trial{n: n, policy: p, record: newRecorder(n), interrupted: ctx.Err() != nil}
	settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	settleErr := w.settle(settle, t)
	if t.interrupted {
		a, err = &account{Wall: time.Since(begin)}, nil // Python died of the interrupt, too
	}
	if err != nil {
		return nil, fmt.Errorf("%s, %d tasks, %s: %w", w.Name(), n, p.Text, errors.Join(err, settleErr))
	}
	if len(a.Ends) == n {
		t.record.ends, t.record.started, t.record.ended = a.Ends, a.Start, a.End
	}
	run := &Run{
		Experiment: w.Name(), N: n, Policy: p.Name, Params: p.Params, Run: repeat, Runtime: p.Runtime,
		WallSeconds: a.Wall.Seconds(), FloorSeconds: w.Floor(n, p).Seconds(), Counts: t.record.counts(),
		PeakInFlight: a.Peak, MemoryBeforeBytes: a.MemoryBefore, PeakMemoryBytes: a.Memory,
		ConnectionsOpened: t.connections, Against: w.About(), Law: w.Law(),
		ForeignCPU: foreign, Noisy: tooMuch, Interrupted: t.interrupted,
		Label: strings.TrimSuffix(p.Text, " ("+p.Runtime+")"), Chosen: p.Chosen, Tasks: t.record.spans(),
	}
	run.TimeoutRate = float64(run.Counts.TimedOut) / float64(n)
	run.Calls, run.CallsSinceSubmitted = t.record.latencies()
	run.Latency, run.SinceSubmitted = run.Calls.Percentiles(), run.CallsSinceSubmitted.Percentiles()
	run.measure(a.Timeline)
	return run, settleErr
}

// measure takes over a timeline, and its mean.
func (r *Run) measure(timeline [][3]float64) {
	area, last := 0.0, [3]float64{}
	for _, p := range timeline {
		area += (p[0] - last[0]) * (p[1] + last[1]) / 2
		last = p
		r.Timeline = append(r.Timeline, Point{
			T: p[0], InFlight: int(p[1]), Completed: int(p[2]), Queued: max(0, r.N-int(p[1])-int(p[2])),
		})
	}
	if r.WallSeconds > 0 {
		r.MeanInFlight = area / r.WallSeconds
	}
}

// run has Python do the job.
func (a *Asyncio) run(ctx context.Context, job map[string]any, n int) (*account, error) {
	in, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, a.program, "-I", "-c", asyncioScript)
	c.Stdin = bytes.NewReader(in)
	c.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", a.version, err, lastLine(stderr.String()))
	}
	out := new(account)
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		return nil, fmt.Errorf("%s: its account: %w", a.version, err)
	}
	if len(out.Ends) != n || len(out.Start) != n || len(out.End) != n {
		return nil, fmt.Errorf("%s: its account is of %d tasks, want %d", a.version, len(out.Ends), n)
	}
	return out, nil
}

// lastLine is where a traceback says what it is about.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
