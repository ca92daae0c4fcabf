package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain checks that no goroutine is left when all tests are done, and lets
// the test binary play the process that gets killed.
func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		beVictim()
		return
	}
	goleak.VerifyTestMain(closing{m})
}

// closing closes the server that the tests share before leaks are looked for.
type closing struct{ *testing.M }

func (c closing) Run() int {
	code := c.M.Run()
	if s, _ := shared(); s != nil {
		if err := s.Close(); err != nil {
			fmt.Println("closing the shared server:", err)
			return 1
		}
	}
	return code
}

var wanted bool // Whether any test asked for the shared server.

var openShared = sync.OnceValues(func() (*Server, error) {
	return Open(context.Background(), Config{})
})

func shared() (*Server, error) {
	if !wanted {
		return nil, nil
	}
	return openShared()
}

// needReal skips the test where there is no PostgreSQL, unless one is required.
func needReal(t *testing.T) {
	t.Helper()
	if _, ok := findPrograms(); ok {
		return
	}
	const missing = "initdb and postgres are missing on PATH and in the usual folders; apt-get install postgresql"
	if os.Getenv("TIDEGATE_REQUIRE_REAL") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// realServer is a temporary PostgreSQL that all tests share; none may close it.
func realServer(t *testing.T) *Server {
	t.Helper()
	needReal(t)
	wanted = true
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind() != Temporary {
		t.Fatalf("PostgreSQL is installed, but Open gave: %s", s.Label())
	}
	return s
}

// standInServer is a stand-in of the test's own.
func standInServer(t *testing.T, connections int) *Server {
	t.Helper()
	s, err := Open(context.Background(), Config{ForceStandIn: true, MaxConnections: connections})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// onBoth runs a test against the stand-in and against the real PostgreSQL: what
// holds for one of them only is worth nothing.
func onBoth(t *testing.T, test func(*testing.T, *Server)) {
	t.Run("stand-in", func(t *testing.T) { test(t, standInServer(t, 100)) })
	t.Run("real", func(t *testing.T) { test(t, realServer(t)) })
}

// tally is how the tasks of a run ended.
type tally struct{ ok, tooMany, canceled, other int }

// inParallel runs n tasks, at most width at a time (0 is all at once).
func inParallel(t *testing.T, n, width int, task func() error) tally {
	t.Helper()
	if width == 0 {
		width = n
	}
	results := make(chan error, n)
	places := make(chan struct{}, width)
	for range n {
		places <- struct{}{}
		go func() {
			results <- task()
			<-places
		}()
	}
	var sum tally
	for range n {
		switch err := <-results; {
		case err == nil:
			sum.ok++
		case IsTooMany(err):
			sum.tooMany++
		case errors.Is(err, context.Canceled):
			sum.canceled++
		default:
			t.Log("unexpected:", err)
			sum.other++
		}
	}
	return sum
}

// eventually polls a condition for which there is nothing to wait on.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("still not true: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// allFree waits until nobody has a slot, so that the next test finds them all:
// after a client's Close a server takes a moment to free them.
func allFree(t *testing.T, s *Server) {
	t.Helper()
	if s.kind != Temporary {
		return // Each test has its own stand-in.
	}
	eventually(t, "all sessions have ended", func() bool {
		p, err := probe(t.Context(), s.base.ConnConfig)
		return err == nil && p.others == 0
	})
}
