// Package patience lets httpclient tell limiter that the deadline of a context
// bounds nothing but the wait for a place, so that its end is counted as one wait
// that was too long and not as a caller who had no time left.
package patience

import "context"

// Key is what a context is asked for: a bool that is true if its deadline bounds
// nothing but the wait. What it says may change until the context has ended.
type Key struct{}

// Bounds reports whether the deadline of ctx bounds nothing but the wait.
func Bounds(ctx context.Context) bool {
	only, _ := ctx.Value(Key{}).(bool)
	return only
}
