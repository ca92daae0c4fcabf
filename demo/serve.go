package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

const serveLead = `Run the origin of the experiments alone, so that any other client or tool can be
pointed at it. It listens on loopback only and answers every GET alike.

Examples:
  go run ./demo serve                                        8 workers × 10 ms on a free port
  go run ./demo serve --addr 127.0.0.1:8080 --network 50ms
  go run ./demo serve --mechanism queue --queue 20           503 beyond 20 that wait
  go run ./demo serve --for 1m                               ends by itself
`

const serveTail = `
The URL goes to standard output, in one line, as soon as calls are answered; the
account of what was served follows when it ends. Ctrl-C ends it in the ordinary
way.

Exit status: 0 ended by Ctrl-C or --for, 1 internal error, 2 wrong flag or value,
4 the address is in use.
`

var validServe = map[string]string{"for": "a duration from 0 (until Ctrl-C) to 24h, such as 1m"}

func newServe(s streams) *cobra.Command {
	var o originFlags
	var lasts time.Duration
	it := newFlagGroup("The origin")
	o.addTo(it.set)
	it.set.DurationVar(&lasts, "for", 0, "time after which it ends; 0 is when you end it")
	all := map[string]string{"for": validServe["for"]}
	for name, text := range validOrigin {
		all[name] = text
	}
	return subcommand{
		use: "serve", lead: serveLead, tail: serveTail, valid: all, flags: []flagGroup{it},
		run: func(_ []string, given map[string]string) error {
			if err := o.check(given); err != nil {
				return err
			}
			if err := checkGiven(given, map[string]bool{"for": 0 <= lasts && lasts <= 24*time.Hour}, validServe); err != nil {
				return err
			}
			return serve(s, o.config(), lasts)
		},
	}.command()
}

// serve runs an origin until the user ends it, or the time is over.
func serve(s streams, c origin.Config, lasts time.Duration) error {
	server, err := origin.Start(s.ctx, c)
	if err != nil {
		return classified(s.ctx, err)
	}
	out := &output{w: s.stdout}
	fmt.Fprintln(out, server.URL())
	fmt.Fprintf(s.stderr, "demo: %v; Ctrl-C ends it\n", c)
	end := make(<-chan time.Time)
	if lasts > 0 {
		t := time.NewTimer(lasts)
		defer t.Stop()
		end = t.C
	}
	var failed error
	select {
	case <-s.ctx.Done():
	case <-end:
	case <-server.Ended():
	}
	// The signal that ended the context is no reason to lose the account.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 5*time.Second)
	defer cancel()
	account, err := server.Stats(ctx)
	if err != nil {
		failed = err
	} else {
		fmt.Fprintf(out, "%d requests: %d served, %d served too late, %d refused, %d unfinished; at most %d at once, %d waiting; %d connections; latest answer %v after its time\n",
			account.Started, account.Served, account.ServedLate, account.Rejected, account.InFlight,
			account.MaxInFlight, account.MaxQueued, account.Connections, account.MaxLag.Round(10*time.Microsecond))
	}
	if err := server.Close(); failed == nil {
		failed = err
	}
	if failed == nil {
		failed = out.lost()
	}
	return failed
}
