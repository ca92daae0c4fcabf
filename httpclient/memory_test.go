package httpclient_test

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"testing"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/internal/racedetector"
)

// visit sends one request to each of n hosts.
func visit(tr *httpclient.Transport, from, n int) {
	for i := from; i < from+n; i++ {
		u := &url.URL{Scheme: "http", Host: fmt.Sprintf("host%d.example", i)}
		do(tr, &http.Request{Method: "GET", URL: u, Header: http.Header{}})
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// Per-host maps that grow for ever: a crawler meets a million hosts.
func TestMemoryOfHostsIsSmallAndFlat(t *testing.T) {
	const kept = 10_000
	hosts := 1_000_000
	if testing.Short() || racedetector.On {
		hosts = 50_000
	}
	tr := must(httpclient.NewTransport(httpclient.Config{Base: answering(200), MaxHosts: kept}))
	before := heap()
	visit(tr, 0, kept)
	full := heap()
	perHost := (full - before) / kept
	visit(tr, kept, hosts)
	after := heap()
	t.Logf("%.0f bytes a host with limiter and breaker; after %d more hosts %+.1f %%", perHost, hosts, 100*(after-full)/(full-before))
	if n := len(tr.Stats().Hosts); n != kept {
		t.Errorf("%d hosts are remembered, want %d", n, kept)
	}
	if racedetector.On {
		return // the race detector has its own accounts
	}
	if perHost > 4096 {
		t.Errorf("%.0f bytes a host, want at most 4096", perHost)
	}
	if grown := (after - full) / (full - before); grown > 0.1 {
		t.Errorf("the memory has grown by %.0f %%", 100*grown)
	}
}
