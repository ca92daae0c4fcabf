package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// An order is what a process of the fleet is told when it starts.
type order struct {
	Mode    string
	URL     string
	Redis   string
	Quota   float64
	Among   int
	Wants   float64 // calls per second; 0: all it can get
	Callers int
}

// An account is what it answers when it is asked, by a line on its standard input.
type account struct{ Admitted, Refused, Failed int64 }

const childEnv = "TIDEGATE_FLEET_PROCESS"

// A process is one of the fleet, as the parent sees it. It ends with its input.
type process struct {
	cmd   *exec.Cmd
	ask   io.WriteCloser
	lines *bufio.Reader
}

func startProcess(o order) (*process, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	p.cmd.Stderr = os.Stderr
	if p.ask, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.lines = bufio.NewReader(out)
	return p, p.cmd.Start()
}

func (p *process) account() (a account, err error) {
	if _, err := io.WriteString(p.ask, "\n"); err != nil {
		return a, err
	}
	line, err := p.lines.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

func (p *process) end() {
	p.ask.Close()
	_ = p.cmd.Wait() // how it ended is seen in what it has accounted for
}

// childMain is the whole program in a process of the fleet; in the parent it returns.
func childMain() {
	text := os.Getenv(childEnv)
	if text == "" {
		return
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fail(1, err)
	}
	l, end, err := o.limiter()
	if err != nil {
		fail(1, err)
	}
	var a account
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	// A terminal's Ctrl-C goes to the parent, too, which ends its children.
	go call(ctx, &o, l, &a)
	for in := bufio.NewReader(os.Stdin); ; {
		if _, err := in.ReadBytes('\n'); err != nil {
			break
		}
		text, _ := json.Marshal(account{atomic.LoadInt64(&a.Admitted), atomic.LoadInt64(&a.Refused), atomic.LoadInt64(&a.Failed)})
		fmt.Println(string(text))
	}
	cancel()
	end()
	os.Exit(0)
}

// limiter is what the process obeys.
func (o *order) limiter() (l *limiter.Limiter, end func(), err error) {
	switch o.Mode {
	case "none":
		return limiter.New(limiter.Rate(rate.Limit(o.Quota), max(1, int(o.Quota/10)))), func() {}, nil
	case "parts":
		part := o.Quota / float64(o.Among)
		return limiter.New(limiter.Rate(rate.Limit(part), max(1, int(part/10)))), func() {}, nil
	}
	client := redis.NewClient(&redis.Options{Addr: o.Redis})
	share, err := fleet.NewRate(fleet.Config{Redis: client, Key: "demo"}, o.Quota, max(1, int(o.Quota/10)))
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return limiter.New(share), func() {
		share.Close()
		client.Close()
	}, nil
}

// call makes the calls of the process until the context ends.
func call(ctx context.Context, o *order, l *limiter.Limiter, a *account) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.Callers}, Timeout: 5 * time.Second}
	one := func() {
		p, err := l.Acquire(ctx)
		if err != nil {
			return
		}
		defer p.Release()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
		if err != nil {
			atomic.AddInt64(&a.Failed, 1)
			return
		}
		resp, err := client.Do(req)
		if err != nil {
			atomic.AddInt64(&a.Failed, 1)
			return
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		switch {
		case err != nil:
			atomic.AddInt64(&a.Failed, 1)
		case resp.StatusCode == http.StatusOK:
			atomic.AddInt64(&a.Admitted, 1)
		default:
			atomic.AddInt64(&a.Refused, 1)
		}
	}
	if o.Wants == 0 {
		for range o.Callers {
			go func() {
				for ctx.Err() == nil {
					one()
				}
			}()
		}
		return
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.Wants))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			go one()
		case <-ctx.Done():
			return
		}
	}
}
