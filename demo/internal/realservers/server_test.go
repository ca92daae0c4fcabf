package realservers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// An origin does what it is asked in 20 ms and keeps a list.
type origin struct {
	addr string
	mu   sync.Mutex
	done map[string]int // calls, by the name that the client gave them
}

const work = 20 * time.Millisecond

func startOrigin(t *testing.T) *origin {
	o := &origin{done: map[string]int{}}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		o.mu.Lock()
		o.done[req.Header.Get("Call")]++
		o.mu.Unlock()
		time.Sleep(work)
		fmt.Fprintln(w, "done")
	}))
	s.Start()
	t.Cleanup(s.Close)
	o.addr = s.Listener.Addr().String()
	return o
}

// times is how often a call has reached the origin.
func (o *origin) times(call string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done[call]
}

// program finds what is to be run.
func program(t *testing.T, name, packaged string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	missing := name + " is not installed: apt-get install " + packaged
	if os.Getenv("TIDEGATE_REQUIRE_REAL") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// free returns a loopback address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a server with a configuration, in which $dir, $addr and $origin stand for
// what they are, until the test ends.
func start(t *testing.T, path, config, addr, origin string, args func(config string) []string) {
	t.Helper()
	dir := t.TempDir()
	text := strings.NewReplacer("$dir", dir, "$addr", addr, "$origin", origin).Replace(config)
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args(file)...)
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	endsWithUs(cmd)
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) { // a real process: there is nothing else to wait for
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", path, said.String())
		default:
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("%s does not listen on %s", path, addr)
		}
	}
}
