package knee

import "slices"

// Regions names the three parts of a curve. Its JSON is part of the harness's
// output, schema 1.
type Regions struct {
	// LinearTo is the end of the first part, in which each further call in
	// flight brings goodput: the knee.
	LinearTo int `json:"linear_to"`
	// FlatTo is the largest limit that was measured before the goodput falls.
	// From the knee to it only the latency grows.
	FlatTo int `json:"flat_to"`
	// CollapseFrom is the smallest limit that was measured from which on the
	// goodput has fallen, 0 if it does not fall: more in flight gets less done.
	CollapseFrom int `json:"collapse_from"`
	// FailingFrom is the smallest limit that was measured with which more than one call
	// in a hundred failed, 0 if there is none. A curve of goodput does not tell: it is for
	// whoever has counted them to set.
	FailingFrom int `json:"failing_from,omitempty"`
}

// collapsed is the share of the best goodput below which a curve has fallen.
// Above it the difference is within what a busy machine does to a plateau.
const collapsed = 0.85

// FindRegions divides the curve through points at k, which must be its knee.
func FindRegions(points []Point, k Knee) Regions {
	r := Regions{LinearTo: k.Limit, FlatTo: k.Limit}
	ordered := slices.Clone(points)
	slices.SortFunc(ordered, func(a, b Point) int { return a.Limit - b.Limit })
	for _, p := range ordered { // with those that got nothing done
		switch {
		case p.Limit < k.Limit:
		case p.median() >= collapsed*k.Best:
			// What lay below before was a dip and no collapse.
			r.FlatTo, r.CollapseFrom = p.Limit, 0
		case r.CollapseFrom == 0:
			r.CollapseFrom = p.Limit
		}
	}
	return r
}
