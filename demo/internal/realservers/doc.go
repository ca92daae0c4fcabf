// Package realservers holds no code to import: its tests call servers that people run
// (nginx, HAProxy, PostgreSQL), with the client bare and with the client wrapped, and
// print one table.
//
//	go test -v -run Table ./demo/internal/realservers
//
// Behind each proxy is an origin that keeps a list of the calls that have reached it. So
// it can be told what no client can tell by itself: whether a call that was answered was
// done once, and one that we rejected not at all.
//
// A server that is not installed is skipped with a line that says how to get it; with
// TIDEGATE_REQUIRE_REAL set, as in CI, that is a failure.
package realservers
