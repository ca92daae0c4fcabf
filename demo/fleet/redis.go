package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/internal/redisserver"
)

// startRedis finds or starts a Redis and says which.
func startRedis(ctx context.Context, given string) (addr, what string, end func(), err error) {
	if given != "" {
		return given, "Redis at " + given, func() {}, answers(ctx, given)
	}
	path := redisserver.Find()
	if path == "" {
		stand := miniredis.NewMiniRedis()
		if err := stand.Start(); err != nil {
			return "", "", nil, err
		}
		return stand.Addr(), "a stand-in for Redis (apt-get install redis-server for a real one)", stand.Close, nil
	}
	server, err := redisserver.Start(path)
	if err != nil {
		return "", "", nil, err
	}
	if err := answers(ctx, server.Addr); err != nil {
		server.Close()
		return "", "", nil, err
	}
	return server.Addr, "a " + filepath.Base(path) + " of its own", server.Close, nil
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
