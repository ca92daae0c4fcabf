package scenario

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func TestScratch(t *testing.T) {
	lab := NewLab()
	var jobs []Job
	for i := range 20 {
		for _, name := range []string{"oracle", "adaptive"} {
			m, _ := MakerOf(name)
			jobs = append(jobs, Job{Random(7, i), m, 1})
			if i < 10 {
				jobs = append(jobs, Job{Shared(7, i), m, 1})
			}
		}
	}
	for _, n := range []string{"usl", "batch", "mixshift", "longstreams"} {
		for _, name := range []string{"oracle", "adaptive"} {
			m, _ := MakerOf(name)
			w, _ := Named(n)
			jobs = append(jobs, Job{w, m, 1})
		}
	}
	begin := time.Now()
	events := uint64(0)
	for i, r := range lab.All(context.Background(), jobs, nil) {
		events += r.Events
		if r.Policy == "oracle" {
			fmt.Println(jobs[i].World.About)
		}
		for _, p := range r.Phases {
			if !p.Graded {
				continue
			}
			o := p.Oracle
			fmt.Printf("%-12s %-10s %-8s G %.3f p50x %5.2f p99x %5.2f lost %.3f conv %v %.1f low %.2f jain %.3f limit %.0f %d-%d | oracle %d %.0f/s of %.0f %v %v %v lost %.3f\n", r.World, p.Name, r.Policy, p.Share, p.P50x, p.P99x, p.Lost, p.Converged, p.Settled, p.Lowest, p.Jain, p.Limit.Mean, p.Limit.Low, p.Limit.High, o.Limit, o.Goodput, o.Best, round(float64(o.Mean)), round(float64(o.P50)), round(float64(o.P99)), o.Lost)
		}
	}
	fmt.Println(time.Since(begin), events)
}
