package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/limiter"
	"github.com/tidegate-go/tidegate/limiter/fleet"
)

// Two processes, here two parts of one, share a quota. Each would run this with the
// address of the fleet's Redis.
func Example() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()

	share, err := fleet.NewRate(fleet.Config{Redis: client, Key: "payments"}, 1000, 100)
	if err != nil {
		panic(err)
	}
	defer share.Close()
	l := limiter.New(limiter.All(share, limiter.Fixed(50)))

	charge := func(context.Context) (string, error) { return "charged", nil }
	fmt.Println(limiter.Do(context.Background(), l, charge))
	// Output: charged <nil>
}

// A quota that may not be exceeded by a single call, by any process.
func ExampleStrict() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	defer client.Close()

	slots, err := fleet.NewStrictSlots(fleet.Config{Redis: client, Key: "exports"}, 2)
	if err != nil {
		panic(err)
	}
	defer slots.Close()
	export := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		release, err := slots.Acquire(ctx)
		if err != nil {
			return err
		}
		defer release()
		return nil // the work goes here
	}
	fmt.Println(export())
	server.Close()
	fmt.Println(errors.Is(export(), fleet.ErrUnavailable))
	// Output:
	// <nil>
	// true
}
