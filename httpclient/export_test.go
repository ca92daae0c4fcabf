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

// Heard returns the number of pieces of evidence that the pacers of t have not
// looked at.
func Heard(t *Transport) (n int) {
	t.hosts.Each(func(_ key, h *host) bool {
		if p := h.pacer.Load(); p != nil {
			p.policy.mu.Lock()
			defer p.policy.mu.Unlock()
			n += len(p.policy.box)
		}
		return true
	})
	return n
}
