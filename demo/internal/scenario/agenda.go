package scenario

import "time"

// An event is something that will happen. Of those at one moment, the one that
// was put on the agenda first happens first, so that runs can be repeated.
type event struct {
	at         time.Duration
	seq        uint64
	subject    int32 // a call, or a client
	generation uint32
	what       happening
	lane       int16 // where it waits its turn, or noLane
}

type happening uint8

const (
	arrives     happening = iota // a call, at the server
	answered                     // a call, back at its client
	overdue                      // a call
	givenUp                      // a call, by a caller who will not wait for the answer
	impatient                    // a call, by a caller who has waited for too long in all
	shed                         // a call, that has waited in the limiter for too long
	released                     // the place of a call, by its body, which has been read
	returns                      // a caller, to a client
	comes                        // a call from outside, to a client
	wakes                        // a client whose policy wants to be asked again
	stallBegins                  // of the server
	stallEnds
	scales
	scaled
)

// mayNotHappen reports whether the event is for a call that will often have
// ended before.
func (h happening) mayNotHappen() bool { return overdue <= h && h <= shed }

const noLane = -1

// An agenda holds what is to happen, the next first: a heap, in which a lane
// counts as one event. A lane holds events that come in the order of their time
// anyway, such as all answers that take the same way back; nearly all events
// are of that sort, so the heap stays small.
type agenda struct {
	heap  []event
	lanes []lane
	seq   uint64
}

// A lane is a ring.
type lane = ring[event]

// newLane returns a lane.
func (a *agenda) newLane() int16 {
	a.lanes = append(a.lanes, lane{})
	return int16(len(a.lanes) - 1)
}

// add puts e on the agenda. In a lane that it would have to overtake somebody
// in, it goes by itself.
func (a *agenda) add(e event, on int16) {
	a.seq++
	e.seq, e.lane = a.seq, noLane
	if on != noLane {
		l := &a.lanes[on]
		if l.size == 0 || l.last().at <= e.at {
			e.lane = on
			l.push(e)
			if l.size > 1 {
				return
			}
		}
	}
	a.heap = append(a.heap, e)
	a.up(len(a.heap) - 1)
}

// next returns the next event, or nil.
func (a *agenda) next() *event {
	if len(a.heap) == 0 {
		return nil
	}
	return &a.heap[0]
}

// drop removes the next event. Those behind it in its lane that are stale are
// dropped with it: most timeouts never happen.
func (a *agenda) drop(calls []call) {
	if on := a.heap[0].lane; on != noLane {
		l := &a.lanes[on]
		l.drop()
		for l.size > 0 && l.first().stale(calls) {
			l.drop()
		}
		if l.size > 0 {
			a.heap[0] = *l.first()
			a.down(0)
			return
		}
	}
	last := len(a.heap) - 1
	a.heap[0] = a.heap[last]
	a.heap = a.heap[:last]
	if last > 1 {
		a.down(0)
	}
}

// stale reports whether the call for which the event was meant has ended.
func (e *event) stale(calls []call) bool {
	return e.what.mayNotHappen() && e.generation != calls[e.subject].generation
}

func (e *event) before(o *event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

func (a *agenda) up(i int) {
	h := a.heap
	e := h[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

func (a *agenda) down(i int) {
	h := a.heap
	e := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(&h[child]) {
			child++
		}
		if !h[child].before(&e) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = e
}
