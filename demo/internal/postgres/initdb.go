//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// accessRules is the pg_hba.conf of a temporary server. The role of the tasks
// needs no password, and nobody else gets in: on a machine with other users, a
// superuser without a password would let them run programs as this one.
const accessRules = "host postgres " + taskRole + " 127.0.0.1/32 trust\n"

// create makes the database files and the role of the tasks.
func (cl *cluster) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	var err error
	if cl.log, err = os.OpenFile(filepath.Join(cl.dir.path, "log"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	// The server's account owns this folder, and this one alone.
	if err := os.Mkdir(cl.data(), 0o700); err != nil {
		return err
	}
	if err := cl.as.own(cl.data()); err != nil {
		return err
	}
	if err := cl.run(ctx, "", cl.bin.initdb, "-D", cl.data(), "-U", "postgres", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"); err != nil {
		return err
	}
	// The superuser works through standard input, without a network, so that
	// none has to exist for it.
	role := "create role " + taskRole + " login nosuperuser;\n"
	if err := cl.run(ctx, role, cl.bin.postgres, "--single", "-D", cl.data(), "-c", "exit_on_error=on", "-c", "fsync=off", "postgres"); err != nil {
		return err
	}
	// The file exists and belongs to the server's account; only its content
	// is replaced.
	return os.WriteFile(filepath.Join(cl.data(), "pg_hba.conf"), []byte(accessRules), 0o600)
}

// run runs a program of PostgreSQL to its end.
func (cl *cluster) run(ctx context.Context, input, program string, args ...string) error {
	cmd := cl.command(program, args...)
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	p, err := startProcess(cmd)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = p.stop()
		return fmt.Errorf("%s: %w", filepath.Base(program), ctx.Err())
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), p.err, cl.lastWords())
	}
	return nil
}

// command prepares a program of PostgreSQL.
func (cl *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = cl.dir.path // Our own folder may be closed to the server's account.
	// PGDATA, PGPORT and the like are about another server; and the log, which
	// becomes a reason in a label, shall be in English.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "PG") || strings.HasPrefix(s, "LC_") || strings.HasPrefix(s, "LANG")
	})
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = cl.log, cl.log
	cmd.SysProcAttr = childAttributes(cl.as)
	return cmd
}
