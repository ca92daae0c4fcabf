// Command fleet has processes share the quota of one origin, and shows what the
// sharing is worth: with no agreement, with fixed parts, and with a share that follows
// the demand.
//
//	cd demo/fleet && go run .
//
// A quarter of the processes want all they can get, and the others two fifths of an
// equal part. Redis is the one at --redis, or an own one if redis-server or
// valkey-server is installed, or else a stand-in in this process.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/picture"
)

// options are what the user can choose.
type options struct {
	processes int
	quota     float64
	lasts     time.Duration
	warmUp    time.Duration
	redis     string
	plot      string
}

const usage = `Have processes share the quota of one origin on this machine.

Usage: go run . [flags]        in demo/fleet

`

func main() {
	redis.SetLogger(&logging.VoidLogger{})
	origin.Main() // does not return in the child process that is the origin
	childMain()   // nor this one in a process of the fleet
	var o options
	set := pflag.NewFlagSet("fleet", pflag.ContinueOnError)
	set.IntVar(&o.processes, "processes", 20, "`number` of processes, 4 to 100")
	set.Float64Var(&o.quota, "quota", 1000, "`calls` per second that the origin admits, 20 to 5000")
	set.DurationVar(&o.lasts, "for", 10*time.Second, "`duration` of each measurement, 1s to 10m")
	set.StringVar(&o.redis, "redis", "", "`address` of a Redis, host:port; by default an own one or a stand-in")
	set.StringVar(&o.plot, "plot", "", "`file` for a picture of it, SVG")
	set.Usage = func() { fmt.Fprint(os.Stderr, usage, set.FlagUsages()) }
	if err := set.Parse(os.Args[1:]); err != nil {
		if err == pflag.ErrHelp {
			return
		}
		fail(2, err)
	}
	switch {
	case set.NArg() > 0:
		fail(2, fmt.Errorf("unexpected argument %q", set.Arg(0)))
	case o.processes < 4 || o.processes > 100:
		fail(2, fmt.Errorf("--processes is %d, want 4 to 100", o.processes))
	case !(o.quota >= 20) || o.quota > 5000:
		fail(2, fmt.Errorf("--quota is %v, want 20 to 5000", o.quota))
	case o.lasts < time.Second || o.lasts > 10*time.Minute:
		fail(2, fmt.Errorf("--for is %v, want 1s to 10m", o.lasts))
	}
	o.warmUp = 3 * time.Second
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &o); err != nil {
		stop()
		fail(1, err)
	}
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, "fleet:", err)
	os.Exit(code)
}

// run measures each mode and prints the table.
func run(ctx context.Context, o *options) error {
	addr, what, end, err := startRedis(ctx, o.redis)
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprintf(os.Stderr, "fleet: %d processes, quota %v/s, %s; each of %d modes takes %v\n", o.processes, o.quota, what, len(modes), o.lasts+o.warmUp)
	t := table.NewWriter()
	t.SetOutputMirror(os.Stdout)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"mode", "admitted / quota", "refused by the origin", "the busy get, % of quota", "Jain of the busy", "the others get, % of wanted", "Redis commands per process and 100 ms"})
	var runs []picture.FleetRun
	for _, m := range modes {
		found, err := measure(ctx, o, m, addr)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		t.AppendRow(found.row(o))
		runs = append(runs, found.picture())
	}
	t.Render()
	for _, m := range modes {
		fmt.Printf("%s: %s\n", m.name, m.about)
	}
	if o.plot == "" {
		return nil
	}
	return os.WriteFile(o.plot, picture.Fleet(o.quota, o.wanted(), runs), 0o644)
}

// busy is how many processes want all they can get.
func (o *options) busy() int { return o.processes / 4 }

// each is what each of the others wants, in calls per second, and wanted all of them.
func (o *options) each() float64   { return 0.4 * o.quota / float64(o.processes) }
func (o *options) wanted() float64 { return o.each() * float64(o.processes-o.busy()) }
