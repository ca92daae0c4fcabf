package fleet_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(childEnv); addr != "" {
		child(addr)
		return
	}
	redis.SetLogger(&logging.VoidLogger{}) // it reports each attempt to reach a Redis that is away
	goleak.VerifyTestMain(m)
}

// A bed is a Redis in the memory of the test and the processes of a fleet, all in
// virtual time.
type bed struct {
	t        *testing.T
	server   *miniredis.Miniredis
	away     atomic.Bool  // no connection is answered
	commands atomic.Int64 // scripts that were run
	members  []*member
	clients  []*redis.Client
	callers  sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc
}

// A member is one process.
type member struct {
	share   *fleet.Share
	limiter *limiter.Limiter
	done    atomic.Int64
	cut     atomic.Bool
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, server: miniredis.NewMiniRedis()}
	b.server.ClockTTL(true)
	b.ctx, b.stop = context.WithCancel(t.Context())
	return b
}

// client returns a client of a process that may be cut off.
func (b *bed) client(cut *atomic.Bool) *redis.Client {
	client := redis.NewClient(&redis.Options{
		Addr:       "127.0.0.1:1", // never dialled, but looked up if it were a name
		MaxRetries: -1, DialerRetries: 1,
		ContextTimeoutEnabled: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if b.away.Load() || cut.Load() {
				return nil, io.ErrClosedPipe
			}
			c, err := b.server.Dial()
			return &cuttable{Conn: c, bed: b, cut: cut}, err
		},
	})
	b.clients = append(b.clients, client)
	return client
}

// A cuttable connection takes what is written to it and answers nothing for as long
// as Redis is away or its process cut off.
type cuttable struct {
	net.Conn
	bed *bed
	cut *atomic.Bool
}

func (c *cuttable) Write(p []byte) (int, error) {
	if c.bed.away.Load() || c.cut.Load() {
		return len(p), nil
	}
	c.bed.commands.Add(1)
	return c.Conn.Write(p)
}

func (b *bed) rate(c fleet.Config, perSecond float64, burst int) *member {
	return b.join(c, func(c fleet.Config) (*fleet.Share, error) { return fleet.NewRate(c, perSecond, burst) })
}

func (b *bed) slots(c fleet.Config, n int) *member {
	return b.join(c, func(c fleet.Config) (*fleet.Share, error) { return fleet.NewSlots(c, n) })
}

func (b *bed) join(c fleet.Config, create func(fleet.Config) (*fleet.Share, error)) *member {
	b.t.Helper()
	m := &member{}
	client := b.client(&m.cut)
	c.Redis, c.Key = client, "quota"
	if c.ID == "" {
		c.ID = fmt.Sprint("process ", len(b.members))
	}
	share, err := create(c)
	if err != nil {
		b.t.Fatal(err)
	}
	m.share, m.limiter = share, limiter.New(share)
	b.members = append(b.members, m)
	return m
}

// calls has the process make calls that last for long: as many as perSecond at random
// times, or, if that is 0, one after the other from so many callers.
func (b *bed) calls(m *member, perSecond float64, callers int, long time.Duration) {
	call := func() {
		p, err := m.limiter.Acquire(b.ctx)
		if err != nil {
			return
		}
		m.done.Add(1)
		time.Sleep(long)
		p.Done(limiter.Success)
	}
	if perSecond > 0 {
		random := rand.New(rand.NewPCG(uint64(len(b.members)), 1))
		b.callers.Go(func() {
			for b.ctx.Err() == nil {
				time.Sleep(time.Duration(random.ExpFloat64() / perSecond * float64(time.Second)))
				b.callers.Go(call)
			}
		})
		return
	}
	for range callers {
		b.callers.Go(func() {
			for b.ctx.Err() == nil {
				call()
			}
		})
	}
}

// during returns how many calls each process starts within the time.
func (b *bed) during(d time.Duration) (each []float64, sum float64) {
	before := make([]int64, len(b.members))
	for i, m := range b.members {
		before[i] = m.done.Load()
	}
	time.Sleep(d)
	for i, m := range b.members {
		n := float64(m.done.Load() - before[i])
		each = append(each, n)
		sum += n
	}
	return each, sum
}

// end stops the calls, and then the processes.
func (b *bed) end() {
	b.stop()
	b.callers.Wait()
	for _, m := range b.members {
		m.share.Close()
	}
	for _, c := range b.clients {
		c.Close()
	}
	time.Sleep(10 * time.Second) // time-outs of clients that were cut off
	b.server.Close()
}

// jain is Jain's index of fairness: 1 is equal.
func jain(xs []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, x := range xs {
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(xs)) * squares)
}

// inBed runs a test in virtual time.
func inBed(t *testing.T, test func(t *testing.T, b *bed)) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t)
		test(t, b)
		b.end()
	})
}

func within(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	t.Logf("%s: %.4g", what, got)
	if !(least <= got && got <= most) {
		t.Errorf("%s is %.4g, want %v to %v", what, got, least, most)
	}
}
