package page

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
	"github.com/tidegate-go/tidegate/demo/internal/report"
)

// bars are the wall times of a group, and how its tasks ended if some ended
// badly. Lengths are in percent.
type bars struct {
	Rows    []bar
	HasEnds bool
	HasPost bool // the post has a time for one of them
	Note    string
}

type bar struct {
	Label, Colour string
	Asyncio       bool
	Width         float64
	Clipped       bool    // it goes on beyond the edge
	Floor         float64 // the least that the policy could take
	Low, High     float64 // the interval; equal if there is none
	PostAt        float64 // 0 if the post has no time
	Text, Post    string
	Ends          []end
	EndText       string
}

// An end is a share of the tasks.
type end struct {
	Name  string
	Width float64
}

// ends are the ways in which tasks end, the good one first.
var ends = []struct {
	name, words string
	count       func(experiment.Counts) int
}{
	{"ok", "ok", func(c experiment.Counts) int { return c.Succeeded }},
	{"timeout", "timed out", func(c experiment.Counts) int { return c.TimedOut }},
	{"refused", "refused", func(c experiment.Counts) int { return c.Refused }},
	{"rejected", "rejected by the limiter", func(c experiment.Counts) int { return c.Rejected }},
	{"failed", "failed", func(c experiment.Counts) int { return c.Failed }},
	{"cancelled", "cancelled", func(c experiment.Counts) int { return c.Cancelled }},
}

var secondsText = regexp.MustCompile(`^([0-9.]+) s$`)

func newBars(g *report.Group) bars {
	b := bars{Note: "Bar: wall time. Upright line: the least that the policy could take."}
	scale := barScale(g.Rows)
	at := func(seconds float64) float64 { return min(100, 100*seconds/scale) }
	for _, r := range g.Rows {
		low, high := r.Wall.Bounds()
		row := bar{
			Label: r.Name(), Colour: colour(r.Policy), Asyncio: r.Runtime != "",
			Width: at(r.Wall.Median), Clipped: r.Wall.Median > scale, Floor: at(r.Floor),
			Low: at(low), High: at(high),
			Text: wallText(r), Post: g.Post(r),
		}
		if m := secondsText.FindStringSubmatch(row.Post); m != nil && !row.Asyncio {
			seconds, _ := strconv.ParseFloat(m[1], 64) // the pattern lets only numbers through
			row.PostAt = at(seconds)
		}
		b.HasPost = b.HasPost || row.PostAt > 0
		for _, e := range ends {
			count := e.count(r.Counts)
			if count == 0 {
				continue
			}
			row.Ends = append(row.Ends, end{e.name, 100 * float64(count) / float64(r.N)})
			if e.name != "ok" {
				b.HasEnds = true
				row.EndText += fmt.Sprintf(" %d %s (%s %%)", count, e.words, report.Percent(float64(count), r.N))
			}
		}
		if row.EndText == "" {
			row.EndText = allOK(r)
		}
		b.Rows = append(b.Rows, row)
	}
	if b.HasPost {
		b.Note += " Diamond: the post's time, with asyncio on another machine."
	}
	return b
}

// allOK is for a row whose run in the middle had no failure. Others may have.
func allOK(r report.Row) string {
	whole := 0
	for _, run := range r.All {
		if run.Counts.Succeeded == run.N {
			whole++
		}
	}
	if whole < len(r.All) {
		return fmt.Sprintf("all ok in %d of %d runs", whole, len(r.All))
	}
	return "all ok"
}

// wallText puts the marks behind the unit.
func wallText(r report.Row) string {
	text := r.WallText()
	marks := ""
	for _, m := range []string{"†", " cut"} {
		if before, ok := strings.CutSuffix(text, m); ok {
			text, marks = before, m+marks
		}
	}
	return text + " s" + marks
}

// barScale is the time that fills the width. Times far above the others do not
// count, or all the others would be slivers.
func barScale(rows []report.Row) float64 {
	var times []float64
	for _, r := range rows {
		_, high := r.Wall.Bounds()
		times = append(times, max(high, r.Wall.Median))
	}
	slices.Sort(times)
	edge := 4 * times[len(times)/2]
	scale := times[0]
	for _, t := range times {
		if t <= edge {
			scale = t
		}
	}
	return max(scale, 1e-9)
}
