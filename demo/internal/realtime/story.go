package realtime

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

// A Story is a service that changes.
type Story struct {
	Name, About string
	Clients     int // each with a Limiter of its own
	Callers     int // of all clients; each makes one call after the other
	Phases      []Phase
}

// A Phase is a time during which nothing changes.
type Phase struct {
	Name   string
	Origin origin.Config
}

const ms = time.Millisecond

// usual is 16 workers of 20 ms: 800 requests per second, which two cores can carry
// beside the client.
var usual = origin.Config{Workers: 16, Service: 20 * ms}

func phase(name string, change func(*origin.Config)) Phase {
	c := usual
	if change != nil {
		change(&c)
	}
	return Phase{name, c}
}

// Stories are all that there are.
func Stories() []Story {
	return []Story{
		{"step", "16 workers, then 4, then 16 again", 1, 200, []Phase{
			phase("16", nil), phase("4", func(c *origin.Config) { c.Workers = 4 }), phase("back", nil),
		}},
		{"netshift", "the way there and back becomes 50 ms longer", 1, 200, []Phase{
			phase("near", nil), phase("far", func(c *origin.Config) { c.Network = 50 * ms }), phase("back", nil),
		}},
		{"brownout", "each request takes four times as long", 1, 200, []Phase{
			phase("20ms", nil), phase("80ms", func(c *origin.Config) { c.Service = 80 * ms }), phase("back", nil),
		}},
		{"clients", "four clients of one service, then half of its workers are gone", 4, 200, []Phase{
			phase("16", nil), phase("8", func(c *origin.Config) { c.Workers = 8 }),
		}},
		{"quota", "429 for what is beyond 400 per second, half of what the workers can do", 1, 200, []Phase{
			phase("free", nil), phase("quota", func(c *origin.Config) { c.Quota = 400 }),
		}},
	}
}

// Match returns the stories whose names match one of the patterns, in their order.
func Match(patterns []string) (found []Story, err error) {
	var names []string
	for _, s := range Stories() {
		names = append(names, s.Name)
	}
	matched := map[string]bool{}
	for _, pattern := range patterns {
		any := false
		for _, name := range names {
			ok, err := path.Match(pattern, name)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", pattern, err)
			}
			if ok || pattern == "all" {
				matched[name], any = true, true
			}
		}
		if !any {
			return nil, fmt.Errorf("no live scenario matches %q; there are %s", pattern, strings.Join(names, ", "))
		}
	}
	for _, s := range Stories() {
		if matched[s.Name] {
			found = append(found, s)
		}
	}
	return found, nil
}

// setting is a phase for the simulator, which searches the best limit.
func (s *Story) setting(p *Phase, timeout time.Duration) scenario.Setting {
	c := p.Origin
	set := scenario.Setting{Server: scenario.Server{
		Workers: c.Workers, Service: scenario.Constant(c.Service), Places: c.Queue, Quota: c.Quota, Burst: int(c.Quota / 10),
	}}
	for i := range s.Clients {
		set.Clients = append(set.Clients, scenario.Client{
			Callers: part(s.Callers, s.Clients, i), Path: c.Network, Timeout: timeout,
		})
	}
	return set
}

// part is the share of one of several in a number, the first ones having what does
// not divide.
func part(whole, among, i int) int {
	p := whole / among
	if i < whole%among {
		p++
	}
	return p
}
