package origin

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The answer to a lone request takes the network and the service time, and the
// workers are free again before it has arrived.
func TestTheNetworkTakesTimeAndNoCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const service, network = 10 * time.Millisecond, 50 * time.Millisecond
		p := newPool(Config{Workers: 2, Service: service, Network: network})
		begin := time.Now()
		var ended []time.Duration
		for range 10 {
			ticket, _ := p.enter()
			<-ticket.done
			ended = append(ended, time.Since(begin))
			p.leave(ticket, false)
		}
		if got, want := ended[9], 10*(service+network); got != want {
			t.Errorf("ten requests, one after another, take %v, want %v", got, want)
		}
		begin = time.Now()
		var line []*ticket
		for range 100 {
			ticket, _ := p.enter()
			line = append(line, ticket)
		}
		if s := p.stats(); s.Queued != 0 || s.MaxQueued != 98 {
			t.Errorf("on the way: %+v, want none queued yet and 98 by the time of arrival", s)
		}
		time.Sleep(network/2 + service/2)
		if s := p.stats(); s.Queued != 98 || s.Busy != 10*service+2*service/2 {
			t.Errorf("with two being worked on: %+v", s)
		}
		<-line[99].done
		if got, want := time.Since(begin), network+50*service; got != want {
			t.Errorf("a hundred requests at once take %v, want %v", got, want)
		}
	})
}

func TestAFullQueueIsFullWhenTheRequestArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(Config{Workers: 1, Queue: 1, Service: 10 * time.Millisecond, Network: 50 * time.Millisecond})
		for i := range 3 {
			if ticket, _ := p.enter(); (ticket != nil) != (i < 2) {
				t.Errorf("request %d: %v", i, ticket)
			}
		}
		// The first has been worked on by then, though its answer is on its way.
		time.Sleep(10 * time.Millisecond)
		if ticket, _ := p.enter(); ticket == nil {
			t.Error("a request that finds a free place when it arrives was refused")
		}
		p.shed()
	})
}

func TestAQuotaLetsInSoManyPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(Config{Workers: 100, Service: time.Millisecond, Quota: 200})
		accepted := 0
		for range 10_000 { // 1,000 per second for 10 s
			time.Sleep(time.Millisecond)
			if ticket, why := p.enter(); ticket != nil {
				accepted++
				go func() { <-ticket.done; p.leave(ticket, false) }()
			} else if !why.quota || why.wait != 5*time.Millisecond {
				t.Fatalf("refused with %+v", why)
			}
		}
		if accepted < 2000 || accepted > 2000+20 {
			t.Errorf("%d of 10,000 were let in, want 200 per second and a burst of 20", accepted)
		}
		time.Sleep(time.Second)
	})
}

func TestAnExceededQuotaAnswers429WithRetryAfter(t *testing.T) {
	o := start(t, Config{Quota: 10, Network: 20 * time.Millisecond})
	client := newClient(t, 0)
	ctx := testContext(t)
	limited := 0
	for range 5 {
		begin := time.Now()
		status, header, err := get(ctx, client, o.URL())
		if took := time.Since(begin); took < 20*time.Millisecond {
			t.Errorf("an answer %d came after %v, and the network takes 20ms", status, took)
		}
		switch status {
		case http.StatusOK:
		case http.StatusTooManyRequests:
			limited++
			if s, err := strconv.Atoi(header.Get("Retry-After")); err != nil || s < 1 {
				t.Errorf("Retry-After is %q", header.Get("Retry-After"))
			}
		default:
			t.Errorf("%d, %v", status, err)
		}
	}
	if s := stats(t, o); limited == 0 || s.Rejected != int64(limited) {
		t.Errorf("the callers saw %d refused, the origin %+v", limited, s)
	}
}

// A client does not know the limit before the first answer and sends too much
// on its first connection. What is refused there it tries again after a second,
// which is longer than the timeout, though the workers have nothing to do.
func TestTooManyStreamsAtOnceTimeOutAndFewDoNot(t *testing.T) {
	c := Config{Workers: 1000, Service: 20 * time.Millisecond, Streams: 8}
	o := start(t, c)
	for _, tt := range []struct {
		atOnce   int
		timeouts bool
	}{{8, false}, {200, true}} {
		transport := c.Transport()
		client := &http.Client{Transport: transport, Timeout: 900 * time.Millisecond}
		var failed atomic.Int64
		var calls sync.WaitGroup
		for range tt.atOnce {
			calls.Go(func() {
				if status, _, _ := get(testContext(t), client, o.URL()); status != http.StatusOK {
					failed.Add(1)
				}
			})
		}
		calls.Wait()
		transport.CloseIdleConnections()
		if (failed.Load() > 0) != tt.timeouts {
			t.Errorf("%d at once: %d failed, the origin %+v", tt.atOnce, failed.Load(), stats(t, o))
		}
	}
}

func TestASmallBacklogKeepsNoConnectionAlive(t *testing.T) {
	if !canSetBacklog {
		t.Skip("this system cannot change the backlog")
	}
	o := start(t, Config{Backlog: 16})
	client := newClient(t, 0)
	for range 3 {
		if status, _, err := get(testContext(t), client, o.URL()); status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	if s := stats(t, o); s.Connections != 3 {
		t.Errorf("%d connections for 3 requests", s.Connections)
	}
}

func TestEveryMechanismIsNamed(t *testing.T) {
	for m, want := range map[Mechanism]string{
		Slow: "slow service", Queue: "bounded queue", Quota: "quota: 400 per second",
		Backlog: "small backlog", Streams: "HTTP/2 stream limit",
	} {
		c := Config{}.With(m)
		if ms := c.Mechanisms(); len(ms) != 1 || ms[0] != m || !strings.Contains(c.String(), want) {
			t.Errorf("%s: %v, %s", m, ms, c)
		}
	}
	if c := (Config{Queue: 3}).With(Queue); c.Queue != 3 {
		t.Errorf("the given queue became %d", c.Queue)
	}
}
