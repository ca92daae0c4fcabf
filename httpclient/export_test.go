package httpclient

// Waiting returns the number of waits that t would end if breakers opened.
func Waiting(t *Transport) (n int) {
	t.hosts.Each(func(_ key, h *host) bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		n += len(h.waiting)
		return true
	})
	return n
}
