package fleet_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/internal/redisserver"
	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// startRedis starts the Redis or Valkey that is installed, on loopback and with
// nothing on disk.
func startRedis(t *testing.T) (addr string, process *os.Process) {
	t.Helper()
	name := redisserver.Find()
	if name == "" {
		missing := "needs redis-server, which is not installed: apt-get install redis-server"
		if os.Getenv("TIDEGATE_REQUIRE_REAL") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	server, err := redisserver.Start(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	for range 100 {
		if client.Ping(t.Context()).Err() == nil {
			return server.Addr, server.Process
		}
		time.Sleep(50 * time.Millisecond) // a real process: there is nothing else to wait for
	}
	t.Fatalf("%s does not answer at %s", name, server.Addr)
	return "", nil
}

// child is what a process of the fleet does: calls, as fast as it may, and at the end
// the number of them. Its standard input is the leash.
func child(addr string) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	share := must(fleet.NewRate(fleet.Config{Redis: client, Key: "real"}, childRate, childBurst))
	l := limiter.New(share)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	n := 0
	for {
		p, err := l.Acquire(ctx)
		if err != nil {
			break
		}
		n++
		p.Done(limiter.Success)
	}
	share.Close()
	fmt.Println(n)
}

const (
	childEnv   = "TIDEGATE_FLEET_CHILD"
	childRate  = 500
	childBurst = 50
)

// A process that is killed and a Redis that stops, for real. What is asserted holds
// on a machine of any speed: that the quota is never exceeded, and that the others go
// on. Figures are measured by demo/fleet.
func TestProcessesKilledForReal(t *testing.T) {
	addr, server := startRedis(t)
	began := time.Now()
	type process struct {
		cmd   *exec.Cmd
		leash io.WriteCloser
		out   *strings.Builder
	}
	var all []process
	for range 4 {
		p := process{cmd: exec.Command(os.Args[0]), out: &strings.Builder{}}
		p.cmd.Env = append(os.Environ(), childEnv+"="+addr)
		p.cmd.Stdout, p.cmd.Stderr = p.out, os.Stderr
		var err error
		if p.leash, err = p.cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	time.Sleep(2 * time.Second)
	all[0].cmd.Process.Kill()
	all[0].cmd.Wait()
	time.Sleep(2 * time.Second)
	server.Signal(syscall.SIGSTOP)
	time.Sleep(2 * time.Second)
	server.Signal(syscall.SIGCONT)
	time.Sleep(2 * time.Second)
	sum := 0
	for _, p := range all[1:] {
		p.leash.Close()
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("a process ended with %v", err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(p.out.String()))
		if err != nil || n < 100 {
			t.Errorf("a process made %q calls", p.out)
		}
		sum += n
	}
	// The bucket twice, once for the time in which it filled while Redis stood still,
	// and what three processes had in hand.
	most := childRate*time.Since(began).Seconds() + 2*childBurst + 3*childRate/10
	within(t, "calls", float64(sum), 1000, most)
}
