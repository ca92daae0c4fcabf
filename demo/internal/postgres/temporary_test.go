//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// victimVariable makes the test binary open a server and wait to be killed.
const victimVariable = "TIDEGATE_TEST_VICTIM"

func beVictim() {
	s, err := Open(context.Background(), Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.DSN())
	select {} // With its threads idle, as a demo that waits for its tasks has them.
}

func TestTemporaryServerIsReal(t *testing.T) {
	s := realServer(t)
	if !strings.HasPrefix(s.Label(), "PostgreSQL ") || !strings.HasSuffix(s.Label(), ", temporary, real") {
		t.Errorf("label %q", s.Label())
	}
	if s.MaxConnections() != 100 || s.UsableSlots() != 97 {
		t.Errorf("max %d, usable %d; want 100 and 97", s.MaxConnections(), s.UsableSlots())
	}
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer leave(t.Context(), conn)
	var super bool
	if err := conn.QueryRow(t.Context(), "select rolsuper from pg_roles where rolname = current_user").Scan(&super); err != nil || super {
		t.Errorf("the tasks' role is a superuser: %v, %v", super, err)
	}
	t.Log(s.Label())
}

// A superuser without a password would be a way in for every user of the
// machine.
func TestSuperuserCannotLogIn(t *testing.T) {
	s := realServer(t)
	_, err := pgx.Connect(t.Context(), strings.Replace(s.DSN(), taskRole+"@", "postgres@", 1))
	var p *pgconn.PgError
	if !errors.As(err, &p) || p.Code != codeNotAuthorised {
		t.Errorf("the superuser's login: %v, want SQLSTATE 28000", err)
	}
}

// The user's own server, for which the shared one stands here.
func TestExternalServerIsUsedAndLeftAlone(t *testing.T) {
	s := realServer(t)
	allFree(t, s)
	// The password is not needed, and must not be seen.
	dsn := strings.Replace(s.DSN(), taskRole+"@", taskRole+":"+secret+"@", 1)
	guest, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer leave(t.Context(), guest)
	e, err := Open(t.Context(), Config{DSN: strings.Replace(dsn, "sslmode=disable", "sslmode=prefer", 1)})
	if err != nil {
		t.Fatal(err)
	}
	if e.Kind() != External || e.MaxConnections() != 100 || e.UsableSlots() != 96 {
		t.Errorf("%v, max %d, usable %d; want external, 100, and 96 beside another session", e.Kind(), e.MaxConnections(), e.UsableSlots())
	}
	if !strings.Contains(e.Label(), " at 127.0.0.1:") || strings.Contains(e.Label(), secret) {
		t.Errorf("label %q", e.Label())
	}
	w := e.NewWorkload(100 * time.Millisecond)
	if got, want := inParallel(t, 150, 0, func() error { return w.Own(t.Context()) }), (tally{ok: 96, tooMany: 54}); got != want {
		t.Errorf("150 tasks: %+v, want %+v", got, want)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := guest.Ping(t.Context()); err != nil {
		t.Errorf("Close has touched the user's server: %v", err)
	}
	_, err = Open(t.Context(), Config{DSN: strings.Replace(dsn, "/postgres?", "/nowhere?", 1)})
	var u *UnreachableError
	if !errors.As(err, &u) {
		t.Errorf("a database that does not exist: %v", err)
	}
	noSecret(t, err)
	t.Log(err)
}

func TestCloseStopsTheServerInUseAndRemovesItsDirectory(t *testing.T) {
	needReal(t)
	s, err := Open(t.Context(), Config{MaxConnections: 20})
	if err != nil {
		t.Fatal(err)
	}
	dir := directoryOf(t, s.DSN())
	w := s.NewWorkload(time.Hour)
	results := make(chan error, 20)
	for range 20 {
		go func() { results <- w.Own(t.Context()) }()
	}
	eventually(t, "all slots are taken and the others refused", func() bool { return w.Opened() == 17 && w.Refused() == 3 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for range 20 {
		if err := <-results; err == nil {
			t.Error("a task of an hour was done when the server closed")
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func TestCancelWhileStartingLeavesNothing(t *testing.T) {
	needReal(t)
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	if s, err := Open(ctx, Config{}); !errors.Is(err, context.DeadlineExceeded) || s != nil {
		t.Errorf("%v, %v; want the deadline's error and no stand-in", s, err)
	}
	if left := orphans(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A run that is killed cannot clean up; the kernel and the next run must.
func TestKilledRunLeavesNoServerAndItsDirectoryIsSwept(t *testing.T) {
	needReal(t)
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties the server's life to ours; run this test there")
	}
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimVariable+"=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var dsn string
	_, scanErr := fmt.Fscanln(out, &dsn)
	dir := directoryOf(t, dsn)
	sweep(filepath.Dir(dir), func(line string) { t.Log(line) })
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the directory of a living run was swept: %v", err)
	}
	if err := victim.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = victim.Wait() // Reports the kill.
	if scanErr != nil {
		t.Fatalf("the victim opened nothing: %q, %v", dsn, scanErr)
	}

	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server of the killed run has ended", func() bool {
		conn, err := net.Dial("tcp", addressOf(c))
		if err == nil {
			_ = conn.Close()
			return false
		}
		_, err = os.Stat(filepath.Join(dir, "data", "postmaster.pid"))
		return os.IsNotExist(err)
	})
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("the directory should still be there: %v", err)
	}
	var said []string
	sweep(filepath.Dir(dir), func(line string) { said = append(said, line) })
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s was not swept: %v", dir, err)
	}
	t.Log(said)
}

// directoryOf is the directory of the temporary server behind dsn.
func directoryOf(t *testing.T, dsn string) string {
	t.Helper()
	c, err := parseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p, err := probe(t.Context(), c.ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	parent, err := parentFor(account{})
	if a, aErr := serverAccount(); aErr == nil {
		parent, err = parentFor(a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(parent, p.cluster)
}

// orphans are the directories that no living process owns.
func orphans(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, parent := range tempParents() {
		found, err := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			if ours(path) && abandoned(path) {
				all = append(all, path)
			}
		}
	}
	return all
}
