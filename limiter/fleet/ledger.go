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
	spent int64 // tokens it has used without being lent them, while the ledger was away

	// Of slots.
	used  int64 // slots that calls hold
	claim int64 // slots that it believes it has
}

// A reply is what the ledger says.
type reply struct {
	lent    int64   // tokens, or the slots that it has until the next renewal
	share   float64 // its part of the rate, should the ledger be away
	members int
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
		r.demand, r.ask, r.spent, r.leaves).Slice())
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
		int64(r.demand), r.used, r.claim, r.leaves).Slice())
}

// keysOf are the names of the hashes; the braces keep them in one slot of a cluster.
func keysOf(key string, names ...string) (keys []string) {
	for _, name := range names {
		keys = append(keys, "{"+key+"}:"+name)
	}
	return keys
}

// answer reads what a script has returned: tokens or slots, perhaps a share, members.
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
		n, ok = values[len(values)-1].(int64)
		a.members = int(n)
	}
	if ok && len(values) == 3 {
		var text string
		if text, ok = values[1].(string); ok {
			a.share, err = strconv.ParseFloat(text, 64)
			ok = err == nil
		}
	}
	if !ok {
		return reply{}, fmt.Errorf("fleet: Redis answered %v, which is no reply of our script", values)
	}
	return a, nil
}
