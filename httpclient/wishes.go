package httpclient

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// wishes are what a request's context carries for a Transport.
type wishes struct {
	info   *Info
	bypass bool
	atHead bool
}

type wishesKey struct{}

func wishesOf(ctx context.Context) wishes {
	w, _ := ctx.Value(wishesKey{}).(*wishes)
	if w == nil {
		return wishes{}
	}
	return *w
}

func withWish(ctx context.Context, change func(*wishes)) context.Context {
	w := wishesOf(ctx)
	change(&w)
	return context.WithValue(ctx, wishesKey{}, &w)
}

// Info is what a Transport did for one request, for logs, traces and tests. Its
// zero value is ready for [WithInfo].
type Info struct {
	Host     string        // of the last attempt, as in "example.com:443"
	Attempts int           // that were sent
	Queued   time.Duration // how long they waited to be admitted, all together
	Backoff  time.Duration // the pauses between them
	Limit    int           // of the host when the last one was admitted; math.MaxInt for none
}

// WithInfo returns a copy of ctx with which a Transport fills in info before its
// RoundTrip returns. The redirects that an http.Client follows add up. Requests
// that run at the same time must not share one Info.
func WithInfo(ctx context.Context, info *Info) context.Context {
	return withWish(ctx, func(w *wishes) { w.info = info })
}

// WithBypass returns a copy of ctx whose requests wait for nothing and take no
// place: neither of their host nor of Config.Global nor of a quota. Their host's
// breaker still counts. It is for requests that are made while a place is held
// by whoever waits for them, such as one for the next page or for a token:
// with a limit of 1 they would wait for each other.
func WithBypass(ctx context.Context) context.Context {
	return withWish(ctx, func(w *wishes) { w.bypass = true })
}

// WithReleaseAtHead returns a copy of ctx whose requests give back their places
// when the heads of their responses arrive; see Config.ReleaseAtHead.
func WithReleaseAtHead(ctx context.Context) context.Context {
	return withWish(ctx, func(w *wishes) { w.atHead = true })
}

// EventStream reports whether resp is a stream of server-sent events. It is a
// function for Config.ReleaseAtHead.
func EventStream(resp *http.Response) bool {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}
