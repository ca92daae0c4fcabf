package experiment

import (
	"runtime"
	"time"
)

const (
	// noisy is the share of all cores above which a run is marked: times vary
	// by about as much without anybody else.
	noisy = 0.12
	// leastForeign is processor time below which nothing is marked, because
	// the kernel counts in steps of 10 ms.
	leastForeign = 60 * time.Millisecond
)

// A cpuReading is the processor time used on this machine until now, by
// everybody and by this program with its children.
type cpuReading struct {
	all, own time.Duration
	ok       bool // false where the system does not tell
}

// foreign returns the share of all cores that others have used since before,
// and whether that is too much.
func (before cpuReading) foreign(wall time.Duration) (share *float64, tooMuch bool) {
	after := readCPU()
	if !before.ok || !after.ok || wall <= 0 {
		return nil, false
	}
	others := max(0, (after.all-before.all)-(after.own-before.own))
	f := float64(others) / (float64(wall) * float64(runtime.NumCPU()))
	return &f, f > noisy && others >= leastForeign
}
