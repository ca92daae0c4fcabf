package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/machine"
	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/postgres"
	"github.com/tidegate-go/tidegate/demo/internal/report"
	"github.com/tidegate-go/tidegate/demo/internal/sleepsweep"
)

const doctorLead = `Say what this machine has, and what the harness will skip for want of something.

Example:
  go run ./demo doctor
`

const doctorTail = `
Exit status: 0 everything that is needed is there, 1 internal error, 2 wrong flag,
4 something without which experiments fail is missing.
`

func newDoctor(s streams) *cobra.Command {
	return subcommand{
		use: "doctor", lead: doctorLead, tail: doctorTail,
		run: func([]string, map[string]string) error { return doctor(s) },
	}.command()
}

// A finding is one thing that was looked at.
type finding struct {
	mark       string // see the marks
	what, text string
}

const (
	found   = "ok"
	note    = "note" // works, with less
	missing = "MISSING"
)

func doctor(s streams) error {
	out := &output{w: s.stdout}
	style := report.StyleOf(s.stdout)
	fmt.Fprintln(out, style.Bold("environment"))
	environment(out)
	fmt.Fprintln(out, "\n"+style.Bold("what was found, and what follows"))
	findings := []finding{lookOrigin(s.ctx), lookFiles(), lookPorts(), lookMemory(), lookCPU(s.ctx), lookPostgres(), lookPython(s.ctx)}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	status := exitOK
	for _, f := range findings {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", f.mark, f.what, f.text)
		if f.mark == missing {
			status = exitEnvironment
		}
	}
	_ = t.Flush()
	if s.ctx.Err() != nil {
		status = exitInterrupted
	}
	*s.code = status
	return out.lost()
}

func environment(w io.Writer) {
	e := experiment.ReadEnvironment()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, value string) {
		if value == "" {
			value = "unknown"
		}
		fmt.Fprintf(t, "  %s\t%s\n", what, value)
	}
	line("Go", fmt.Sprintf("%s %s/%s, GOMAXPROCS %d, GOGC %s", e.Go, e.OS, e.Arch, e.GOMAXPROCS, e.GOGC))
	line("CPU", fmt.Sprintf("%s, %d cores", e.CPU, e.Cores))
	line("kernel", machine.Setting("kernel/osrelease"))
	line("backlog (somaxconn)", machine.Setting("net/core/somaxconn"))
	line("ports", machine.Setting("net/ipv4/ip_local_port_range"))
	line("tidegate", e.Version)
	_ = t.Flush()
}

// lookOrigin starts an origin, which every experiment over HTTP needs.
func lookOrigin(ctx context.Context) finding {
	server, err := origin.Start(ctx, origin.Config{})
	if err == nil {
		err = server.Close()
	}
	if err != nil {
		return finding{missing, "origin", "it cannot be started: " + err.Error()}
	}
	return finding{found, "origin", "starts in a process of its own, on loopback"}
}

// A thousand connections of our own, and what a program has open besides.
const enoughFiles = 1000 + 100

func lookFiles() finding {
	n, ok := machine.Files()
	switch {
	case !ok:
		return finding{note, "open files", "unknown; all at once needs one for each call"}
	case n < enoughFiles:
		return finding{note, "open files", fmt.Sprintf("%d: calls above about %d at once will fail for want of descriptors, and not of capacity; raise it with ulimit -n", n, max(0, int(n)-100))}
	}
	return finding{found, "open files", fmt.Sprintf("%d: room for as many connections at once", n)}
}

func lookPorts() finding {
	low, high, ok := strings.Cut(machine.Setting("net/ipv4/ip_local_port_range"), " ")
	first, err1 := strconv.Atoi(low)
	last, err2 := strconv.Atoi(high)
	if !ok || err1 != nil || err2 != nil {
		return finding{note, "ports", "unknown; connections that are not kept alive use one each, for a minute"}
	}
	return finding{found, "ports", fmt.Sprintf("%d: as many connections to one server can be opened within a minute", last-first+1)}
}

func lookMemory() finding {
	bytes, ok := machine.Memory()
	if !ok {
		return finding{note, "memory", "unknown; a sweep of sleeping tasks cannot refuse what does not fit"}
	}
	most := int(float64(bytes) / 2 / sleepsweep.BytesPerTask)
	last := sleepsweep.Numbers[len(sleepsweep.Numbers)-1]
	if most < last {
		return finding{note, "memory", fmt.Sprintf("%.1f GB free: sweep sleep leaves out more than %d tasks", float64(bytes)/1e9, most)}
	}
	return finding{found, "memory", fmt.Sprintf("%.1f GB free: room for %d sleeping tasks", float64(bytes)/1e9, most)}
}

// lookCPU looks for a moment at what others use.
func lookCPU(ctx context.Context) finding {
	done := experiment.WatchCPU()
	_ = sleep(ctx, 500*time.Millisecond)
	share, noisy := done()
	switch {
	case share == nil:
		return finding{note, "other programs", "unknown here; noisy runs cannot be marked"}
	case noisy:
		return finding{note, "other programs", fmt.Sprintf("use %.0f %% of the processors: trust counts, not times; noisy runs are marked", 100**share)}
	}
	return finding{found, "other programs", fmt.Sprintf("use %.0f %% of the processors", 100**share)}
}

func lookPostgres() finding {
	program, ok := postgres.Find()
	if !ok {
		return finding{note, "PostgreSQL", "not found: the experiment runs against a labelled stand-in, or your own server with --dsn"}
	}
	return finding{found, "PostgreSQL", program + ": the experiment runs against a real temporary server"}
}

func lookPython(ctx context.Context) finding {
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		version, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
		cancel()
		if text := strings.TrimSpace(string(version)); err == nil && strings.HasPrefix(text, "Python 3") {
			return finding{found, "Python 3", text + ": the post's asyncio experiments can run beside Go's"}
		}
	}
	return finding{note, "Python 3", "not found: the post's asyncio experiments are skipped"}
}
