package origin

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestPortInUseIsNamedByStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.Addr().String()
	o, err := Start(testContext(t), Config{Addr: addr})
	if err == nil {
		_ = o.Close()
		t.Fatal("Start succeeded on a port in use")
	}
	// The words for "in use" differ between systems, the address does not.
	for _, want := range []string{"origin: start", "listen tcp " + addr, "exit status 1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
}

func TestStartWithoutMainDoesNotRecur(t *testing.T) {
	t.Setenv(envConfig, "{}")
	if _, err := Start(t.Context(), Config{}); err == nil || !strings.Contains(err.Error(), "origin.Main") {
		t.Errorf("Start inside an origin process gave %v, want an error that names origin.Main", err)
	}
}

func TestStartHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with a cancelled context gave %v", err)
	}
}

func TestEndOfInputEndsTheChildWithWorkInFlight(t *testing.T) {
	o := start(t, Config{Workers: 1, Service: time.Hour})
	client := newClient(t, 0)
	cut := make(chan error, 2)
	for range cap(cut) {
		go func() {
			_, _, err := get(t.Context(), client, o.URL())
			cut <- err
		}()
	}
	await(t, o, "one call is worked on and one queued", func(s Stats) bool { return s.Queued == 1 })
	// A Drain that cannot succeed must not hold the child up either.
	drained := make(chan error, 1)
	go func() { drained <- o.Drain(t.Context()) }()

	_ = o.client.Close() // closes the child's standard input, and nothing else
	select {
	case <-o.exited:
	case <-time.After(time.Second):
		t.Error("the child was still there 1 s after its input had ended")
	}
	if err := o.Close(); err != nil {
		t.Errorf("the child did not end in the ordinary way: %v", err)
	}
	for range cap(cut) {
		if <-cut == nil {
			t.Error("a call that takes an hour was answered")
		}
	}
	if <-drained == nil {
		t.Error("Drain succeeded with calls in flight")
	}
}

func TestDeathOfTheParentEndsTheChild(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(testContext(t), program)
	parent.Env = append(os.Environ(), envParent+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	// The end of this connection is the end of the origin: nothing else closes
	// it so early.
	conn, err := net.Dial("tcp", strings.TrimPrefix(strings.TrimSpace(url), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	_ = parent.Process.Kill()
	_ = parent.Wait() // reports the kill
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the origin was still there 1 s after its parent had been killed")
	}
}

func TestInterruptLeavesTheAccountReadable(t *testing.T) {
	o := start(t, Config{})
	if err := o.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Skipf("this system cannot send an interrupt to a process: %v", err)
	}
	// The signal is delivered before the kernel returns to the child, so an
	// answer to a later question shows that the child has survived it.
	if status, _, err := get(testContext(t), newClient(t, 0), o.URL()); status != 200 {
		t.Errorf("after an interrupt a call gave %d, %v", status, err)
	}
	if s := stats(t, o); s.Served != 1 {
		t.Errorf("want 1 served, got %+v", s)
	}
}

func TestDeadChildIsReportedAndNotWaitedFor(t *testing.T) {
	o, err := Start(testContext(t), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Stats(testContext(t)); err == nil || !strings.Contains(err.Error(), "the child has ended") {
		t.Errorf("Stats of a dead child gave %v, want an error that says so", err)
	}
	if err := o.Reset(testContext(t)); err == nil || !strings.Contains(err.Error(), "the child has ended") {
		t.Errorf("Reset of a dead child gave %v, want an error that says so", err)
	}
	first := o.Close()
	if first == nil {
		t.Error("Close did not report that the child had crashed")
	}
	if again := o.Close(); again != first {
		t.Errorf("the second Close gave %v, the first %v", again, first)
	}
}

func TestFloodOfLogLinesIsBounded(t *testing.T) {
	var kept tail
	line := []byte(strings.Repeat("x", 99) + "\n")
	for range 1000 {
		if n, err := kept.Write(line); n != len(line) || err != nil {
			t.Fatalf("Write gave %d, %v", n, err)
		}
	}
	_, _ = kept.Write([]byte("the reason"))
	if got := kept.String(); len(got) > maxTail || !strings.HasSuffix(got, "the reason") {
		t.Errorf("kept %d bytes that end in %q", len(got), got[max(0, len(got)-20):])
	}
}
