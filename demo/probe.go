package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/load"
	"github.com/tidegate-go/tidegate/demo/internal/probe"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

const probeLead = `Find how many calls at once an endpoint of yours can take, politely.

Examples:
  go run ./demo serve --addr 127.0.0.1:8080            something to probe, in another terminal
  go run ./demo probe http://127.0.0.1:8080/
  go run ./demo probe https://api.example.com/health --i-may-load api.example.com
  go run ./demo probe http://127.0.0.1:8080/ --max-concurrency 20 --json -

It begins with one call at a time, takes half as many again as long as that
helps, and stops for good at the first sign of harm: a call that fails, that is
refused (429, 503), or that takes ten times as long as a lone one. It follows no
redirects, uses no proxy and repeats no call. GET only: name a URL that is safe
to get thousands of times.
`

const probeTail = `
A host that is not this machine is only called if --i-may-load names it: load
that nobody has agreed to is an attack. Results go to standard output, progress
to standard error. Ctrl-C ends the probe and prints what was measured; a second
one quits at once.

Exit status: 0 done, with a recommendation, also after a sign of harm, 1 internal
error, 2 wrong flag or value or a host that was not confirmed, 4 the endpoint
answered no call, 130 interrupted.
`

var validProbe = map[string]string{
	"i-may-load":      "the host in the URL, if you may load it",
	"max-concurrency": "a whole number from 1 to 10000",
	"max-rate":        "a number above 0 and at most 100000",
	"max-requests":    "a whole number from 1 to 10000000",
	"max-time":        "a duration from 1s to 1h",
	"timeout":         "a duration above 0 and at most 10m, such as 500ms",
	"header":          "a name and a value, as in 'Authorization: Bearer ...'",
	"insecure":        "true or false",
	"json":            validJSON,
}

type probeOptions struct {
	mayLoad  string
	caps     probe.Caps
	timeout  time.Duration
	headers  []string
	insecure bool
	json     string
}

// The caps that are not given: more where nobody but the user is loaded. An endpoint
// with 64 workers × 10 ms does 6,400 calls per second, and with 50 ms of network it
// takes 368 at once, so that a cap below that would be all that a probe finds.
var (
	capsHere      = probe.Caps{Concurrency: 512, Rate: 10_000, Requests: 200_000}
	capsElsewhere = probe.Caps{Concurrency: 256, Rate: 2000, Requests: 50_000}
)

// withDefaults are the caps for an endpoint on this machine or elsewhere.
func withDefaults(c probe.Caps, given map[string]string, elsewhere bool) probe.Caps {
	usual := capsHere
	if elsewhere {
		usual = capsElsewhere
	}
	if given["max-concurrency"] == "" {
		c.Concurrency = usual.Concurrency
	}
	if given["max-rate"] == "" {
		c.Rate = usual.Rate
	}
	if given["max-requests"] == "" {
		c.Requests = usual.Requests
	}
	return c
}

func newProbe(s streams) *cobra.Command {
	var o probeOptions
	what := newFlagGroup("What to call")
	what.set.StringVar(&o.mayLoad, "i-may-load", "", "`host` that is not this machine and that you may load: the one in the URL")
	what.set.StringArrayVar(&o.headers, "header", nil, "`line` to send with every call, such as 'Authorization: Bearer ...'; may be repeated, is not recorded")
	what.set.BoolVar(&o.insecure, "insecure", false, "do not check the certificate")
	what.set.DurationVar(&o.timeout, "timeout", 5*time.Second, "of one call; one that takes longer is a sign of harm")
	caps := newFlagGroup("Caps, none of which is ever exceeded")
	caps.set.IntVar(&o.caps.Concurrency, "max-concurrency", 0, fmt.Sprintf("calls at once (default %d; of another host %d)", capsHere.Concurrency, capsElsewhere.Concurrency))
	caps.set.Float64Var(&o.caps.Rate, "max-rate", 0, fmt.Sprintf("calls per second (default %.0f; of another host %.0f)", capsHere.Rate, capsElsewhere.Rate))
	caps.set.IntVar(&o.caps.Requests, "max-requests", 0, fmt.Sprintf("calls in all (default %d; of another host %d)", capsHere.Requests, capsElsewhere.Requests))
	caps.set.DurationVar(&o.caps.Time, "max-time", 25*time.Second, "time in all")
	out := newFlagGroup("Output")
	out.set.StringVar(&o.json, "json", "", "`file` for everything as JSON, or - for standard output")
	return subcommand{
		use: "probe URL", lead: probeLead, tail: probeTail, valid: validProbe, flags: []flagGroup{what, caps, out},
		args: func(args []string) error {
			if len(args) != 1 {
				return usageError("probe wants one URL, such as http://127.0.0.1:8080/, and has %d", len(args))
			}
			return nil
		},
		run: func(args []string, given map[string]string) error { return o.run(s, args[0], given) },
	}.command()
}

func (o *probeOptions) check(given map[string]string) error {
	c := o.caps
	return checkGiven(given, map[string]bool{
		"i-may-load":      o.mayLoad != "",
		"max-concurrency": 1 <= c.Concurrency && c.Concurrency <= 10_000,
		"max-rate":        0 < c.Rate && c.Rate <= 100_000,
		"max-requests":    1 <= c.Requests && c.Requests <= mostTasks,
		"max-time":        time.Second <= c.Time && c.Time <= longest,
		"timeout":         0 < o.timeout && o.timeout <= 10*time.Minute,
		"json":            o.json != "",
	}, validProbe)
}

// header is what --header says.
func (o *probeOptions) header() (http.Header, error) {
	h := http.Header{}
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
			return nil, usageError("--header is not valid; valid: %s", validProbe["header"]) // it may hold a secret
		}
		h.Add(name, strings.TrimSpace(value))
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "tidegate-probe/"+strings.ReplaceAll(experiment.Version(), " ", "-"))
	}
	return h, nil
}

// endpoint checks the URL and whether it may be loaded.
func (o *probeOptions) endpoint(ctx context.Context, text string) (u *url.URL, confirmed bool, err error) {
	u, err = url.Parse(text)
	if err != nil {
		return nil, false, usageError("the URL is not valid: %w", errors.Unwrap(err)) // without the URL, which may hold a secret
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, false, usageError("%q is no URL to call; valid: http://host/path or https://host/path", u.Redacted())
	case u.User != nil:
		return nil, false, usageError("the URL holds a user; give --header 'Authorization: ...' instead")
	case o.mayLoad != "" && !strings.EqualFold(o.mayLoad, u.Hostname()):
		return nil, false, usageError("--i-may-load names %q, and the URL is of %q; name the same host", o.mayLoad, u.Hostname())
	case o.mayLoad != "":
		return u, true, nil
	}
	if local, err := isThisMachine(ctx, u.Hostname()); err != nil {
		return nil, false, &failure{exitEnvironment, err}
	} else if !local {
		return nil, false, usageError("%s is not this machine; if you may put load on it, add --i-may-load %s", u.Hostname(), u.Hostname())
	}
	return u, false, nil
}

// isThisMachine reports whether every address of the host is a loopback one.
func isThisMachine(ctx context.Context, host string) (bool, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback(), nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false, err
	}
	for _, a := range addrs {
		if !a.Unmap().IsLoopback() {
			return false, nil
		}
	}
	return len(addrs) > 0, nil
}

// errElsewhere is the error of a connection to a host that was not confirmed:
// what a name stands for can change between two look-ups.
var errElsewhere = errors.New("the address is not on this machine")

func (o *probeOptions) transport(confirmed bool) *http.Transport {
	dialer := &net.Dialer{Timeout: o.timeout}
	if !confirmed {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			if ip, err := netip.ParseAddrPort(address); err != nil || !ip.Addr().Unmap().IsLoopback() {
				return errElsewhere
			}
			return nil
		}
	}
	t := &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: o.caps.Concurrency, TLSHandshakeTimeout: o.timeout,
	}
	if o.insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	return t
}

func (o *probeOptions) run(s streams, text string, given map[string]string) error {
	if err := o.check(given); err != nil {
		return err
	}
	header, err := o.header()
	if err != nil {
		return err
	}
	u, confirmed, err := o.endpoint(s.ctx, text)
	if err != nil {
		return err
	}
	o.caps = withDefaults(o.caps, given, confirmed)
	w, err := s.begin(o.json, 0, 1, given)
	if err != nil {
		return err
	}
	// Queries hold keys often enough.
	shown := (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	transport := o.transport(confirmed)
	target := &load.HTTP{Transport: transport, URL: u.String(), Header: header, Timeout: o.timeout, Admit: o.admit()}
	fmt.Fprintf(w.out, "%s\n  GET, one at a time at first; at most %d at once, %.0f/s, %d calls, %v\n",
		w.style.Bold("probe of "+shown), o.caps.Concurrency, o.caps.Rate, o.caps.Requests, o.caps.Time)
	progress := report.NewSweepProgress(s.stderr, report.StyleOf(s.stderr))
	result, err := probe.Run(s.ctx, target, probe.Config{Caps: o.caps, Timeout: o.timeout, Wait: sleep, Measured: progress.Measured})
	progress.End()
	transport.CloseIdleConnections()
	result.Endpoint = shown
	w.doc.Probe = result
	report.Probe(w.out, w.style, result)
	status := exitOK
	if err != nil {
		status = exitEnvironment
	}
	w.end(err, status)
	return nil
}

// admit keeps the caps on rate and on requests, whatever the probe asks for.
func (o *probeOptions) admit() func(context.Context) error {
	// A burst of a hundredth of a second's worth at most: the cap is on what
	// the endpoint sees, and it sees bursts.
	perSecond := rate.NewLimiter(rate.Limit(o.caps.Rate), max(1, int(o.caps.Rate/100)))
	var calls atomic.Int64
	return func(ctx context.Context) error {
		if calls.Add(1) > int64(o.caps.Requests) {
			return errors.New("the cap on requests was reached")
		}
		return perSecond.Wait(ctx)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
