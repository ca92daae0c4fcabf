package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tidegate-go/tidegate/demo/internal/knee"
)

// repeat measures what the answer rests on, and between the limits that enclose
// it.
func (s *search) repeat(ctx context.Context, round int) error {
	if round > 0 {
		for _, m := range s.result.Measurements {
			s.round = max(s.round, m.Round+1)
		}
		for _, limit := range s.deciding() {
			if _, err := s.measure(ctx, fmt.Sprintf("round %d of %d", round+1, rounds), limit); err != nil {
				return err
			}
		}
	}
	for range mostAdded {
		next, ok := knee.Next(s.points())
		if !ok {
			return nil
		}
		if _, err := s.measure(ctx, "refine", next); err != nil {
			return err
		}
	}
	return nil
}

// confirm measures again those limits that enclose the knee and that the last
// refinement has added: one round says nothing of how far it is off.
func (s *search) confirm(ctx context.Context) error {
	for range mostAdded {
		limit, ok := s.once()
		if !ok {
			return nil
		}
		if _, err := s.measure(ctx, "confirm", limit); err != nil {
			return err
		}
	}
	return nil
}

// once is a limit that encloses the knee and has been measured once.
func (s *search) once() (limit int, ok bool) {
	k, err := knee.Find(s.points())
	if err != nil {
		return 0, false
	}
	times := map[int]int{}
	below, above := 0, math.MaxInt
	for _, m := range s.result.Measurements {
		times[m.Limit]++
		if m.Limit >= k.Limit {
			above = min(above, m.Limit)
		} else {
			below = max(below, m.Limit)
		}
	}
	for _, limit := range []int{above, below} {
		if times[limit] == 1 {
			return limit, true
		}
	}
	return 0, false
}

// deciding are the limits that the answer rests on, the largest first: if there
// is time for some of them only, what is best is known best.
func (s *search) deciding() []int {
	points := s.points()
	k, err := knee.Find(points)
	if err != nil {
		return nil
	}
	var limits []int
	for i, p := range points {
		next := i+1 < len(points) && p.Limit < k.From && points[i+1].Limit >= k.From
		if next || p.Limit >= k.From {
			limits = append(limits, p.Limit)
		}
	}
	slices.Reverse(limits)
	return limits
}
