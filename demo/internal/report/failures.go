package report

import (
	"fmt"
	"strings"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// A badEnd is a way in which tasks end badly, as a sentence calls it.
type badEnd struct {
	words string
	count func(experiment.Counts) int
}

var (
	timedOut = badEnd{"timed out", func(c experiment.Counts) int { return c.TimedOut }}
	refused  = badEnd{"were refused", func(c experiment.Counts) int { return c.Refused }}

	badEnds = []badEnd{
		timedOut, refused,
		{"were rejected by the limiter", func(c experiment.Counts) int { return c.Rejected }},
		{"failed", func(c experiment.Counts) int { return c.Failed }},
		{"were cancelled", func(c experiment.Counts) int { return c.Cancelled }},
	}
)

// failures says under which policies tasks ended in the way that the experiment
// is about, and under which none did; then, in which other ways tasks ended
// badly, so that nobody takes what did not time out for what was done; and
// last, which runs all this is not about.
func failures(n int, rows []Row, about badEnd) (parts []string) {
	clean, dirty := about.under(n, rows)
	switch {
	case len(clean)+len(dirty) == 0:
		return nil
	case len(dirty) == 0:
		parts = append(parts, fmt.Sprintf("none of the %s tasks %s under %s", grouped(n), about.words, list(clean)))
	case len(clean) == 0:
		parts = append(parts, list(dirty))
	default:
		parts = append(parts, list(dirty), "none under "+list(clean))
	}
	for _, other := range badEnds {
		if other.words == about.words {
			continue
		}
		if _, dirty := other.under(n, rows); len(dirty) > 0 {
			parts = append(parts, list(dirty))
		}
	}
	var cut []string
	for _, r := range rows {
		if r.Cut > 0 {
			cut = append(cut, named(r))
		}
	}
	if len(cut) > 0 {
		parts = append(parts, "runs cut short are not counted ("+list(cut)+")")
	}
	return parts
}

// under tells apart the policies under which no task ended so, in any complete
// run, and those under which some did, with their numbers.
func (e badEnd) under(n int, rows []Row) (clean, dirty []string) {
	for _, r := range rows {
		if r.Interrupted {
			continue
		}
		// From the least to the greatest: a median of 0 is not none.
		of := spreadOf(r.All, func(run *experiment.Run) float64 { return float64(e.count(run.Counts)) })
		numbers, percent := of.whole(), Percent(of.Min, n)
		if most := Percent(of.Max, n); most != percent {
			percent += "–" + most
		}
		switch {
		case of.Max == 0:
			clean = append(clean, named(r))
		case len(dirty) == 0:
			dirty = append(dirty, fmt.Sprintf("%s of %s tasks (%s %%) %s under %s", numbers, grouped(n), percent, e.words, named(r)))
		default:
			dirty = append(dirty, fmt.Sprintf("%s (%s %%) under %s", numbers, percent, named(r)))
		}
	}
	return clean, dirty
}

// Percent is a share of n in percent, in whole ones, but for what is none or all of them
// only if it is rounded: 2 of 500 are not 0 %.
func Percent(count float64, n int) string {
	percent := 100 * count / float64(n)
	switch {
	case 0 < percent && percent < 1:
		return fmt.Sprintf("%.1g", percent)
	case 99 < percent && percent < 100:
		return "over 99"
	}
	return fmt.Sprintf("%.0f", percent)
}

func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
