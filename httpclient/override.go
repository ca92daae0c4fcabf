package httpclient

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A pattern says for which hosts an entry of Config.Hosts is.
type pattern struct {
	name  string // lower-case; of a wildcard what must follow, with its dot
	port  string // "" for any
	below bool   // a wildcard
}

// parsePattern reads the key of an entry of Config.Hosts.
func parsePattern(text string) (pattern, bool) {
	p := pattern{}
	p.name, p.port = splitPort(text)
	p.name = normal(p.name)
	if rest, ok := strings.CutPrefix(p.name, "*."); ok {
		p.name, p.below = "."+rest, true
	}
	valid := strings.Trim(p.name, ".") != "" && !strings.ContainsAny(p.name, "*/@? #") &&
		strings.Trim(p.port, "0123456789") == "" && (p.port != "" || !strings.HasSuffix(text, ":"))
	return p, valid
}

func (p pattern) match(k key) bool {
	if p.port != "" && p.port != k.port {
		return false
	}
	if p.below {
		return len(k.name) > len(p.name) && strings.HasSuffix(k.name, p.name)
	}
	return k.name == p.name
}

// An override is an entry of Config.Hosts.
type override struct {
	pattern
	HostConfig
}

// overridesOf returns the entries of hosts, the most specific first.
func overridesOf(hosts map[string]HostConfig) []override {
	var list []override
	for text, h := range hosts {
		p, _ := parsePattern(text) // checked, but for a Config that is not
		list = append(list, override{p, h})
	}
	slices.SortFunc(list, func(a, b override) int {
		if a.below != b.below {
			return map[bool]int{true: 1, false: -1}[a.below]
		}
		return cmp.Or(cmp.Compare(len(b.name), len(a.name)), cmp.Compare(b.port, a.port)) // no host fits two that are left equal
	})
	return list
}

// configOf returns what applies to the host with that key.
func (t *Transport) configOf(k key) Config {
	c := t.config
	for _, o := range t.overrides {
		if !o.match(k) {
			continue
		}
		if o.Policy != nil || o.Limiter != nil {
			c.Policy, c.Limiter = o.Policy, o.Limiter
		}
		c.AttemptTimeout = c.attemptTimeout(o.HostConfig)
		b := t.breaker // as it was configured, since its defaults depend on the timeout
		if o.Breaker != nil {
			b = *o.Breaker
		}
		c.Breaker = b.withDefaults(c.AttemptTimeout)
		break
	}
	return c
}

func (c Config) attemptTimeout(h HostConfig) time.Duration {
	switch d := h.AttemptTimeout; {
	case d < 0:
		return 0
	case d > 0:
		return d
	}
	return c.AttemptTimeout
}
