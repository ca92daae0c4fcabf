package realservers

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jedib0t/go-pretty/v6/table"
)

// rows collects the table.
type rows struct {
	mu sync.Mutex
	t  table.Writer
}

func (r *rows) add(server, can string, c client, got *tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := "–"
	if c.policy != nil {
		limit = fmt.Sprint(got.limit)
	}
	r.t.AppendRow(table.Row{
		server, can, c.name, got.calls(), got.ok, got.refused, got.failed,
		fmt.Sprintf("%.0f", float64(got.ok)/got.took.Seconds()),
		got.quantile(0.5).Milliseconds(), got.quantile(0.99).Milliseconds(), got.connections, limit,
	})
}

// A setting is a server and what it can do.
type setting struct {
	name, can string
	url       func(t *testing.T, o *origin) string
	clients   []client // the first is bare

	streams bool // the calls share connections

	// gentle says what the wrapped clients may bring upon themselves, as a share of
	// what the bare one does, and none of it if they have been told the number.
	gentle float64
}

const (
	callers = 64
	each    = 15
)

// TestTable calls each server with the client bare and wrapped. What is asserted holds on
// a machine of any speed: counts, and that the wrapped clients are refused less.
func TestTable(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	all := &rows{t: table.NewWriter()}
	all.t.SetStyle(table.StyleLight)
	all.t.AppendHeader(table.Row{"server", "can do", "client", "calls", "ok", "refused", "failed", "ok/s", "p50 ms", "p99 ms", "connections", "limit"})
	for _, s := range settings() {
		t.Run(s.name, func(t *testing.T) {
			o := startOrigin(t)
			url := s.url(t, o)
			got := map[string]*tally{}
			for _, c := range s.clients {
				got[c.name] = load(t, c, url, o, callers, each)
				all.add(s.name, s.can, c, got[c.name])
			}
			against := float64(got[bare.name].refused + got[bare.name].failed)
			if s.gentle < 1 && against == 0 {
				t.Error("the bare client was not refused, so there is nothing to show")
			}
			for _, c := range s.clients[1:] {
				if s.streams && got[c.name].connections > 1 {
					t.Errorf("%s: %d connections, want 1", c.name, got[c.name].connections)
				}
				if r := got[c.name]; float64(r.refused+r.failed) > s.gentle*against {
					t.Errorf("%s: %d refused and %d failed; bare: %.0f", c.name, r.refused, r.failed, against)
				}
			}
		})
	}
	t.Run("postgres", func(t *testing.T) { slots(t, all) })
	if testing.Verbose() {
		all.t.SetOutputMirror(os.Stdout)
		all.t.Render()
	}
}

func settings() []setting {
	pacedBy429 := adaptive
	pacedBy429.name = "adaptive, paced"
	fixed10 := fixed(10)
	return []setting{
		{name: "nginx limit_conn", can: "8 at once, then 503", url: nginx("limit_conn all 8;"), clients: []client{bare, fixed(8), adaptive}, gentle: 0.25},
		{name: "nginx limit_req", can: "200/s, burst 20, then 429", url: nginx("limit_req zone=rate burst=20 nodelay;"), clients: []client{bare, pacedBy429}, gentle: 0.5},
		{name: "nginx limit_req, queue", can: "200/s, 40 wait, then 429", url: nginx("limit_req zone=rate burst=40;"), clients: []client{bare, pacedBy429}, gentle: 0.5},
		{name: "nginx max_conns", can: "8 connections, then 502", url: nginx("proxy_pass http://few;"), clients: []client{bare, fixed(8), adaptive}, gentle: 0.5},
		{name: "HAProxy maxconn", can: "8 at once, 0.1 s in its queue, then 503", url: haproxy, clients: []client{bare, fixed(8), adaptive}, gentle: 0.5},
		{name: "nginx HTTP/2", can: "10 streams a connection", url: nginxStreams, clients: []client{bare, fixed10}, gentle: 1, streams: true},
	}
}
