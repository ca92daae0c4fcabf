package fleet_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tidegate-go/tidegate/limiter/fleet"
)

func TestBadConfigurationNamesItsField(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	good := fleet.Config{Redis: client, Key: "quota"}
	with := func(change func(*fleet.Config)) fleet.Config {
		c := good
		change(&c)
		return c
	}
	rate := func(c fleet.Config, perSecond float64, burst int) error {
		s, err := fleet.NewRate(c, perSecond, burst)
		if err == nil {
			s.Close()
		}
		return err
	}
	for field, err := range map[string]error{
		"Config.Redis":    rate(fleet.Config{Key: "quota"}, 1, 1),
		"Config.Key":      rate(fleet.Config{Redis: client}, 1, 1),
		"Config.Renew":    rate(with(func(c *fleet.Config) { c.Renew = 1 }), 1, 1),
		"Config.Lease":    rate(with(func(c *fleet.Config) { c.Renew, c.Lease = time.Second, 2*time.Second }), 1, 1),
		"Config.Hold":     rate(with(func(c *fleet.Config) { c.Hold = -1 }), 1, 1),
		"Config.Fallback": rate(with(func(c *fleet.Config) { c.Fallback = 2 }), 1, 1),
		"Config.MaxWait":  rate(with(func(c *fleet.Config) { c.MaxWait = -1 }), 1, 1),
		"perSecond":       rate(good, math.NaN(), 1),
		"burst":           rate(good, 1000, 99), // less than comes in a renewal
		"n":               func() error { _, err := fleet.NewSlots(good, 0); return err }(),
	} {
		var c *fleet.ConfigError
		if !errors.As(err, &c) || c.Field != field {
			t.Errorf("want a ConfigError of %s, got %v", field, err)
		}
	}
}
