package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryIsWhatIsLeftOfTheLesser(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
		ok    bool
	}{
		{"nothing is told", nil, 0, false},
		{"the machine alone", map[string]string{"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   4 kB\n"}, 4096, true},
		{"no number", map[string]string{"proc/meminfo": "MemAvailable: x kB\n"}, 0, false},
		{"a group with a limit", map[string]string{
			"proc/meminfo": "MemAvailable: 4 kB\n", "sys/fs/cgroup/memory.max": "2000\n", "sys/fs/cgroup/memory.current": "500\n",
		}, 1500, true},
		{"a group without one", map[string]string{
			"proc/meminfo": "MemAvailable: 4 kB\n", "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "500\n",
		}, 4096, true},
		{"an old group that is full", map[string]string{
			"proc/meminfo": "MemAvailable: 4 kB\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000", "sys/fs/cgroup/memory/memory.usage_in_bytes": "2500",
		}, 0, true},
	} {
		root := t.TempDir()
		for name, text := range tt.files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := memory(root); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %d, %v, want %d, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
