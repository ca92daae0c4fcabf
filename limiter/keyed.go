package limiter

import (
	"context"
	"iter"

	"github.com/tidegate-go/tidegate/internal/perkey"
)

// A Keyed keeps a Limiter for each key: a host, a tenant, a shard. The Limiter
// of a key is made when the key is first used and forgotten, with what it has
// learnt, when there are too many and it has been idle for the longest. One
// with calls in flight or waiting is never forgotten, so a limit holds however
// many keys there are. With more keys busy at once than the bound there are more
// Limiters; the surplus goes, a few with each use of the Keyed, once it is idle.
//
// A key takes about half a kilobyte with [Fixed] and a whole one with [Adaptive]. To
// that comes a tenth of a kilobyte for each call that it has had at once, for at most
// 64 of them when it is idle, and with Adaptive up to two kilobytes of latencies while
// it is in use.
//
// A key that is not equal to itself (a NaN) has a new Limiter with each use.
//
// A Keyed is safe for concurrent use. Make one with [NewKeyed]; [DoKeyed] is the
// shortest way to use one.
type Keyed[K comparable] struct{ table *perkey.Table[K, *Limiter] }

// NewKeyed returns a Keyed that keeps up to limit Limiters. create is called
// with a new key and returns its Limiter; it is called once for each stay of
// the key and must not use the Keyed.
//
// NewKeyed panics with a [*ConfigError] unless limit is at least 1 and create
// is a function; the use of a key panics likewise if create returns nil.
func NewKeyed[K comparable](limit int, create func(key K) *Limiter) *Keyed[K] {
	if limit < 1 {
		badConfig("NewKeyed", "limit", limit, "at least 1")
	}
	if create == nil {
		badConfig("NewKeyed", "create", nil, "a function that makes a Limiter")
	}
	checked := func(key K) (K, *Limiter) {
		l := create(key)
		if l == nil {
			badConfig("NewKeyed", "the result of create", nil, "a Limiter")
		}
		return key, l
	}
	return &Keyed[K]{perkey.New(limit, checked, (*Limiter).busy)}
}

// Acquire is [Limiter.Acquire] of the key's Limiter.
func (k *Keyed[K]) Acquire(ctx context.Context, key K) (Permit, error) {
	e := k.table.Pin(key)
	defer e.Unpin()
	return e.Value.Acquire(ctx)
}

// TryAcquire is [Limiter.TryAcquire] of the key's Limiter.
func (k *Keyed[K]) TryAcquire(key K) (Permit, bool) {
	e := k.table.Pin(key)
	defer e.Unpin()
	return e.Value.TryAcquire()
}

// DoKeyed is [Do] with the key's Limiter, which is kept at least until the call is
// over. It panics with a [*ConfigError] if k or f is nil.
func DoKeyed[K comparable, T any](ctx context.Context, k *Keyed[K], key K, f func(context.Context) (T, error)) (T, error) {
	if k == nil {
		badConfig("DoKeyed", "k", nil, "a Keyed")
	}
	e := k.table.Pin(key)
	defer e.Unpin()
	return Do(ctx, e.Value, f)
}

// Len returns the number of keys that have a Limiter now.
func (k *Keyed[K]) Len() int { return k.table.Len() }

// All ranges over the keys that have a Limiter now, the most recently used
// first. The Limiters are for looking at: one that is kept may be forgotten by
// the Keyed and then no longer be the one that the key's calls go through.
func (k *Keyed[K]) All() iter.Seq2[K, *Limiter] { return k.table.Each }

// busy reports whether anybody holds or waits for a place. It runs with the
// table of a Keyed locked, so it must not deliver events.
func (l *Limiter) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := 0
	if l.lost != nil {
		for f := l.lost.last.Load(); f != nil; f = f.next {
			if f.inFlight {
				lost++
			}
		}
	}
	return l.inFlight > lost || l.queue.len > 0
}
