// Package machine reads what this machine has room for. Where the system does
// not tell, it says so and does not guess.
package machine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Memory returns how many bytes this program could still use without making the
// machine swap or the kernel end it: what Linux says is available, or what is
// left of the control group if that is less. It reports false where the system
// does not tell.
func Memory() (bytes int64, ok bool) { return memory("/") }

func memory(root string) (bytes int64, ok bool) {
	text, err := os.ReadFile(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line) // MemAvailable: 123 kB
		if len(fields) == 3 && fields[0] == "MemAvailable:" {
			kB, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0, false
			}
			bytes, ok = kB<<10, true
		}
	}
	for _, files := range [][2]string{
		{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"},
		{"sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		most, there := number(filepath.Join(root, files[0]))
		used, told := number(filepath.Join(root, files[1]))
		if ok && there && told {
			bytes = min(bytes, max(0, most-used))
		}
	}
	return bytes, ok
}

// number reads a file that holds a whole number, and reports false for anything
// else, such as the "max" of a control group without a limit.
func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// Setting returns what a file below /proc/sys holds, such as
// "net/core/somaxconn", with single spaces between its words, and "" where
// there is none.
func Setting(name string) string {
	text, err := os.ReadFile(filepath.Join("/proc/sys", name))
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text)), " ")
}
