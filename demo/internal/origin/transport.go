package origin

import "net/http"

// Transport returns a new client transport that speaks what the origin of c
// does. It keeps as many connections alive as are in use; with Streams it is
// net/http's own HTTP/2. It never uses a proxy: the load must not leave the
// machine. Set its fields before its first use.
func (c Config) Transport() *http.Transport {
	t := &http.Transport{MaxIdleConnsPerHost: maxIdle}
	if c.Streams > 0 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return t
}

// maxIdle is more than any client of the harness has in flight.
const maxIdle = 1 << 20
