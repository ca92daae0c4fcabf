package scenario

import "testing"

// On these two seeds of forty Adaptive once stood still at three times what the
// server could do: callers gave up at exactly one and a half times the mean
// latency, queue included, and so were taken for impatient.
func TestQueueMakesGivingUpLookEarly(t *testing.T) {
	w, ok := Named("cancel")
	if !ok {
		t.Fatal("no scenario cancel")
	}
	m, err := MakerOf("adaptive")
	if err != nil {
		t.Fatal(err)
	}
	lab := NewLab()
	for _, seed := range []uint64{2000, 2029} {
		for _, p := range lab.Run(w, m, seed).Phases {
			if p.Graded && p.Share < 0.8 {
				t.Errorf("seed %d: in phase %s goodput is %.2f of the best", seed, p.Name, p.Share)
			}
		}
	}
}

// The quiet that a Retry-After asks for was once taken for a slow service: the queue
// looked small, the limit stayed too high, and each return from a pause was refused
// again. Goodput was a tenth of what there was.
func TestPauseIsTakenForASlowService(t *testing.T) {
	m, err := MakerOf("adaptive")
	if err != nil {
		t.Fatal(err)
	}
	lab := NewLab()
	for _, name := range []string{"retry503", "retry429"} {
		w, ok := Named(name)
		if !ok {
			t.Fatal("no scenario", name)
		}
		for seed := range uint64(3) {
			for _, p := range lab.Run(w, m, seed).Phases {
				if p.Graded && p.Share < 0.75 {
					t.Errorf("%s, seed %d: in phase %s goodput is %.2f of the best", name, seed, p.Name, p.Share)
				}
			}
		}
	}
}
