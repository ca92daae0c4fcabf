// Package scenario holds no code to import. Its tests play the scenarios of
// "go run ./demo scenario" with real limiters, those of other libraries and our own:
// goroutines that wait for them in the virtual time of testing/synctest. Server,
// callers, chance and oracle are those of the simulation, and so is the table:
//
//	cd demo/peers/scenario
//	go test -timeout 0 -run Table -scenario study -policy tidegate,failsafe -seeds 2
package scenario
