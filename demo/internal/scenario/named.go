package scenario

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The groups of named worlds. Each is summed up for itself.
const (
	GroupStudy       = "study"       // those with which the published rules were compared
	GroupAnchors     = "anchors"     // exponential service of 10 ms: the bars of the project
	GroupPathologies = "pathologies" // one failure that users have reported each
)

// named are all named worlds.
var named = sync.OnceValue(func() []*World {
	return slices.Concat(study(), anchors(), pathologies())
})

// Named returns the world of that name.
func Named(name string) (*World, bool) {
	for _, w := range named() {
		if w.Name == name {
			return w, true
		}
	}
	return nil, false
}

// All returns all named worlds.
func All() []*World { return slices.Clone(named()) }

// Match returns the named worlds that one of the patterns matches, by name or
// by group, in their own order. A pattern that matches none is an error.
func Match(patterns []string) ([]*World, error) {
	worlds, unmatched, err := Choose(patterns, named(), func(w *World) (name, group string) { return w.Name, w.Group })
	switch {
	case err != nil:
		return nil, fmt.Errorf("scenario %w", err)
	case unmatched != "":
		return nil, fmt.Errorf("unknown scenario %q; --list shows the names, and valid are also globs, %s and all",
			unmatched, strings.Join([]string{GroupStudy, GroupAnchors, GroupPathologies}, ", "))
	}
	return worlds, nil
}

// Choose returns those of all that one of the patterns matches: a glob of names, a
// group, or "all"; in their own order. It also returns the first pattern that matches
// none, and an error that begins with the pattern for one that is no glob.
func Choose[T any](patterns []string, all []T, called func(T) (name, group string)) (chosen []T, unmatched string, err error) {
	wanted := make([]bool, len(all))
	for _, pattern := range patterns {
		any := false
		for i, x := range all {
			name, group := called(x)
			byName, err := path.Match(pattern, name)
			if err != nil {
				return nil, "", fmt.Errorf("%q: %w", pattern, err)
			}
			if byName || pattern == group || pattern == "all" {
				wanted[i], any = true, true
			}
		}
		if !any {
			return nil, pattern, nil
		}
	}
	for i, x := range all {
		if wanted[i] {
			chosen = append(chosen, x)
		}
	}
	return chosen, "", nil
}

// A story is a world being told, phase by phase.
type story struct{ *World }

func tell(group, name, about string) story {
	return story{&World{Group: group, Name: name, About: about}}
}

// stage adds a phase that is not graded.
func (w story) stage(name string, long time.Duration, s Setting) story {
	w.Phases = append(w.Phases, Phase{Name: name, Long: long, Setting: s, Ungraded: true})
	return w
}

// graded adds a phase that is.
func (w story) graded(name string, long time.Duration, s Setting) story {
	w.Phases = append(w.Phases, Phase{Name: name, Long: long, Setting: s})
	return w
}

// with returns s with a change; s stays as it is.
func (s Setting) with(change func(*Setting)) Setting {
	s.Clients = slices.Clone(s.Clients)
	change(&s)
	return s
}

// each changes every client.
func (s Setting) each(change func(i int, c *Client)) Setting {
	return s.with(func(s *Setting) {
		for i := range s.Clients {
			change(i, &s.Clients[i])
		}
	})
}

// skewed gives the clients clocks that are off by up to most either way.
func (s Setting) skewed(most time.Duration) Setting {
	return s.each(func(_ int, c *Client) { c.ClockWithin = most })
}
