package origin

import (
	"strings"
	"sync"
)

// maxTail is how many bytes of the child's standard error are kept: enough for
// a panic with the trace of the goroutine that it happened in.
const maxTail = 8 << 10

// tail is an io.Writer that keeps the last maxTail bytes, which is where the
// reason for an exit stands, so that a child that logs without end costs its
// parent no memory. The zero value is ready for use, and tail is safe for
// concurrent use.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

// Write never fails: an error would make os/exec stop reading, and the child
// would then block on a full pipe.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
