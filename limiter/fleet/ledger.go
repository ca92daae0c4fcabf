package fleet

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// A request is what a process tells the ledger at a renewal.
type request struct {
	demand float64 // calls per second, or slots, that it could use
	leaves bool

	// Of a rate.
	ask   int64 // tokens it wants; negative: gives back
	spent int64 // tokens it has used without being lent them, since it last heard
	heard reply // what it last heard

	// Of slots.
	used  int64 // slots that calls hold
	has   int64 // slots that it may use until it hears again
	claim int64 // slots that it may have while the ledger does not know who has what
}

// A reply is what the ledger says.
type reply struct {
	lent     int64 // tokens, or the slots that it has until the next renewal
	members  int
	share    float64 // its part of the rate, should the ledger be away
	overflow float64 // tokens that have run over in the life of the account; negative: never heard
}

// A ledger keeps the account of one limit. The one in Redis is the only one outside
// of tests.
type ledger interface {
	renew(ctx context.Context, r request) (reply, error)
}

var (
	//go:embed rate.lua
	rateLua    string
	rateScript = redis.NewScript(rateLua)

	//go:embed slots.lua
	slotsLua    string
	slotsScript = redis.NewScript(slotsLua)
)

// redisRate is the account of a rate.
type redisRate struct {
	redis        redis.Scripter
	keys         []string
	id           string
	rate         float64
	burst        int
	lease, every time.Duration
}

func (l *redisRate) renew(ctx context.Context, r request) (reply, error) {
	return answer(rateScript.Run(ctx, l.redis, l.keys, l.id, l.rate, l.burst, l.lease.Microseconds(), l.every.Microseconds(),
		r.demand, r.ask, r.spent, r.heard.overflow, r.heard.share, r.leaves).Slice())
}

// redisSlots is the account of slots.
type redisSlots struct {
	redis        redis.Scripter
	keys         []string
	id           string
	slots        int
	lease, every time.Duration
}

func (l *redisSlots) renew(ctx context.Context, r request) (reply, error) {
	return answer(slotsScript.Run(ctx, l.redis, l.keys, l.id, l.slots, l.lease.Microseconds(), l.every.Microseconds(),
		int64(r.demand), r.used, r.has, r.claim, r.leaves).Slice())
}

// keysOf is the name of the account in Redis.
func keysOf(key, kind string) []string { return []string{key + ":" + kind} }

// answer reads what a script has returned: tokens or slots, members, and of a rate the
// share and the overflow.
func answer(values []any, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	var a reply
	ok := len(values) >= 2
	if ok {
		a.lent, ok = values[0].(int64)
	}
	if ok {
		var n int64
		n, ok = values[1].(int64)
		a.members = int(n)
	}
	for i, into := range []*float64{&a.share, &a.overflow} {
		if ok && len(values) > 2+i {
			text, _ := values[2+i].(string)
			*into, err = strconv.ParseFloat(text, 64)
			ok = err == nil
		}
	}
	if !ok {
		return reply{}, fmt.Errorf("fleet: Redis answered %v, which is no reply of our script", values)
	}
	return a, nil
}
