package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/picture"
)

// A mode is how the processes keep to the quota.
type mode struct{ name, about string }

var modes = []mode{
	{"none", "each process keeps to the whole quota, as if it were alone"},
	{"parts", "each process keeps to an equal part of the quota"},
	{"share", "a fleet.Share: what a process does not use goes to the others"},
}

// A finding is what a mode has brought.
type finding struct {
	mode
	total    account   // all of the fleet's
	others   float64   // calls admitted of those that do not want all they can get
	each     []float64 // calls admitted of each that does
	long     float64   // seconds
	commands float64   // of Redis, per process and 100 ms
	moments  []picture.FleetMoment
}

// every is the time between two points of the picture.
const every = 500 * time.Millisecond

// measure lets a fleet call for a while.
func measure(ctx context.Context, o *options, m mode, addr string) (*finding, error) {
	server, err := origin.Start(ctx, origin.Config{Workers: 200, Service: time.Millisecond, Quota: o.quota})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	var all []*process
	defer func() {
		for _, p := range all {
			p.end()
		}
	}()
	for i := range o.processes {
		job := order{Mode: m.name, URL: server.URL(), Redis: addr, Quota: o.quota, Among: o.processes, Callers: 10}
		if i >= o.busy() {
			job.Wants = o.each()
		}
		p, err := startProcess(job)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if err := wait(ctx, o.warmUp); err != nil {
		return nil, err
	}
	began, commands := time.Now(), scripts(ctx, addr)
	first, err := accounts(all)
	if err != nil {
		return nil, err
	}
	f := &finding{mode: m}
	for before, since := first, began; ; {
		if err := wait(ctx, min(every, o.lasts-time.Since(began))); err != nil {
			return nil, err
		}
		now := time.Now()
		after, err := accounts(all)
		if err != nil {
			return nil, err
		}
		f.look(o, before, after, now.Sub(since).Seconds(), now.Sub(began).Seconds())
		if now.Sub(began) >= o.lasts {
			f.sum(o, first, after, now.Sub(began).Seconds())
			break
		}
		before, since = after, now
	}
	f.commands = (scripts(ctx, addr) - commands) / float64(o.processes) / (f.long * 10)
	if f.total.Failed > 0 {
		return nil, fmt.Errorf("%d calls failed", f.total.Failed)
	}
	return f, nil
}

// look takes a point of the picture.
func (f *finding) look(o *options, before, after []account, seconds, at float64) {
	m := picture.FleetMoment{At: at}
	for i := range after {
		n := float64(after[i].Admitted-before[i].Admitted) / seconds
		if i < o.busy() {
			m.Busy += n
		} else {
			m.Others += n
		}
	}
	f.moments = append(f.moments, m)
}

// sum adds up from beginning to end.
func (f *finding) sum(o *options, before, after []account, long float64) {
	f.long = long
	for i := range after {
		n := after[i].Admitted - before[i].Admitted
		f.total.Admitted += n
		f.total.Refused += after[i].Refused - before[i].Refused
		f.total.Failed += after[i].Failed - before[i].Failed
		if i < o.busy() {
			f.each = append(f.each, float64(n))
		} else {
			f.others += float64(n)
		}
	}
}

// refused is the share of the calls that the origin refused.
func (f *finding) refused() float64 {
	return float64(f.total.Refused) / max(1, float64(f.total.Admitted+f.total.Refused))
}

func (f *finding) row(o *options) table.Row {
	admitted, quota := float64(f.total.Admitted), o.quota*f.long
	return table.Row{
		f.name,
		fmt.Sprintf("%.3f", admitted/quota),
		fmt.Sprintf("%.1f %%", 100*f.refused()),
		fmt.Sprintf("%.1f", 100*(admitted-f.others)/quota),
		fmt.Sprintf("%.3f", jain(f.each)),
		fmt.Sprintf("%.1f", 100*f.others/(o.wanted()*f.long)),
		fmt.Sprintf("%.2f", f.commands),
	}
}

func (f *finding) picture() picture.FleetRun {
	return picture.FleetRun{Title: f.about, Refused: f.refused(), Moments: f.moments}
}

func accounts(all []*process) (as []account, err error) {
	for _, p := range all {
		a, err := p.account()
		if err != nil {
			return nil, fmt.Errorf("a process of the fleet does not answer: %w", err)
		}
		as = append(as, a)
	}
	return as, nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(max(0, d)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jain is Jain's index of fairness: 1 is equal.
func jain(xs []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum += x
		squares += x * x
	}
	return sum * sum / max(1, float64(len(xs))*squares)
}
