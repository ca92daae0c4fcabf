package realtime

import (
	"fmt"
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

// Match returns the stories that one of the patterns matches, in their order; all of
// them are the group "all".
func Match(patterns []string) ([]Story, error) {
	stories, unmatched, err := scenario.Choose(patterns, Stories(), func(s Story) (name, group string) { return s.Name, "all" })
	if unmatched != "" {
		return nil, fmt.Errorf("no live scenario matches %q; there are %s", unmatched, strings.Join(Names(), ", "))
	}
	return stories, err
}

// Names are those of all stories.
func Names() (names []string) {
	for _, s := range Stories() {
		names = append(names, s.Name)
	}
	return names
}

// world is the story for the simulator, which searches the best limits and knows what
// a policy may be told of them.
func (s *Story) world(long, timeout time.Duration) *scenario.World {
	w := &scenario.World{Name: s.Name, About: s.About}
	for _, p := range s.Phases {
		c := p.Origin
		set := scenario.Setting{Server: scenario.Server{
			Workers: c.Workers, Service: scenario.Constant(c.Service), Places: c.Queue, Quota: c.Quota, Burst: int(c.Quota / 10),
		}}
		for i := range s.Clients {
			callers := s.Callers / s.Clients
			if i < s.Callers%s.Clients {
				callers++ // what does not divide
			}
			set.Clients = append(set.Clients, scenario.Client{Callers: callers, Path: c.Network, Timeout: timeout})
		}
		w.Phases = append(w.Phases, scenario.Phase{Name: p.Name, Long: long, Setting: set})
	}
	return w
}
