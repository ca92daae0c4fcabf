// Package simulation holds no code to import: its tests put an httpclient.Transport, with
// its limiters, breakers, retries and pacers, between callers and hosts that fail in every
// way there is, for an hour of virtual time, and check throughout what must always hold.
//
//	go test -v ./internal/simulation                     a seed that is drawn anew, and those that once failed
//	go test -v ./internal/simulation -seed 7 -hours 24   that seed, for a day
//	go test -v -run Soak ./internal/simulation -soak 5m  five minutes in real time
//
// All chance follows from the seed, and so does the order of things: whatever happens
// from outside happens at a moment of its own, and one goroutine runs at a time. What is
// left to the Go runtime is in which order those go on who are woken at the very same
// moment, as when a breaker opens. So a seed that is played again for three minutes gives
// the same history, to the last call, nine times out of ten. internal/replay plays it
// where nothing is left to chance: there it gives the same history each time.
//
// A seed that has shown a defect is kept in regressions.txt.
//
//	world_test.go       hosts and their faults
//	body_test.go        bodies of answers, and who holds a place at a host
//	caller_test.go      callers and what they do
//	errand_test.go      what a call sends and leaves open
//	guest_test.go       who uses a Limiter beside the Transport, and in which order
//	run_test.go         a run, and what must hold at its end
//	watch_test.go       what must hold throughout, of Limiters and policies
//	simulation_test.go  runs from a seed
//	soak_test.go        a run in real time
package simulation
