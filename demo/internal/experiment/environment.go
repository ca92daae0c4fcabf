package experiment

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Environment is where and how the runs were made: what somebody who cannot
// reproduce them needs to know first.
type Environment struct {
	Go         string    `json:"go"`
	OS         string    `json:"os"`
	Arch       string    `json:"arch"`
	CPU        string    `json:"cpu"` // "unknown" where the system does not tell
	Cores      int       `json:"cores"`
	GOMAXPROCS int       `json:"gomaxprocs"`
	Version    string    `json:"version"` // of this module; "unknown" under go run
	Seed       uint64    `json:"seed"`
	Started    time.Time `json:"started"`

	Runs  int               `json:"runs"`  // repeats of every policy
	Flags map[string]string `json:"flags"` // those that were given, without secrets
	GOGC  string            `json:"gogc"`
}

// ReadEnvironment describes this machine and program.
func ReadEnvironment() Environment {
	e := Environment{
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPU: cpuModel(), Cores: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0),
		Version: Version(), Started: time.Now().Truncate(time.Second),
		Flags: map[string]string{}, GOGC: "100",
	}
	if v := os.Getenv("GOGC"); v != "" {
		e.GOGC = v
	}
	return e
}

// Version is the version of this module with the commit it was built from, as
// far as the build has recorded them.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			return "(devel) " + s.Value[:min(12, len(s.Value))]
		}
	}
	if version == "" || version == "(devel)" {
		return "unknown"
	}
	return version
}

// cpuModel reads what Linux says of its first processor.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
