package httpclient

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter returns how long the Retry-After header of a response asks to be
// left in peace, at most longest; 0 if it does not ask or cannot be read. Both
// forms of RFC 9110 are understood, a number of seconds and a date.
func retryAfter(h http.Header, now time.Time, longest time.Duration) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) && text[0] != '-':
		return longest
	case err == nil:
		// Compared as seconds, since as nanoseconds the number may overflow.
		if seconds > int64(longest/time.Second) {
			return longest
		}
		return max(0, time.Duration(seconds)*time.Second)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	// A date is by the server's clock, and so is the Date header: taking the
	// one from the other leaves out how wrong that clock is.
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(0, until.Sub(now)), longest)
}
