//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	initTimeout  = time.Minute      // Of initdb and the first statement; about a second is usual, six on a noisy machine.
	readyTimeout = 30 * time.Second // Of the start; a tenth of a second is usual.
	readyPause   = 10 * time.Millisecond
	startTries   = 3 // Somebody may take the port between our choice and PostgreSQL's start.
)

// A cluster is a temporary PostgreSQL: its programs, its directory and, once
// started, its process.
type cluster struct {
	bin  programs
	as   account
	dir  *ownedDir
	log  *os.File // All output of the programs; part of the directory.
	max  int
	proc *process
}

// openTemporary makes and starts a temporary server. If it cannot, whyNot says
// in one line why; err is for ctx only, since then nobody wants a stand-in.
func openTemporary(ctx context.Context, c Config) (s *Server, whyNot string, err error) {
	for _, parent := range tempParents() {
		sweep(parent, c.Log)
	}
	bin, ok := findPrograms()
	if !ok {
		return nil, "no PostgreSQL found", nil
	}
	c.Log("starting a temporary PostgreSQL with " + bin.postgres)
	s, err = startTemporary(ctx, bin, c.MaxConnections)
	switch {
	case err == nil:
		return s, "", nil
	case ctx.Err() != nil:
		return nil, "", ctx.Err()
	}
	return nil, fmt.Sprintf("PostgreSQL found in %s but it did not start: %s", filepath.Dir(bin.postgres), oneLine(err.Error())), nil
}

func startTemporary(ctx context.Context, bin programs, slots int) (_ *Server, err error) {
	as, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := newOwnedDir(as)
	if err != nil {
		return nil, err
	}
	cl := &cluster{bin: bin, as: as, dir: dir, max: slots}
	defer func() {
		if err != nil {
			_ = cl.stop() // The first error is the one to report.
		}
	}()
	if err := cl.create(ctx); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		port, base, p, err := cl.start(ctx)
		if err == nil {
			return &Server{
				kind:   Temporary,
				label:  fmt.Sprintf("PostgreSQL %s, temporary, real", p.version),
				dsn:    localDSN(port),
				max:    p.max,
				usable: p.usable(),
				base:   base,
				stop:   cl.stop,
			}, nil
		}
		if try == startTries || !errors.Is(err, errEnded) || ctx.Err() != nil {
			return nil, err
		}
	}
}

// start runs postgres on a free port and waits until it answers.
func (cl *cluster) start(ctx context.Context) (port int, base *pgxpool.Config, p probed, err error) {
	if port, err = freePort(); err != nil {
		return 0, nil, probed{}, err
	}
	if base, err = parseDSN(localDSN(port)); err != nil {
		return 0, nil, probed{}, err
	}
	keepLocal(base.ConnConfig)
	args := []string{"-D", cl.data()}
	for _, s := range cl.settings(port) {
		args = append(args, "-c", s)
	}
	if cl.proc, err = startProcess(cl.command(cl.bin.postgres, args...)); err != nil {
		return 0, nil, probed{}, err
	}
	if p, err = cl.ready(ctx, base); err != nil {
		_ = cl.proc.stop()
		return 0, nil, probed{}, err
	}
	return port, base, p, nil
}

// settings are those that the experiment is about, those that keep the server
// to itself, and those that trade safety for speed in a database of no worth.
func (cl *cluster) settings(port int) []string {
	return []string{
		"max_connections=" + strconv.Itoa(cl.max),
		"superuser_reserved_connections=" + strconv.Itoa(reservedSlots),
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(port),
		// Over a socket, connecting fails in another way: with EAGAIN, before
		// the server has counted anything.
		"unix_socket_directories=",
		"cluster_name=" + cl.name(),
		"logging_collector=off",
		"fsync=off",
		"synchronous_commit=off",
		"full_page_writes=off",
		"shared_buffers=16MB",
		// Nothing but the tasks shall take a slot.
		"autovacuum=off",
		"wal_level=minimal",
		"max_wal_senders=0",
	}
}

// ready asks the server for its limits until it answers. Nothing announces that
// PostgreSQL is ready to those who merely started it, so this has to poll.
func (cl *cluster) ready(ctx context.Context, base *pgxpool.Config) (probed, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	pause := time.NewTicker(readyPause)
	defer pause.Stop()
	for {
		p, err := probe(ctx, base.ConnConfig)
		// Another server may have got the port; ours is then about to end.
		if err == nil && p.cluster == cl.name() {
			return p, nil
		}
		select {
		case <-cl.proc.done:
			return probed{}, fmt.Errorf("postgres %w: %s", errEnded, cl.lastWords())
		case <-ctx.Done():
			return probed{}, fmt.Errorf("postgres was not ready in time: %w: %s", ctx.Err(), cl.lastWords())
		case <-pause.C:
		}
	}
}

// stop ends the server, if it runs, and removes the directory.
func (cl *cluster) stop() error {
	var stopped error
	if cl.proc != nil {
		stopped = cl.proc.stop()
	}
	if cl.log != nil {
		_ = cl.log.Close()
	}
	return errors.Join(stopped, cl.dir.remove())
}

func (cl *cluster) data() string { return filepath.Join(cl.dir.path, "data") }

// name tells this cluster from any other that may answer on its port.
func (cl *cluster) name() string { return filepath.Base(cl.dir.path) }

// lastWords is the line of the log that says what went wrong.
func (cl *cluster) lastWords() string {
	text, err := os.ReadFile(cl.log.Name())
	if err != nil {
		return "its log cannot be read"
	}
	reason, last := "", "it left no message"
	for line := range strings.Lines(string(text)) {
		for _, mark := range []string{"FATAL:", "PANIC:", "error:", "root execution"} {
			// The last one counts: a connection that came while the server was
			// starting is a FATAL too.
			if _, after, ok := strings.Cut(line, mark); ok {
				reason = oneLine(mark + after)
			}
		}
		if strings.TrimSpace(line) != "" {
			last = oneLine(line)
		}
	}
	if reason != "" {
		return reason
	}
	return last
}

// freePort returns a port of 127.0.0.1 that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("no port on 127.0.0.1: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
