package httpclient_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

// A server that lets 10 streams share a connection, and 100 callers: bare
// net/http dials 100 connections and more.
func TestLimitFitsTheStreamsOfOneHTTP2Connection(t *testing.T) {
	var conns atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "hello")
	}))
	s.EnableHTTP2 = true
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 10}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	client, tr := around(t, s, httpclient.Config{Limiter: fixed(10)})
	resp, err := client.Get(s.URL) // before it, nobody knows of HTTP/2
	drain(t, resp, err)
	start := time.Now()
	var failed atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			resp, err := client.Get(s.URL)
			if err != nil {
				failed.Add(1)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		})
	}
	wg.Wait()
	t.Logf("%d connections, %d failed, in %v", conns.Load(), failed.Load(), time.Since(start).Round(time.Millisecond))
	if conns.Load() != 1 || failed.Load() != 0 || only(t, tr).Limiter.PeakInFlight != 10 {
		t.Errorf("%d connections, %d failed, want 1 and 0", conns.Load(), failed.Load())
	}
}

// Nothing of a request body is kept in memory.
func TestRequestBodyIsNotBuffered(t *testing.T) {
	read := 0
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		if read != 0 {
			t.Errorf("%d bytes were read before the base asked for any", read)
		}
		n, _ := io.Copy(io.Discard, req.Body)
		req.Body.Close()
		if n != 64<<10 {
			t.Errorf("%d bytes arrived", n)
		}
		return response(req, 200), nil
	}), func(c *httpclient.Config) { c.Retry.Attempts = 3 })
	body := readerFunc(func(p []byte) (int, error) {
		n := min(len(p), 64<<10-read)
		read += n
		if n == 0 {
			return 0, io.EOF
		}
		return n, nil
	})
	do(tr, must(http.NewRequestWithContext(t.Context(), "POST", target, body)))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A permit given back at the head let 20 slow streams through a limit of 2.
func TestNoMoreSlowBodiesAreOpenThanTheLimit(t *testing.T) {
	var open, peak atomic.Int64
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := open.Add(1)
		for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
		}
		for range 5 {
			fmt.Fprintln(w, "a line")
			w.(http.Flusher).Flush()
			time.Sleep(2 * time.Millisecond)
		}
		open.Add(-1)
	})
	client, tr := around(t, s, httpclient.Config{Limiter: fixed(2)})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			resp, err := client.Get(s.URL)
			drain(t, resp, err)
		})
	}
	wg.Wait()
	if n := only(t, tr).Limiter.PeakInFlight; peak.Load() > 2 || n > 2 {
		t.Errorf("%d open at the server, %d in flight, want at most 2", peak.Load(), n)
	}
}

const nginxConfig = `
daemon off; master_process off; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  limit_conn_zone $server_name zone=all:1m;
  limit_conn_log_level info;
  upstream backend { server %[3]s; keepalive 64; }
  server {
    listen %[2]s; server_name x; keepalive_requests 1000000;
    location / { limit_conn all 8; proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`

// nginx serves 8 requests at once and answers 503 to all others.
func TestNginxWithAConnectionLimit(t *testing.T) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("TIDEGATE_REQUIRE_REAL") != "" {
			t.Fatal("nginx is required and not installed (apt-get install nginx-light)")
		}
		t.Skip("nginx is not installed (apt-get install nginx-light)")
	}
	backend := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "hello")
	})
	free := must(net.Listen("tcp", "127.0.0.1:0"))
	address := free.Addr().String()
	free.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, dir, address, backend.Listener.Addr())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", config, "-p", dir, "-e", "stderr")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		if time.Since(start) > 10*time.Second {
			t.Fatal("nginx does not listen")
		}
	}

	// run has 64 callers send requests for d and counts answers after warm-up.
	run := func(c httpclient.Config, warmUp, d time.Duration) (perSecond, refused float64, limit int) {
		client := must(httpclient.New(c))
		defer client.CloseIdleConnections()
		var ok, no, limits atomic.Int64
		begin := time.Now().Add(warmUp)
		ctx, stop := context.WithDeadline(t.Context(), begin.Add(d))
		defer stop()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for ctx.Err() == nil {
					resp, err := client.Do(must(http.NewRequestWithContext(ctx, "GET", "http://"+address+"/", nil)))
					if err != nil {
						continue
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if time.Now().Before(begin) {
						continue
					}
					if resp.StatusCode == 200 {
						ok.Add(1)
					} else {
						no.Add(1)
					}
				}
			})
		}
		wg.Wait()
		s := client.Transport.(*httpclient.Transport).Stats().Hosts[0]
		limits.Store(int64(s.Limiter.Limit))
		return float64(ok.Load()) / d.Seconds(), float64(no.Load()) / float64(ok.Load()+no.Load()), int(limits.Load())
	}
	off := httpclient.Breaker{Disabled: true}
	uncapped, refusedBare, _ := run(httpclient.Config{Breaker: off, Policy: func(string) limiter.Policy { return nil }}, 0, time.Second)
	best, refusedBest, _ := run(httpclient.Config{Breaker: off, Policy: func(string) limiter.Policy { return limiter.Fixed(8) }}, time.Second/2, 2*time.Second)
	adaptive, refused, limit := run(httpclient.Config{Breaker: off}, 2*time.Second, 6*time.Second)
	t.Logf("uncapped %.0f/s, %.1f %% refused; fixed 8 %.0f/s, %.2f %%; adaptive %.0f/s (%.1f %% of it), %.2f %%, limit %d",
		uncapped, 100*refusedBare, best, 100*refusedBest, adaptive, 100*adaptive/best, 100*refused, limit)
	// How fast each is depends on what else the machine does; see the log.
	if refused > 0.05 || refusedBare < 0.5 {
		t.Error("adaptive does not find the connection limit")
	}
}
