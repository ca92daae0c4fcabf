package knee

// A holding is what a limit has of the best goodput: its share, which the rule
// goes by, and the ends of what the rounds leave possible.
type holding struct {
	low, share, high float64
	rounds           int
}

// holdings returns that of each point: the median of its shares of the best
// goodput in each round, since what is measured at about the same time is
// disturbed alike.
//
// Of a limit with few rounds the median says little, and a round's best is a noisy
// value, too: on a busy machine a limit of 44 that had been measured once was enough,
// with 90 % of the best, as the best was slow in that round. What has so few rounds
// must hold against the best of all rounds as well, and either may be right.
func (c curve) holdings() []holding {
	bestOf, best := c.best()
	most := 0
	for _, p := range c {
		most = max(most, len(present(p.Goodput)))
	}
	all := make([]holding, len(c))
	for i, p := range c {
		var shares, overall []float64
		for r, g := range p.Goodput {
			shares = append(shares, g/bestOf(r))
			overall = append(overall, g/best)
		}
		shares, overall = present(shares), present(overall)
		h := holding{share: median(shares), rounds: len(shares)}
		h.low, h.high = ends(shares)
		if 2*h.rounds <= most {
			low, high := ends(overall)
			h.low, h.share, h.high = min(h.low, low), min(h.share, median(overall)), max(h.high, high)
		}
		all[i] = h
	}
	return all
}

// Shares returns by limit the share of the best goodput that the rule compares
// with [Share]. It is the number to show beside the answer: the median goodput
// over the best one is another. It has nothing if there are too few points for
// [Find].
func Shares(points []Point) map[int]float64 {
	c := newCurve(points)
	if len(c) < leastPoints {
		return nil
	}
	shares := make(map[int]float64, len(c))
	for i, h := range c.holdings() {
		shares[c[i].Limit] = h.share
	}
	return shares
}
