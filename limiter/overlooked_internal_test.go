package limiter

import (
	"testing"
	"time"
)

// Of the last whole window and the one under way the one counts that says less: a
// slow stretch, or an even one, may be over by the time that matters.
func TestFewGapsUnsayWhatAWholeWindowHasShown(t *testing.T) {
	const ms = time.Millisecond
	even := func(i int) instant { return ms }
	for name, test := range map[string]struct{ whole, underWay func(int) instant }{
		"slower":    {even, func(int) instant { return 2 * ms }},
		"less even": {func(i int) instant { return time.Duration(i) % 8 / 7 * 8 * ms }, func(int) instant { return 8 * ms / 10 }},
	} {
		p, now := new(pace), ms
		p.begin(now)
		for i := range paceWindow {
			now += test.whole(i)
			p.moved(now, 0)
		}
		before := p.atLeast(1000, 0)
		for i := range paceUnderWay {
			now += test.underWay(i)
			p.moved(now, 0)
		}
		if after := p.atLeast(1000, 0); before == 0 || after > before {
			t.Errorf("%s: at least %v, and then %v", name, before, after)
		}
	}
}

// Answers to calls from before a collapse say nothing of the time after it: if they
// brought the limit back up there would be the next collapse.
func TestAnswersFromBeforeACollapseUndoTheCut(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	a.resumeTo, a.lastCut = 50, 2*time.Second
	limit := a.limit
	if a.answered(time.Second, 0.01); a.limit != limit {
		t.Errorf("an old answer takes the limit from %v to %v", limit, a.limit)
	}
	if a.answered(2*time.Second, 0.01); a.limit != limit+1 {
		t.Errorf("a new answer takes the limit from %v to %v", limit, a.limit)
	}
}

// While a Retry-After holds everybody back an experiment learns nothing, so its time
// must not run out either.
func TestPauseEndsAnExperimentThatHasSeenNothing(t *testing.T) {
	a := Adaptive(AdaptiveConfig{}).(*adaptive)
	a.trial = &trial{lowered: 5, wanted: 10, start: time.Second, deadline: 2 * time.Second, full: never}
	a.running, a.stopped, a.accounts = true, true, time.Second
	a.Next(State{Now: time.Minute, Queued: 1})
	if !a.running {
		t.Error("the experiment is over")
	}
}
