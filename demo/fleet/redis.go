package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// leash has a shell become the server, and the shell's child kill it when the standard
// input ends: as it does when this process is killed, which defers do not outlive.
const leash = `exec 3<&0
(read -r _ <&3; kill -9 $$; rmdir "$0") &
exec "$@" 3<&- </dev/null`

// startRedis finds or starts a Redis and says which.
func startRedis(ctx context.Context, given string) (addr, what string, end func(), err error) {
	if given != "" {
		return given, "Redis at " + given, func() {}, answers(ctx, given)
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		path, err = exec.LookPath("valkey-server")
	}
	if err != nil {
		stand := miniredis.NewMiniRedis()
		if err := stand.Start(); err != nil {
			return "", "", nil, err
		}
		return stand.Addr(), "a stand-in for Redis (apt-get install redis-server for a real one)", stand.Close, nil
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, err
	}
	addr = free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return "", "", nil, err
	}
	cmd := exec.Command("sh", "-c", leash, dir, path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", dir)
	hold, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", "", nil, err
	}
	end = func() {
		hold.Close()
		cmd.Wait()
		os.RemoveAll(dir)
	}
	if err := answers(ctx, addr); err != nil {
		end()
		return "", "", nil, err
	}
	return addr, "a " + filepath.Base(path) + " of its own", end, nil
}

// answers waits until there is a Redis at addr.
func answers(ctx context.Context, addr string) error {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	var err error
	for range 50 {
		if err = client.Ping(ctx).Err(); err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("no Redis answers at %s: %w", addr, err)
}

// scripts returns how many scripts Redis has run.
func scripts(ctx context.Context, addr string) (n float64) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	for line := range strings.Lines(client.Info(ctx, "commandstats").Val()) {
		if rest, ok := strings.CutPrefix(line, "cmdstat_evalsha:calls="); ok {
			calls, _, _ := strings.Cut(rest, ",")
			n, _ = strconv.ParseFloat(calls, 64)
		}
	}
	return n
}
