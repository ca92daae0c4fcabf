package origin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/rpc"
	"os"
	"os/signal"
	"sync"
	"time"
)

const (
	// envConfig marks a process as an origin and carries its Config as JSON.
	envConfig = "TIDEGATE_ORIGIN"
	// service is the name of control in net/rpc.
	service = "Origin"
	// slice bounds how long one control call waits in the child. A parent that
	// needs longer asks again. So a call whose caller has given up ends soon
	// by itself, without a message to cancel it, and cannot hold up the end of
	// the child, which must come within a second.
	slice = 250 * time.Millisecond
)

// Main makes this process an origin if Start created it for that purpose; then
// it serves until its standard input ends and exits, 0 in the ordinary case and
// 1 with a message on standard error if it cannot serve. In every other process
// it returns at once.
//
// Call it first in main, and first in TestMain in tests that use Start: what
// runs before it also runs in the child, and must not write to standard output.
func Main() {
	config, ok := os.LookupEnv(envConfig)
	if !ok {
		return
	}
	signal.Ignore(os.Interrupt) // see "How the child ends" in the package comment
	control := stdio{os.Stdin, os.Stdout}
	// Standard output belongs to the control calls from here on. A stray print
	// somewhere in the program must not end up between them.
	os.Stdout = os.Stderr
	if err := serve(config, control); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs the origin until the control connection ends. It leaves requests
// in flight to the end of the process, which closes their connections.
func serve(config string, controlConn io.ReadWriteCloser) error {
	var c Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return fmt.Errorf("origin: %s is %q, want a Config in JSON: %w", envConfig, config, err)
	}
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("origin: %w", err) // the error names the operation and the address
	}
	if c.Backlog > 0 {
		if err := setBacklog(listener, c.Backlog); err != nil {
			return fmt.Errorf("origin: Config.Backlog: %w", err)
		}
	}
	s := newServer(c, listener.Addr(), os.Stderr)
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(listener) }()

	rpcServer := rpc.NewServer()
	if err := rpcServer.RegisterName(service, &control{server: s, addr: listener.Addr().String()}); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		rpcServer.ServeConn(controlConn)
		close(ended)
	}()

	select {
	case err := <-failed:
		return fmt.Errorf("origin: serving ended: %w", err)
	case <-ended:
		return nil
	}
}

// control holds the calls that the parent makes; net/rpc dictates the shape of
// its methods, and runs each call in a goroutine of its own.
type control struct {
	server *server
	addr   string

	// settling is held while the server is made to settle. A Drain whose caller
	// has given up goes on for a slice, and the connection of its probe must
	// not be counted before a Reset and discounted after it.
	settling sync.Mutex
}

// Address replies with the address that the origin listens on.
func (c *control) Address(_ int, reply *string) error {
	*reply = c.addr
	return nil
}

// Stats replies with the account of the interval.
func (c *control) Stats(_ int, reply *Stats) error {
	*reply = c.server.stats()
	return nil
}

// Drain replies whether the origin has become empty within the slice.
func (c *control) Drain(_ int, reply *bool) error {
	c.settling.Lock()
	defer c.settling.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), slice)
	defer cancel()
	*reply = c.server.settle(ctx)
	return nil
}

// Reset replies whether the new interval has begun within the slice.
func (c *control) Reset(_ int, reply *bool) error {
	c.settling.Lock()
	defer c.settling.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), slice)
	defer cancel()
	*reply = c.server.reset(ctx)
	return nil
}

// Change goes on with another Config, which is valid and has its defaults.
func (c *control) Change(config Config, _ *bool) error {
	c.server.change(config)
	return nil
}

// stdio makes one connection of two pipes, for either end of them.
type stdio struct {
	io.ReadCloser
	io.WriteCloser
}

// Close closes the writing end alone, which is what tells the other side to
// end. The reading end closes when the other side does, and keeping it open
// until then lets its last reply be read.
func (s stdio) Close() error { return s.WriteCloser.Close() }
