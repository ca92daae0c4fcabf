package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

// A mode is how the processes keep to the quota.
type mode struct{ name, about string }

var modes = []mode{
	{"none", "each process keeps to the whole quota, as if it were alone"},
	{"parts", "each process keeps to an equal part of the quota"},
	{"share", "a fleet.Share: what a process does not use goes to the others"},
}

// measure lets a fleet call for a while.
func measure(ctx context.Context, o *options, m mode, addr string) (table.Row, error) {
	server, err := origin.Start(ctx, origin.Config{Workers: 200, Service: time.Millisecond, Quota: o.quota})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	busy := o.processes / 4
	wants := 0.4 * o.quota / float64(o.processes)
	var all []*process
	defer func() {
		for _, p := range all {
			p.end()
		}
	}()
	for i := range o.processes {
		job := order{Mode: m.name, URL: server.URL(), Redis: addr, Quota: o.quota, Among: o.processes, Callers: 10}
		if i >= busy {
			job.Wants = wants
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
	before, err := accounts(all)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, o.lasts); err != nil {
		return nil, err
	}
	after, err := accounts(all)
	if err != nil {
		return nil, err
	}
	long := time.Since(began).Seconds()
	commands = (scripts(ctx, addr) - commands) / float64(o.processes) / (long * 10)
	var admitted, refused, failed, others float64
	var each []float64
	for i := range all {
		n := float64(after[i].Admitted - before[i].Admitted)
		admitted += n
		refused += float64(after[i].Refused - before[i].Refused)
		failed += float64(after[i].Failed - before[i].Failed)
		if i < busy {
			each = append(each, n)
		} else {
			others += n
		}
	}
	if failed > 0 {
		return nil, fmt.Errorf("%v calls failed", failed)
	}
	return table.Row{
		m.name,
		fmt.Sprintf("%.3f", admitted/(o.quota*long)),
		fmt.Sprintf("%.1f %%", 100*refused/max(1, admitted+refused)),
		fmt.Sprintf("%.1f", 100*(admitted-others)/(o.quota*long)),
		fmt.Sprintf("%.3f", jain(each)),
		fmt.Sprintf("%.1f", 100*others/(wants*float64(o.processes-busy)*long)),
		fmt.Sprintf("%.2f", commands),
	}, nil
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
	case <-time.After(d):
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
