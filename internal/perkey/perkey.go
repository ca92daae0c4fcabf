// Package perkey keeps a value for each key: made on first use, dropped when
// there are too many and it has been idle for the longest.
package perkey

import (
	"sync"
	"sync/atomic"
)

// A Table keeps a value per key, and as many as its limit. A value in use is
// never dropped: with more than that in use at once there are more, and the
// surplus is dropped bit by bit, a few entries with each use of the table, once
// it is idle. A Table is safe for concurrent use.
type Table[K comparable, V any] struct {
	limit int
	make  func(K) (K, V)
	busy  func(V) bool

	mu    sync.Mutex
	byKey map[K]*Entry[K, V]

	// The entries in a list through themselves, which takes a third of the
	// memory of container/list: there may be a hundred thousand.
	newest, oldest *Entry[K, V]
	len            int // of the list
}

// An Entry is a value that its user has pinned: it stays in the table at least
// until it is unpinned.
type Entry[K comparable, V any] struct {
	Key          K
	Value        V
	pins         atomic.Int64
	newer, older *Entry[K, V]
}

// New returns a Table that keeps up to limit values. create makes the value of
// a key, exactly once per stay in the table; it runs with the table locked and
// must not use it. The key that it returns is equal to the one it got and is kept
// in its place, so that a key that is a part of a long string does not keep all of
// that in memory. busy says whether a value that nobody has pinned is in use
// all the same; nil means that only pins count.
func New[K comparable, V any](limit int, create func(K) (K, V), busy func(V) bool) *Table[K, V] {
	if busy == nil {
		busy = func(V) bool { return false }
	}
	return &Table[K, V]{limit: limit, make: create, busy: busy, byKey: make(map[K]*Entry[K, V])}
}

// Pin returns the entry of key and keeps it from being dropped until Unpin.
func (t *Table[K, V]) Pin(key K) *Entry[K, V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.newest; e != nil && e.Key == key { // most programs call one host many times in a row
		e.pins.Add(1)
		t.shrink()
		return e
	}
	e, ok := t.byKey[key]
	if ok {
		t.unlink(e)
	} else {
		e = new(Entry[K, V])
		e.Key, e.Value = t.make(key)
		if key == key { // a NaN would never be found again, nor deleted
			t.byKey[e.Key] = e
		}
	}
	t.link(e)
	e.pins.Add(1)
	t.shrink()
	return e
}

// link makes e the most recently used.
func (t *Table[K, V]) link(e *Entry[K, V]) {
	e.newer, e.older = nil, t.newest
	if t.newest == nil {
		t.oldest = e
	} else {
		t.newest.newer = e
	}
	t.newest = e
	t.len++
}

func (t *Table[K, V]) unlink(e *Entry[K, V]) {
	if e.newer == nil {
		t.newest = e.older
	} else {
		e.newer.older = e.older
	}
	if e.older == nil {
		t.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	t.len--
}

// Unpin undoes one Pin.
func (e *Entry[K, V]) Unpin() { e.pins.Add(-1) }

// looks is how many entries each use of a table that is over its limit looks at
// to find some to drop. Entries in use go back to the front, so the next use
// looks at others.
const looks = 16

func (t *Table[K, V]) shrink() {
	for range looks {
		if t.len <= t.limit {
			return
		}
		e := t.oldest
		t.unlink(e)
		if e.pins.Load() > 0 || t.busy(e.Value) {
			t.link(e)
			continue
		}
		delete(t.byKey, e.Key)
	}
}

// Len returns the number of values kept.
func (t *Table[K, V]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.len
}

// Each calls f with each key and value, the most recently used first, as they
// are when it is called, until f says false. f may use the table.
func (t *Table[K, V]) Each(f func(K, V) bool) {
	t.mu.Lock()
	entries := make([]*Entry[K, V], 0, t.len)
	for e := t.newest; e != nil; e = e.older {
		entries = append(entries, e)
	}
	t.mu.Unlock()
	for _, e := range entries {
		if !f(e.Key, e.Value) {
			return
		}
	}
}
