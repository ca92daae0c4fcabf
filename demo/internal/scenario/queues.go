package scenario

// ring is a queue.
type ring[T any] struct {
	items      []T // as many as a power of two
	head, size int
}

func (r *ring[T]) first() *T { return &r.items[r.head] }
func (r *ring[T]) last() *T  { return &r.items[(r.head+r.size-1)&(len(r.items)-1)] }

func (r *ring[T]) push(x T) {
	if r.size == len(r.items) {
		bigger := make([]T, max(16, 2*len(r.items)))
		n := copy(bigger, r.items[r.head:])
		copy(bigger[n:], r.items[:r.head])
		r.items, r.head = bigger, 0
	}
	r.items[(r.head+r.size)&(len(r.items)-1)] = x
	r.size++
}

func (r *ring[T]) pop() T {
	x := *r.first()
	r.drop()
	return x
}

func (r *ring[T]) drop() {
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.size--
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
