package httpclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A quota is what a response says of a number of requests that a client may make
// in a time.
type quota struct {
	name   string
	limit  float64       // 0: not said
	window time.Duration // 0: not said
	left   float64
	reset  time.Duration // until it is renewed
}

// maxQuotas is how many quotas of one response are read. More would only take
// memory.
const maxQuotas = 4

// Spellings of the headers that say limit, remaining and reset, in the form in
// which net/http keeps them. The first is that of the older drafts of the IETF.
var spellings = [...][3]string{
	{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
	{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"},
}

// speaksOfQuotas reports whether quotasOf may find anything.
func speaksOfQuotas(h http.Header) bool {
	if len(h) == 0 {
		return false
	}
	if h["Ratelimit"] != nil {
		return true
	}
	for i := range spellings {
		if h[spellings[i][1]] != nil {
			return true
		}
	}
	return false
}

// quotasOf reads what a response says of quotas:
//
//   - RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers):
//     "name";r=50;t=30 and "name";q=100;w=60, and the form of its seventh draft,
//     limit=100, remaining=50, reset=30;
//   - RateLimit-Limit, -Remaining and -Reset, and the same with X-RateLimit and
//     X-Rate-Limit. A reset is in seconds from now or, above a billion, since
//     1970, as GitHub has it.
//
// What cannot be read, and what comes from a cache (Age), says nothing.
func quotasOf(h http.Header, now time.Time) []quota {
	if len(h) == 0 || fromCache(h) {
		return nil
	}
	if list := ietfQuotas(h["Ratelimit"], h["Ratelimit-Policy"], now); list != nil {
		return list
	}
	for _, s := range spellings {
		if h[s[1]] == nil {
			continue
		}
		limit := h.Get(s[0])
		limit, policy, _ := strings.Cut(limit, ",") // the older drafts add "100;w=60"
		q, ok := quotaOf(limit, h.Get(s[1]), h.Get(s[2]), h, now)
		if !ok {
			continue
		}
		for _, p := range parseItems([]string{policy}) {
			if w, ok := p.number("w"); ok && q.window == 0 {
				q.window = secondsOf(w)
			}
		}
		return []quota{q}
	}
	return nil
}

func fromCache(h http.Header) bool {
	age, err := strconv.Atoi(h.Get("Age"))
	return err == nil && age > 0
}

func ietfQuotas(values, policies []string, now time.Time) []quota {
	items := parseItems(values)
	if len(items) > 0 && strings.Contains(items[0].value, "=") { // the seventh draft
		var of [3]string
		for _, it := range items {
			for i, name := range [...]string{"limit=", "remaining=", "reset="} {
				if v, ok := strings.CutPrefix(it.value, name); ok {
					of[i] = v
				}
			}
		}
		if q, ok := quotaOf(of[0], of[1], of[2], nil, now); ok {
			return []quota{q}
		}
		return nil
	}
	known := parseItems(policies)
	var list []quota
	for _, it := range items {
		left, ok := it.number("r")
		if !ok || len(list) == maxQuotas {
			continue
		}
		q := quota{name: it.value, left: left}
		for _, p := range known {
			if p.value == it.value {
				q.limit, _ = p.number("q")
				w, _ := p.number("w")
				q.window = secondsOf(w)
			}
		}
		if t, ok := it.number("t"); ok {
			q.reset = secondsOf(t)
		} else if q.window > 0 {
			q.reset = q.window
		} else {
			continue // so many, but for how long?
		}
		list = append(list, q)
	}
	return list
}

func quotaOf(limit, left, reset string, h http.Header, now time.Time) (quota, bool) {
	var q quota
	var ok bool
	if q.left, ok = parseNumber(left); !ok {
		return q, false
	}
	q.limit, _ = parseNumber(limit)
	at, ok := parseNumber(reset)
	if !ok {
		return q, false
	}
	if at > 1e9 { // seconds since 1970, by the server's clock
		if at > 1e11 {
			at /= 1e3 // milliseconds, as some have it
		}
		if sent, err := http.ParseTime(h.Get("Date")); err == nil {
			now = sent
		}
		at -= float64(now.UnixMilli()) / 1e3
	}
	q.reset = secondsOf(math.Max(0, at))
	return q, true
}

// An item is an element of a list of structured fields (RFC 9651), as far as
// these headers use them.
type item struct {
	value  string
	params []string // name=value
}

// parseItems reads lists as leniently as can be: what it does not understand it
// leaves to be ignored.
func parseItems(values []string) []item {
	var list []item
	for _, v := range values {
		for _, element := range splitOutside(v, ',') {
			parts := splitOutside(element, ';')
			it := item{value: strings.Trim(strings.TrimSpace(parts[0]), `"`), params: parts[1:]}
			if it.value != "" && len(list) < 4*maxQuotas {
				list = append(list, it)
			}
		}
	}
	return list
}

// splitOutside splits s at sep where that is not inside quotation marks.
func splitOutside(s string, sep byte) []string {
	var parts []string
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

func (it item) number(name string) (float64, bool) {
	for _, p := range it.params {
		n, v, _ := strings.Cut(p, "=")
		if strings.TrimSpace(n) == name {
			return parseNumber(v)
		}
	}
	return 0, false
}

// parseNumber reads a number that is not negative.
func parseNumber(s string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(n >= 0 && n <= 1e15) {
		return 0, false
	}
	return n, true
}

// secondsOf is so many seconds, but no more than fit.
func secondsOf(s float64) time.Duration {
	return time.Duration(math.Min(s, longest.Seconds()) * float64(time.Second))
}
