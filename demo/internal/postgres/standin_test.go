package postgres

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Every mode of pgx uses the protocol in another way.
func TestStandInSpeaksAllOfPgx(t *testing.T) {
	s := standInServer(t, 10)
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), s.DSN())
			if err != nil {
				t.Fatal(err)
			}
			defer leave(t.Context(), conn)
			var n int
			if err := conn.QueryRow(t.Context(), "SELECT 1;", mode).Scan(&n); err != nil || n != 1 {
				t.Errorf("select 1 = %d, %v", n, err)
			}
			var limit string
			if err := conn.QueryRow(t.Context(), "show max_connections", mode).Scan(&limit); err != nil || limit != "10" {
				t.Errorf("show max_connections = %q, %v", limit, err)
			}
			if _, err := conn.Exec(t.Context(), "select pg_sleep(0.001)", mode); err != nil {
				t.Error(err)
			}
			if mode != pgx.QueryExecModeSimpleProtocol {
				if _, err := conn.Exec(t.Context(), holdSQL, mode, 0.001); err != nil {
					t.Error(err)
				}
				if _, err := conn.Exec(t.Context(), holdSQL, mode, -1.0); err == nil {
					t.Error("a sleep of -1 s was accepted")
				}
			}
			var p *pgconn.PgError
			if _, err := conn.Exec(t.Context(), "drop table students", mode); !errors.As(err, &p) || p.Code != codeNotSupported {
				t.Errorf("SQL it does not know: %v, want 0A000", err)
			}
			if err := conn.Ping(t.Context()); err != nil {
				t.Errorf("ping after an error: %v", err)
			}
		})
	}
}

func TestEncryptionRequestDoesNotBreakStartup(t *testing.T) {
	s := standInServer(t, 10)
	// "prefer" asks for TLS, is declined, and goes on without.
	conn, err := pgx.Connect(t.Context(), strings.Replace(s.DSN(), "sslmode=disable", "sslmode=prefer", 1))
	if err != nil {
		t.Fatal(err)
	}
	leave(t.Context(), conn)
}

func TestSlotIsFreeAgainAfterAbruptEnd(t *testing.T) {
	s := standInServer(t, 4) // One slot.
	for range 3 {
		var conn *pgx.Conn
		eventually(t, "the slot is free", func() (ok bool) {
			var err error
			conn, err = pgx.Connect(t.Context(), s.DSN())
			return err == nil
		})
		if _, err := pgx.Connect(t.Context(), s.DSN()); !IsTooMany(err) {
			t.Fatalf("a second session on one slot: %v", err)
		}
		_ = conn.PgConn().Conn().Close() // Without a word to the server.
	}
}

// Cancel requests come on connections of their own, which have no slot and get
// no answer.
func TestCancelRequestTakesNoSlot(t *testing.T) {
	s := standInServer(t, 4)
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer leave(t.Context(), conn)
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "select pg_sleep(3600)")
		ended <- err
	}()
	sendCancel := func(pid uint32, key []byte) {
		c, err := net.Dial("tcp", conn.PgConn().Conn().RemoteAddr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		m, err := (&pgproto3.CancelRequest{ProcessID: pid, SecretKey: key}).Encode(nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = c.Write(m)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, _ := c.Read(make([]byte, 1)); n != 0 {
			t.Error("the cancel request got an answer")
		}
	}
	sendCancel(conn.PgConn().PID(), []byte("nope"))
	select {
	case err := <-ended:
		t.Fatalf("a cancel request with a wrong key ended the query: %v", err)
	default:
	}
	sendCancel(conn.PgConn().PID(), conn.PgConn().SecretKey())
	var p *pgconn.PgError
	if err := <-ended; !errors.As(err, &p) || p.Code != codeQueryCanceled {
		t.Errorf("the canceled query returned %v", err)
	}
}

func TestCloseDuringUseEndsEverything(t *testing.T) {
	s := standInServer(t, 100)
	w := s.NewWorkload(time.Hour)
	p, err := w.OpenPool(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 40)
	for range 20 {
		go func() { results <- w.Own(t.Context()) }()
		go func() { results <- p.Do(t.Context()) }()
	}
	eventually(t, "30 connections are open", func() bool { return w.Opened() == 30 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for range 40 {
		if err := <-results; err == nil || IsTooMany(err) || errors.Is(err, context.Canceled) {
			t.Errorf("a task on a closed server returned %v", err)
		}
	}
	p.Close()
	if err := s.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

// A client that says nothing, or nonsense, must not keep Close waiting.
func TestSilentAndNonsensicalClients(t *testing.T) {
	s := standInServer(t, 10)
	address := s.base.ConnConfig
	for _, words := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x00"} {
		c, err := net.Dial("tcp", addressOf(address))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, _ = c.Write([]byte(words))
	}
	w := s.NewWorkload(0)
	if err := w.Own(t.Context()); err != nil {
		t.Error(err)
	}
}
