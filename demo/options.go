package main

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// options are what the flags say.
type options struct {
	experiments []string
	policies    []string
	n           []int
	runs        int
	seed        uint64
	json        string
	csv, md     string
	report      string
	asyncio     bool

	limit int
	batch int
	rate  float64

	initial int

	originFlags

	spread  float64
	timeout time.Duration
	dsn     string
	standIn bool
	hold    time.Duration

	given map[string]string // the flags that were given, with their values
}

// valid says for each flag what it takes. The same words go into the help and
// into the errors.
var valid = map[string]string{
	"experiments": "some of sleep, uneven, http, postgres, with commas between them",
	"policies":    "some of unbounded, batch, fixed, rate, adaptive, aimd, vegas, gradient2, gradient, pool, with commas between them",
	"n":           "whole numbers from 1 to 10000000, with commas between them",
	"runs":        "a whole number from 1 to 1000",
	"seed":        "a whole number from 0 to 18446744073709551615",
	"json":        "the name of a file that can be written, or - for standard output",
	"csv":         "the name of a file that can be written, or - for standard output",
	"md":          "the name of a file that can be written, or - for standard output",
	"report":      "the name of a file that can be written, or none",
	"asyncio":     "true or false",
	"limit":       "a whole number from 1 to 10000000",
	"batch":       "a whole number from 1 to 10000000",
	"rate":        "a number above 0 and at most 10000000",
	"initial":     "a whole number from 1 to 10000000",
	"spread":      "a number from 0 to 1",
	"timeout":     "a duration above 0 and at most 1h, such as 500ms",
	"dsn":         `"postgres://user:password@host:5432/database" or "host=... user=... dbname=..."`,
	"hold":        "a duration above 0 and at most 1h, such as 100ms",
	"stand-in":    "true or false",
	"help":        "true or false",
	"version":     "true or false",
}

// A flagGroup is some flags under one title in the help.
type flagGroup struct {
	title string
	set   *pflag.FlagSet
}

// flags declares the flags, with their defaults.
func (o *options) flags() []flagGroup {
	group := func(title string) flagGroup {
		set := pflag.NewFlagSet(title, pflag.ContinueOnError)
		set.SortFlags = false
		return flagGroup{title, set}
	}
	about := func(name, text string) string { return text + "; " + valid[name] }

	what := group("What to run")
	what.set.StringSliceVar(&o.experiments, "experiments", experiment.Names, "`names` of the experiments")
	what.set.StringSliceVar(&o.policies, "policies", experiment.DefaultPolicies, "`names` of the policies; gradient is there too. By default those that search leave out the sleeps, where nothing pushes back, but for adaptive with 10,000")
	what.set.IntSliceVar(&o.n, "n", nil, "`numbers` of tasks, for every experiment that runs (default the post's)")
	what.set.IntVar(&o.runs, "runs", 1, "`times` to run each policy; the tables then show the median with its interval, for which six are the fewest")
	what.set.Uint64Var(&o.seed, "seed", 1, "`number` that all chance follows from")
	what.set.BoolVar(&o.asyncio, "asyncio", false, "run the post's two policies in Python, too, if there is a python3 with asyncio")

	files := group("Files")
	files.set.StringVar(&o.report, "report", "", "HTML `file` for the report, or none (default a file in your cache folder, which the last line names)")
	files.set.StringVar(&o.json, "json", "", "`file` for all results as JSON, or - for standard output")
	files.set.StringVar(&o.csv, "csv", "", "`file` for a line of figures for each run, or - for standard output")
	files.set.StringVar(&o.md, "md", "", "`file` for the tables as Markdown, or - for standard output")

	policies := group("Parameters of the policies, in place of those derived from what is known")
	policies.set.IntVar(&o.limit, "limit", 0, "calls in flight of fixed, and connections of pool")
	policies.set.IntVar(&o.batch, "batch", 0, "tasks of a batch (default a fifth of all)")
	policies.set.Float64Var(&o.rate, "rate", 0, "starts per second of rate")

	policies.set.IntVar(&o.initial, "initial", 0, "limit from which adaptive, aimd, vegas and gradient2 start (default 10)")

	sleep := group("Experiment sleep")
	sleep.set.Float64Var(&o.spread, "spread", 0, about("spread", "each sleep is 0.1 s × (1 ± this), the same for all policies"))

	http := group("Experiment http")
	http.set.DurationVar(&o.timeout, "timeout", time.Second, "of one call, from its start")
	o.addTo(http.set)

	postgres := group("Experiment postgres")
	postgres.set.StringVar(&o.dsn, "dsn", "", "`server` of your own (default a temporary one, or a stand-in)")
	postgres.set.BoolVar(&o.standIn, "stand-in", false, "use the stand-in even if PostgreSQL is installed")
	postgres.set.DurationVar(&o.hold, "hold", 100*time.Millisecond, "time that each task keeps its connection busy")

	return []flagGroup{what, files, policies, sleep, http, postgres}
}

const (
	mostTasks = 10_000_000
	mostCalls = 100_000 // each with a goroutine, and all at once also with a socket
	longest   = time.Hour
)

// check returns an error that says what is valid for the first option that is
// not, before anything has been started.
func (o *options) check() error {
	if err := experiment.CheckNames(o.experiments); err != nil {
		return usageError("--experiments: %w", err)
	}
	if err := experiment.CheckPolicies(o.policies); err != nil {
		return usageError("--policies: %w", err)
	}
	good := map[string]bool{
		"n":       !o.isGiven("n") || len(o.n) > 0 && slices.Min(o.n) >= 1 && slices.Max(o.n) <= mostTasks,
		"runs":    1 <= o.runs && o.runs <= 1000,
		"json":    !o.isGiven("json") || o.json != "",
		"csv":     !o.isGiven("csv") || o.csv != "",
		"md":      !o.isGiven("md") || o.md != "",
		"report":  !o.isGiven("report") || o.report != "" && o.report != "-",
		"limit":   !o.isGiven("limit") || 1 <= o.limit && o.limit <= mostTasks,
		"batch":   !o.isGiven("batch") || 1 <= o.batch && o.batch <= mostTasks,
		"rate":    !o.isGiven("rate") || o.rate > 0 && o.rate <= mostTasks, // NaN is neither
		"initial": !o.isGiven("initial") || 1 <= o.initial && o.initial <= mostTasks,
		"spread":  0 <= o.spread && o.spread <= 1,
		"timeout": 0 < o.timeout && o.timeout <= longest,
		"dsn":     !o.isGiven("dsn") || o.dsn != "",
		"hold":    0 < o.hold && o.hold <= longest,
	}
	for name := range o.given {
		if ok, checked := good[name]; checked && !ok {
			// Values of --dsn may hold a password; the only bad one is empty.
			return usageError("--%s is %s; valid: %s", name, quoteEmpty(o.given[name]), valid[name])
		}
	}
	if err := o.originFlags.check(o.given); err != nil {
		return err
	}
	return o.checkTogether()
}

// A belonging is the policies and experiments without which a flag would have
// no effect. Such a flag is a mistake that would otherwise go unnoticed.
type belonging struct {
	flag        string
	policies    []string
	experiments []string
}

// belongsTo are all but those of the flags of an origin.
var belongsTo = []belonging{
	{flag: "limit", policies: []string{experiment.Fixed, experiment.Pool}},
	{flag: "batch", policies: []string{experiment.Batch}},
	{flag: "rate", policies: []string{experiment.Rate}},
	{flag: "initial", policies: []string{experiment.Adaptive, experiment.AIMD, experiment.Vegas, experiment.Gradient2}},
	{flag: "asyncio", policies: []string{experiment.Unbounded, experiment.Batch}, experiments: []string{experiment.NameSleep, experiment.NameHTTP}},
	{flag: "spread", experiments: []string{experiment.NameSleep}},
	{flag: "timeout", experiments: []string{experiment.NameHTTP}},
	{flag: "dsn", experiments: []string{experiment.NamePostgres}},
	{flag: "stand-in", experiments: []string{experiment.NamePostgres}},
	{flag: "hold", experiments: []string{experiment.NamePostgres}},
}

func (o *options) checkTogether() error {
	belongsTo := slices.Clone(belongsTo)
	for _, name := range originFlagNames {
		belongsTo = append(belongsTo, belonging{flag: name, experiments: []string{experiment.NameHTTP}})
	}
	for _, b := range belongsTo {
		if !o.isGiven(b.flag) {
			continue
		}
		if b.policies != nil && !overlap(b.policies, o.policies) {
			return usageError("--%s belongs to policy %s, which --policies leaves out", b.flag, b.policies[0])
		}
		if b.experiments != nil && !overlap(b.experiments, o.experiments) {
			return usageError("--%s belongs to experiment %s, which --experiments leaves out", b.flag, b.experiments[0])
		}
	}
	if len(o.n) > 0 && slices.Max(o.n) > mostCalls && overlap(o.experiments, []string{experiment.NameHTTP, experiment.NamePostgres}) {
		return usageError("--n is %d, and experiments http and postgres take at most %d; add --experiments sleep", slices.Max(o.n), mostCalls)
	}
	if o.json == "-" && o.csv == "-" || o.json == "-" && o.md == "-" || o.csv == "-" && o.md == "-" {
		return usageError("of --json, --csv and --md only one can go to standard output")
	}
	if o.dsn != "" && o.standIn {
		return usageError("--dsn and --stand-in exclude each other")
	}
	for _, name := range o.experiments {
		if name == experiment.NamePostgres || !slices.Equal(o.policies, []string{experiment.Pool}) {
			continue
		}
		return usageError("policy pool is of experiment postgres only, and %s would run under no policy", name)
	}
	return nil
}

func (o *options) isGiven(flag string) bool {
	_, ok := o.given[flag]
	return ok
}

// recorded are the given flags as they may be written to a file.
func (o *options) recorded() map[string]string {
	flags := map[string]string{}
	for name, value := range o.given {
		if name == "dsn" {
			value = "(not recorded)" // it may hold a password
		}
		flags[name] = value
	}
	return flags
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// isLoopback is the origin's own rule. It is checked here too, since a wrong
// flag is another error than a port in use.
func isLoopback(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	_, portErr := strconv.ParseUint(port, 10, 16)
	return err == nil && portErr == nil && ip.IsLoopback()
}

func quoteEmpty(value string) string {
	if value == "" || value == "[]" {
		return "empty"
	}
	if quoted := strconv.Quote(value); quoted != `"`+value+`"` {
		return quoted // there is in it what a terminal would obey
	}
	return value
}
