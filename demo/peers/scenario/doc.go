// Package scenario holds no code to import: its tests play the scenarios of
// "go run ./demo scenario" with real limiters, those of other libraries and our own,
// in goroutines under the virtual clock of testing/synctest. Server, callers, chance
// and oracle are those of the simulation; only what admits the calls is real.
//
//	go test -run Scenarios -v -scenario study ./scenario
package scenario
