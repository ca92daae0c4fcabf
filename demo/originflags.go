package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

// originFlags are the flags of every command that starts an HTTP origin.
type originFlags struct {
	workers   int
	service   time.Duration
	network   time.Duration
	queue     int
	quota     float64
	backlog   int
	streams   int
	mechanism string
	addr      string
}

// originFlagNames are their names, in the order of the help.
var originFlagNames = []string{"workers", "service", "network", "mechanism", "queue", "quota", "backlog", "streams", "addr"}

// validOrigin is for these flags what valid is for those of the default command.
var validOrigin = map[string]string{
	"workers":   "a whole number from 1 to 65536",
	"service":   "a duration above 0 and at most 1h, such as 10ms",
	"network":   "a duration from 0 to 1m, such as 50ms",
	"mechanism": "one of " + mechanismNames(),
	"queue":     "a whole number from 0 (no bound) to 10000000",
	"quota":     "a number from 0 (none) to 10000000",
	"backlog":   "a whole number from 0 (the system's own) to 65536",
	"streams":   "a whole number from 0 (HTTP/1.1) to 1048576",
	"addr":      "a loopback IP address with a port, such as 127.0.0.1:8080",
}

func init() {
	for name, text := range validOrigin {
		valid[name] = text
	}
}

func mechanismNames() string {
	var names []string
	for _, m := range origin.Mechanisms {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// addTo declares the flags.
func (o *originFlags) addTo(set *pflag.FlagSet) {
	set.IntVar(&o.workers, "workers", 8, "requests that the origin works on at once")
	set.DurationVar(&o.service, "service", 10*time.Millisecond, "time that it works on each")
	set.DurationVar(&o.network, "network", 0, "time that a request and its answer are on their way, together")
	set.StringVar(&o.mechanism, "mechanism", "", "`how` it stops coping: "+mechanismNames()+" (default slow)")
	set.IntVar(&o.queue, "queue", 0, "requests that may wait there, beyond which it answers 503; 0 is no bound (50 with --mechanism queue)")
	set.Float64Var(&o.quota, "quota", 0, "requests per second, beyond which it answers 429; 0 is none (half of what the workers can do with --mechanism quota)")
	set.IntVar(&o.backlog, "backlog", 0, "connections that may wait to be accepted, and none is kept alive; 0 is the system's own (16 with --mechanism backlog)")
	set.IntVar(&o.streams, "streams", 0, "requests that share a connection of HTTP/2; 0 is HTTP/1.1 (8 with --mechanism streams)")
	set.StringVar(&o.addr, "addr", "", "loopback `address` of the origin (default a free port)")
}

// good says for each flag whether its value is valid. A string is only looked
// at if it was given.
func (o *originFlags) good() map[string]bool {
	return map[string]bool{
		"workers":   1 <= o.workers && o.workers <= math.MaxUint16+1,
		"service":   0 < o.service && o.service <= longest,
		"network":   0 <= o.network && o.network <= time.Minute,
		"mechanism": slices.Contains(origin.Mechanisms, origin.Mechanism(o.mechanism)),
		"queue":     0 <= o.queue && o.queue <= mostTasks,
		"quota":     0 <= o.quota && o.quota <= mostTasks, // NaN is neither
		"backlog":   0 <= o.backlog && o.backlog <= 1<<16,
		"streams":   0 <= o.streams && o.streams <= 1<<20,
		"addr":      isLoopback(o.addr),
	}
}

// check returns an error that says what is valid for the first flag that is
// not. given are those that were given.
func (o *originFlags) check(given map[string]string) error {
	good := o.good()
	for _, name := range originFlagNames {
		if value, ok := given[name]; ok && !good[name] {
			return usageError("--%s is %s; valid: %s", name, quoteEmpty(value), validOrigin[name])
		}
	}
	return nil
}

// config is the origin that the flags ask for. A mechanism that is named and
// whose parameter is not given gets its usual one.
func (o *originFlags) config() origin.Config {
	return origin.Config{
		Workers: o.workers, Service: o.service, Network: o.network,
		Queue: o.queue, Quota: o.quota, Backlog: o.backlog, Streams: o.streams, Addr: o.addr,
	}.With(origin.Mechanism(o.mechanism))
}
