package simulation

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// A host answers, or fails. What happens to a request follows from the dice that its
// caller has thrown, since two requests may come at the same moment.
type host struct {
	*run
	name     string
	mood     atomic.Pointer[mood]
	inFlight atomic.Int64
	busy     atomic.Int64 // calls that it works on
	ahead    atomic.Int64 // how far its clock is, in nanoseconds

	watch          *watch
	rated          atomic.Bool  // its policy has a rate
	guests         atomic.Int64 // who hold a place
	good, repeated atomic.Int64 // answers; requests
	exchanges      map[*exchange]struct{}
	turns          []turn // of guests, lately
}

// jump sets its clock, at a moment at which a window of the quotas that it speaks of
// ends by the old clock or the new one.
func (h *host) jump(dice *rand.Rand) {
	by := []time.Duration{-time.Hour, -window, -time.Millisecond, time.Millisecond, window, time.Hour}[dice.IntN(6)]
	now := h.clock()
	edge := now.Truncate(window).Add(window)
	if dice.IntN(2) == 0 {
		edge = edge.Add(-by % window)
	}
	time.Sleep(h.alone(dice, edge.Sub(now)))
	h.ahead.Add(int64(by))
}

// window is that of the quotas.
const window = 2 * time.Second

func (h *host) clock() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }

const diceHeader = "Dice"

func diceOf(req *http.Request) *rand.Rand {
	seed, err := strconv.ParseUint(req.Header.Get(diceHeader), 10, 64)
	if err != nil {
		panic(err)
	}
	// A repeated request has another fate.
	return rand.New(rand.NewPCG(seed, uint64(time.Now().UnixNano())))
}

// A mood is how a host is for a while.
type mood struct {
	name    string
	service time.Duration
	places  int     // beyond them it refuses
	faults  float64 // share of answers that go wrong in one of the ways below
}

var moods = []mood{
	{"well", 20 * time.Millisecond, 40, 0.01},
	{"well", 20 * time.Millisecond, 40, 0.01},
	{"slow", 200 * time.Millisecond, 40, 0.02},
	{"small", 20 * time.Millisecond, 4, 0.02},
	{"ill", 30 * time.Millisecond, 40, 0.5},
	{"stalled", time.Hour, 40, 0},
	{"quick to fail", time.Millisecond, 0, 0},
}

var (
	errReset   = errors.New("connection reset by the simulation")
	errOnWay   = errors.New("the body ended too early")
	errOfPanic = "a Base that panics, on purpose"
)

// RoundTrip is the Base of the Transport.
func (h *host) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	h.inFlight.Add(1)
	defer h.inFlight.Add(-1)
	e := errandOf(req)
	e.send(h, req)
	x := h.begin(e, req)
	defer func() { h.headed(x, resp) }()
	if req.Body != nil {
		defer req.Body.Close()
		_, _ = io.Copy(io.Discard, req.Body)
	}
	dice := diceOf(req)
	if err := h.wait(req.Context(), dice, 0); err != nil { // on its way
		return nil, err
	}
	m := h.mood.Load()
	defer h.busy.Add(-1)
	if int(h.busy.Add(1)) > m.places {
		return h.answer(req, dice, []int{502, 503, 429}[dice.IntN(3)], 0), nil
	}
	takes := time.Duration(float64(m.service) * (0.2 + dice.ExpFloat64()*0.8))
	fault, kind := dice.Float64() < m.faults, dice.IntN(8)
	if err := h.wait(req.Context(), dice, takes); err != nil {
		return nil, err
	}
	if !fault {
		h.good.Add(1)
		resp := h.answer(req, dice, []int{http.StatusOK, http.StatusNoContent}[dice.IntN(10)/9], kind)
		if dice.IntN(10) == 0 {
			h.speakOfAQuota(resp.Header, dice)
		}
		return resp, nil
	}
	switch kind {
	case 0:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: errReset}
	case 1:
		return nil, io.ErrUnexpectedEOF
	case 2:
		panic(errOfPanic)
	case 3: // it never answers
		return nil, h.wait(req.Context(), dice, 24*time.Hour)
	case 4:
		resp := h.answer(req, dice, http.StatusTooManyRequests, kind)
		resp.Header.Set("RateLimit", `"simulated";r=`+strconv.Itoa(dice.IntN(20))+`;t=`+strconv.Itoa(1+dice.IntN(3)))
		return resp, nil
	case 5:
		resp := h.answer(req, dice, http.StatusServiceUnavailable, kind)
		seconds := dice.IntN(3)
		resp.Header.Set("Retry-After", strconv.Itoa(seconds))
		errandOf(req).notBefore = h.now() + time.Duration(seconds)*time.Second
		if dice.IntN(2) == 0 {
			h.stamp(resp.Header, dice)
			errandOf(req).notBefore = 0
			resp.Header.Set("Retry-After", h.clock().Add(time.Duration(dice.IntN(3))*time.Second).UTC().Format(http.TimeFormat))
		}
		return resp, nil
	case 6:
		h.good.Add(1)
		resp := h.answer(req, dice, http.StatusOK, kind)
		resp.Header.Set("RateLimit", "nonsense;r=-1;t=NaN")
		resp.Body.(*body).fails = true
		return resp, nil
	default:
		return h.answer(req, dice, http.StatusInternalServerError, kind), nil
	}
}

// speakOfAQuota says what is left of one until the end of a window by the host's clock.
func (h *host) speakOfAQuota(to http.Header, dice *rand.Rand) {
	h.stamp(to, dice)
	to.Set("X-RateLimit-Limit", "100")
	to.Set("X-RateLimit-Remaining", strconv.Itoa(50+dice.IntN(50)))
	to.Set("X-RateLimit-Reset", strconv.FormatInt(h.clock().Truncate(window).Add(window).Unix(), 10))
}

// stamp sets the Date, as most servers do.
func (h *host) stamp(to http.Header, dice *rand.Rand) {
	if dice.IntN(5) > 0 {
		to.Set("Date", h.clock().UTC().Format(http.TimeFormat))
	}
}

func (h *host) answer(req *http.Request, dice *rand.Rand, code, kind int) *http.Response {
	resp := &http.Response{
		StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{}, Request: req,
	}
	if kind == 7 {
		resp.Body = http.NoBody
		return resp
	}
	e := errandOf(req)
	e.open.Add(1)
	resp.Body = &body{host: h, errand: e, dice: dice, ctx: req.Context(), chunks: dice.IntN(4), pause: time.Duration(dice.IntN(20)) * time.Millisecond}
	return resp
}

// wait is like net/http when a context ends.
func (h *host) wait(ctx context.Context, dice *rand.Rand, d time.Duration) error {
	t := time.NewTimer(h.alone(dice, d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
