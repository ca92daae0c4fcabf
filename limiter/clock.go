package limiter

import "time"

// clock reads the time at about half the price of time.Now: the time that has
// passed since a fixed instant needs the monotonic clock alone. The instant is
// renewed every second, so that the wall reading follows the system's clock.
type clock struct{ epoch time.Time }

func (c *clock) read() time.Time {
	d := time.Since(c.epoch)
	if d < 0 || d >= time.Second {
		c.epoch, d = time.Now(), 0
	}
	return c.epoch.Add(d)
}

func latest(t time.Time, more ...time.Time) time.Time {
	for _, u := range more {
		if u.After(t) {
			t = u
		}
	}
	return t
}
