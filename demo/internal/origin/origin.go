package origin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/rpc"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	// startTimeout is for a child that does not answer, when ctx is endless.
	startTimeout = 10 * time.Second
	// closeTimeout is far above the second within which the child ends, since
	// a child built with -race adds another one to its exit.
	closeTimeout = 5 * time.Second
)

// Origin is a running origin process. Create it with [Start] and end it with
// Close; the zero value is not usable. Its methods are safe for concurrent use.
type Origin struct {
	config Config // as it was started, with its defaults
	url    string
	cmd    *exec.Cmd
	client *rpc.Client
	stderr *tail

	exited  chan struct{} // closed when the child is gone
	exitErr error         // its exit status; read after exited is closed

	closeOnce sync.Once
	closeErr  error
}

// Start runs an origin in a child process and returns when it accepts
// connections. ctx bounds the start alone and not the life of the origin, which
// lasts until Close or until this process ends.
//
// It fails if the Config is not valid, if the child cannot be started, or if
// the child ends before it serves, for instance because the port is in use;
// what the child wrote to standard error is then part of the error. It also
// fails if the program does not call [Main].
func Start(ctx context.Context, c Config) (*Origin, error) {
	if _, ok := os.LookupEnv(envConfig); ok {
		// Without this check, a program that forgot Main would start itself
		// again and again, each copy one generation deeper.
		return nil, fmt.Errorf("origin: Start in a process that was started as an origin (%s is set): main and TestMain must call origin.Main first", envConfig)
	}
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("origin: start: %w", err)
	}
	o, err := spawn(c)
	if err != nil {
		return nil, fmt.Errorf("origin: start: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("no answer from the child within %v: does main call origin.Main first?", startTimeout))
	defer cancel()
	addr, err := call[string](ctx, o, "Address", 0)
	if err != nil {
		_ = o.cmd.Process.Kill() // its state is unknown, so it is not asked to end by itself
		_ = o.Close()
		return nil, fmt.Errorf("origin: start: %w", err)
	}
	o.url = "http://" + addr
	return o, nil
}

// spawn starts the child and does not wait for it.
func spawn(c Config) (*Origin, error) {
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	// os.Args[0] can be a name relative to a directory that we have left.
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// The argument is for whoever reads a process list. In a program that does
	// not call Main it also brings a quick "unknown command", in most cases.
	cmd := exec.Command(program, "origin-child")
	cmd.Env = append(os.Environ(), envConfig+"="+string(config))
	stderr := &tail{}
	cmd.Stderr = stderr
	cmd.WaitDelay = time.Second // Wait must not hang if someone else holds the child's stderr open
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := &Origin{config: c, cmd: cmd, stderr: stderr, exited: make(chan struct{})}
	o.client = rpc.NewClient(stdio{out, in})
	go func() {
		o.exitErr = cmd.Wait()
		close(o.exited)
	}()
	return o, nil
}

// URL returns the origin's address, as in "http://127.0.0.1:40123". Every path
// below it is served alike.
func (o *Origin) URL() string { return o.url }

// Ended returns a channel that is closed when the child has ended, whether it
// was asked to or not.
func (o *Origin) Ended() <-chan struct{} { return o.exited }

// Stats returns the account of the present interval. The question does not go
// through the queue, so an overloaded origin answers as well; it takes about
// 0.1 ms, or as long as two busy processes need to get the processor. It fails
// if ctx ends first or if the child has ended.
func (o *Origin) Stats(ctx context.Context) (Stats, error) {
	s, err := call[Stats](ctx, o, "Stats", 0)
	if err != nil {
		return Stats{}, fmt.Errorf("origin: stats: %w", err)
	}
	return s, nil
}

// Drain waits until the origin has finished every request, those of callers
// that have left included, so that Stats is the whole account of a run. With n
// requests in the queue that takes n / capacity. It fails if ctx ends first or
// if the child has ended, and changes nothing in either case.
func (o *Origin) Drain(ctx context.Context) error {
	return o.repeat(ctx, "Drain", "drain")
}

// Reset begins a new interval: it drops the requests that are still queued or
// being worked on, waits until they have left, frees the workers, and sets all
// counts to zero. Connections that are kept alive stay open. Requests that
// arrive during Reset are refused, so a run must not begin before it returns.
//
// It fails if ctx ends first or if the child has ended. After the former the
// old interval may go on, or the new one begin up to 250 ms later: call Reset
// again before the next run.
func (o *Origin) Reset(ctx context.Context) error {
	return o.repeat(ctx, "Reset", "reset")
}

// Change has the origin go on with the Workers, Service, Queue, Network and Quota of
// another Config, from the moment that it returns at the latest. Work that has begun
// ends as it would have; what waits, and what comes, is done in the new way. The
// other fields cannot be changed and must be as they were. It fails if c is not
// valid, if ctx ends first or if the child has ended.
func (o *Origin) Change(ctx context.Context, c Config) error {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return err
	}
	if c.Backlog != o.config.Backlog || c.Streams != o.config.Streams || c.Addr != o.config.Addr {
		return fmt.Errorf("origin: change: Backlog, Streams and Addr are %d, %d and %s, want what they were: %d, %d and %s",
			c.Backlog, c.Streams, c.Addr, o.config.Backlog, o.config.Streams, o.config.Addr)
	}
	if _, err := call[bool](ctx, o, "Change", c); err != nil {
		return fmt.Errorf("origin: change: %w", err)
	}
	return nil
}

// repeat makes a call that waits in slices until it replies true.
func (o *Origin) repeat(ctx context.Context, method, doing string) error {
	for {
		done, err := call[bool](ctx, o, method, 0)
		if err != nil {
			return fmt.Errorf("origin: %s: %w", doing, err)
		}
		if done {
			return nil
		}
	}
}

// call makes one control call. T is the type of its reply.
func call[T any](ctx context.Context, o *Origin, method string, argument any) (T, error) {
	var zero T
	if ctx.Err() != nil {
		return zero, context.Cause(ctx)
	}
	// The reply is written by net/rpc whenever it comes, also after ctx has
	// ended, so it is not a variable that a caller could be reading by then.
	reply := new(T)
	pending := o.client.Go(service+"."+method, argument, reply, make(chan *rpc.Call, 1))
	select {
	case <-ctx.Done():
		return zero, context.Cause(ctx)
	case <-pending.Done:
	}
	if pending.Error == nil {
		return *reply, nil
	}
	// A broken control connection means in practice that the child is ending.
	// How it ended says more than how the connection did.
	select {
	case <-o.exited:
		return zero, o.exitCause()
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
	return zero, fmt.Errorf("control connection: %w", pending.Error)
}

// exitCause describes the end of the child, which must have ended.
func (o *Origin) exitCause() error {
	err := o.exitErr
	if err == nil {
		err = errors.New("exit status 0")
	}
	if text := o.stderr.String(); text != "" {
		return fmt.Errorf("the child has ended: %w: %s", err, text)
	}
	return fmt.Errorf("the child has ended: %w", err)
}

// Close ends the child and waits until it is gone, which takes milliseconds.
// Requests in flight lose their connection. It returns an error if the child
// had crashed or had to be killed. Further calls return the same result.
func (o *Origin) Close() error {
	o.closeOnce.Do(func() {
		_ = o.client.Close() // fails only if the connection has ended already, which is the aim
		select {
		case <-o.exited:
		case <-time.After(closeTimeout):
			_ = o.cmd.Process.Kill()
			<-o.exited
		}
		if o.exitErr != nil {
			o.closeErr = fmt.Errorf("origin: close: %w", o.exitCause())
		}
	})
	return o.closeErr
}
