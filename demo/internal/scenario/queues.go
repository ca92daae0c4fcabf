package scenario

// ring is a queue of calls.
type ring struct {
	calls      []int32
	head, size int
}

func (r *ring) push(c int32) {
	if r.size == len(r.calls) {
		bigger := make([]int32, max(64, 2*len(r.calls)))
		n := copy(bigger, r.calls[r.head:])
		copy(bigger[n:], r.calls[:r.head])
		r.calls, r.head = bigger, 0
	}
	r.calls[(r.head+r.size)&(len(r.calls)-1)] = c
	r.size++
}

func (r *ring) pop() int32 {
	c := r.calls[r.head]
	r.head = (r.head + 1) & (len(r.calls) - 1)
	r.size--
	return c
}

// A job is a call, or the first of a batch of them, and when on the clock of
// the work it is done.
type job struct {
	at   float64
	call int32
}

// jobs is a heap.
type jobs []job

func (h *jobs) push(j job) {
	*h = append(*h, j)
	q := *h
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if q[parent].at <= j.at {
			break
		}
		q[i] = q[parent]
		i = parent
	}
	q[i] = j
}

func (h *jobs) pop() int32 {
	q := *h
	top := q[0].call
	last := len(q) - 1
	j := q[last]
	q = q[:last]
	*h = q
	if last == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && q[child+1].at < q[child].at {
			child++
		}
		if q[child].at >= j.at {
			break
		}
		q[i] = q[child]
		i = child
	}
	q[i] = j
	return top
}
