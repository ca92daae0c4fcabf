package main

import (
	"os"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func TestMain(m *testing.M) {
	origin.Main()
	childMain()
	os.Exit(m.Run())
}

// What is asserted holds on a machine of any speed; the figures are the command's.
func TestFleetOfRealProcessesEndsWithAnAccount(t *testing.T) {
	addr, _, end, err := startRedis(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	o := &options{processes: 4, quota: 100, lasts: time.Second, warmUp: time.Second}
	for _, m := range modes {
		found, err := measure(t.Context(), o, m, addr)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if found.total.Admitted == 0 || len(found.moments) == 0 {
			t.Errorf("%s: no call was admitted: %v", m.name, found.row(o))
		}
	}
}
