package page

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// A file may have been made by another version, by hand, or by somebody with a grudge.
func FuzzFileBreaksTheReport(f *testing.F) {
	d := document(60, 1)
	d.Runs = d.Runs[:2]
	text, err := json.Marshal(d)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":1,"kind":"sweep","points":[{"limit":-1},{"limit":1e308}]}`))
	f.Add([]byte(`{"schema":1,"sleep_sweep":{"rows":[null]}}`))
	f.Add([]byte(`{"schema":1,"kind":"run","runs":[{"label":"</script><script>","wall":-1e300}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		if err != nil {
			return
		}
		var page strings.Builder
		if err := Write(&page, Input{Files: []File{file}}); err != nil {
			return
		}
		if n := strings.Count(page.String(), "<script"); n != 3 {
			t.Errorf("%d scripts in the page, want 3", n)
		}
		if err := Write(io.Discard, Input{Files: []File{file, file}}); err != nil {
			t.Errorf("once it can be shown and twice not: %v", err)
		}
	})
}
