package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

const secret = "hunter2horse"

// noSecret fails if a password, or what could be a part of one, is in err.
func noSecret(t *testing.T, err error) {
	t.Helper()
	for _, form := range []string{"%v", "%+v", "%q"} {
		if text := fmt.Sprintf(form, err); strings.Contains(text, "hunter") || strings.Contains(text, "horse") {
			t.Errorf("the password is in the error: %s", text)
		}
	}
}

func TestBadDSNIsExplainedWithoutItsPassword(t *testing.T) {
	for _, dsn := range []string{
		"nonsense",
		"postgres://me:" + secret + "@host:port/db",
		"postgres://me:hunter%zzhorse@host/db",
		"postgres://me:12@hunterhorse@host/db",
		"postgres://me:12/hunterhorse@host/db",
		"postgres://me:12/hunter?horse@host/db",
		"host=h password='" + secret,
		"host=h password=" + secret + " sslmode=sometimes",
		"host=h port=99999 password=" + secret,
	} {
		s, err := Open(t.Context(), Config{DSN: dsn})
		if !errors.Is(err, ErrBadDSN) || s != nil {
			t.Errorf("Open(%q): %v, want ErrBadDSN", dsn, err)
		}
		noSecret(t, err)
	}
}

func TestConfigThatCannotBeMeantIsRejected(t *testing.T) {
	for _, c := range []Config{
		{DSN: "host=localhost", ForceStandIn: true},
		{MaxConnections: -1},
		{MaxConnections: 3},
	} {
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrBadConfig) {
			t.Errorf("Open(%+v): %v, want ErrBadConfig", c, err)
		}
	}
}

func TestClosedPortIsNamedWithoutThePassword(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	start := time.Now()
	_, err = Open(t.Context(), Config{DSN: "postgres://me:" + secret + "@" + address + "/db"})
	var u *UnreachableError
	if !errors.As(err, &u) || u.Address != address || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("%v, want an UnreachableError that names %s", err, address)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	noSecret(t, err)
	t.Log(err)
}

func TestSilentServerIsGivenUpInTime(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0") // Nobody accepts.
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err = Open(ctx, Config{DSN: "postgres://me:" + secret + "@" + l.Addr().String() + "/db"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	_, err = Open(t.Context(), Config{DSN: "postgres://me:" + secret + "@" + l.Addr().String() + "/db?connect_timeout=1"})
	var u *UnreachableError
	if !errors.As(err, &u) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want an UnreachableError", err)
	}
	noSecret(t, err)
	t.Log(err)
}

// refuser is a server that asks for a password and does not like it.
func refuser(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := pgproto3.NewBackend(c, c)
			_, _ = b.ReceiveStartupMessage()
			_ = b.SetAuthType(pgproto3.AuthTypeCleartextPassword)
			b.Send(&pgproto3.AuthenticationCleartextPassword{})
			_ = b.Flush()
			text := "nothing"
			if m, err := b.Receive(); err == nil {
				// A server so bad that it repeats what it was told.
				text = m.(*pgproto3.PasswordMessage).Password
			}
			b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: codeBadPassword, Message: "wrong password " + text})
			_ = b.Flush()
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func TestWrongPasswordIsNotRepeated(t *testing.T) {
	_, err := Open(t.Context(), Config{DSN: "postgres://me:" + secret + "@" + refuser(t) + "/db?sslmode=disable"})
	var u *UnreachableError
	if !errors.As(err, &u) || !strings.Contains(u.Remedy, "password in the DSN") {
		t.Fatalf("%v, want an UnreachableError about the password", err)
	}
	noSecret(t, err)
	t.Log(err)
}

func TestUsableSlotsFollowTheServersRules(t *testing.T) {
	base := probed{max: 100, superReserved: 3, reserved: 5, roleLimit: -1, databaseLimit: -1}
	for name, c := range map[string]struct {
		change func(*probed)
		want   int
	}{
		"ordinary":          {func(*probed) {}, 92},
		"may use reserved":  {func(p *probed) { p.mayReserved = true }, 97},
		"superuser":         {func(p *probed) { p.isSuper, p.roleLimit = true, 5 }, 100},
		"others are there":  {func(p *probed) { p.others = 10 }, 82},
		"role is limited":   {func(p *probed) { p.roleLimit, p.sameRole, p.others = 20, 4, 10 }, 16},
		"database is small": {func(p *probed) { p.databaseLimit, p.sameDatabase = 7, 2 }, 5},
		"full":              {func(p *probed) { p.others = 99 }, 0},
	} {
		p := base
		c.change(&p)
		if got := p.usable(); got != c.want {
			t.Errorf("%s: %d usable slots, want %d", name, got, c.want)
		}
	}
}

// With sslmode=prefer pgx would answer a refusal with a second try.
func TestRefusedAttemptIsNotRepeated(t *testing.T) {
	c, err := pgx.ParseConfig("postgres://me@a.example,b.example:5433/db?sslmode=prefer")
	if err != nil {
		t.Fatal(err)
	}
	pin(c, probed{remote: "192.0.2.7:5433"})
	ips, err := c.LookupFunc(t.Context(), c.Host)
	if c.Host != "b.example" || c.TLSConfig != nil || len(c.Fallbacks) != 0 || err != nil || len(ips) != 1 || ips[0] != "192.0.2.7:5433" {
		t.Errorf("pinned to %s (TLS %v), %d fallbacks, %v, %v", c.Host, c.TLSConfig != nil, len(c.Fallbacks), ips, err)
	}
}
