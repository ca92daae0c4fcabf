package report

import (
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// A Group is the runs of one experiment with one number of tasks against one
// far side: what can be compared with each other.
type Group struct {
	Experiment string
	N          int
	Against    string
	Law        string
	Runs       []*experiment.Run
	Rows       []Row
}

// Groups puts runs into groups, in the order in which they were made.
func Groups(runs []*experiment.Run) []*Group {
	var groups []*Group
	for _, r := range runs {
		i := slices.IndexFunc(groups, func(g *Group) bool {
			return g.Experiment == r.Experiment && g.N == r.N && g.Against == r.Against
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &Group{Experiment: r.Experiment, N: r.N, Against: r.Against, Law: r.Law})
		}
		groups[i].Runs = append(groups[i].Runs, r)
	}
	for _, g := range groups {
		g.Rows = Rows(g.Runs)
	}
	return groups
}

// Title names the group.
func (g *Group) Title() string { return Name(g.Experiment, g.N) + " tasks" }

// Name is an experiment with its number of tasks.
func Name(experiment string, n int) string { return experiment + ", " + grouped(n) }

// Sentence says what the group shows.
func (g *Group) Sentence() string { return Sentence(g.Experiment, g.N, g.Rows) }

// A Grid is the cells of a table, as text.
type Grid struct {
	Titles []string
	Left   []bool // columns of words and not of figures
	Cells  [][]string
}

// Grid is the table of the group.
func (g *Group) Grid() Grid {
	var grid Grid
	columns := columnsOf(Style{}, g.Experiment, g.N, g.Rows)
	for _, c := range columns {
		grid.Titles = append(grid.Titles, c.title)
		grid.Left = append(grid.Left, c.left)
	}
	for _, r := range g.Rows {
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.cell(r))
		}
		grid.Cells = append(grid.Cells, cells)
	}
	return grid
}

// Notes are what the marks in the table mean, and what is wrong with it.
func (g *Group) Notes() []string {
	var notes []string
	if text := repeats(g.Rows); text != "" {
		notes = append(notes, text)
	}
	for _, r := range g.Rows {
		if r.Noisy {
			notes = append(notes, noisyNote)
			break
		}
	}
	for _, r := range g.Rows {
		if text := r.mistrust(); text != "" {
			notes = append(notes, text)
		}
	}
	return notes
}

// Name is the policy with its parameters, with the limit that it has found, and
// with what ran it.
func (r Row) Name() string { return label(r) }

// Post is what the post has for r, or empty.
func (g *Group) Post(r Row) string { return postFigure(g.Experiment, g.N, r) }

// WallText is the wall time with its interval, and a mark if it is in doubt.
func (r Row) WallText() string { return wall(r) }

// Bounds are the ends of the interval of the median, or the least and greatest
// value if there were too few for one.
func (s Spread) Bounds() (low, high float64) { return s.bounds() }
