//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package postgres

// Here Open starts no server, so none can be found, and none be killed.
const victimVariable = "TIDEGATE_TEST_VICTIM"

func beVictim() {}

func findPrograms() (struct{}, bool) { return struct{}{}, false }
