package origin

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestInvalidConfigIsRefusedByName(t *testing.T) {
	for _, row := range []struct {
		config Config
		want   []string // the field, the value, what would be valid
	}{
		{Config{Workers: -1}, []string{"Config.Workers", "-1", "1 to 65536"}},
		{Config{Workers: 65537}, []string{"Config.Workers", "65537", "1 to 65536"}},
		{Config{Service: -time.Second}, []string{"Config.Service", "-1s", "positive"}},
		{Config{Queue: -3}, []string{"Config.Queue", "-3", "positive"}},
		{Config{Network: -time.Second}, []string{"Config.Network", "-1s", "positive"}},
		{Config{Quota: -1}, []string{"Config.Quota", "-1", "positive"}},
		{Config{Quota: math.NaN()}, []string{"Config.Quota", "NaN", "positive"}},
		{Config{Backlog: -1}, []string{"Config.Backlog", "-1", "65536"}},
		{Config{Streams: -1}, []string{"Config.Streams", "-1", "1048576"}},
		{Config{Addr: "127.0.0.1"}, []string{"Config.Addr", `"127.0.0.1"`, "loopback"}},
		{Config{Addr: ":8080"}, []string{"Config.Addr", `":8080"`, "loopback"}},
		{Config{Addr: "0.0.0.0:0"}, []string{"Config.Addr", `"0.0.0.0:0"`, "loopback"}},
		{Config{Addr: "192.0.2.1:80"}, []string{"Config.Addr", `"192.0.2.1:80"`, "loopback"}},
		{Config{Addr: "localhost:0"}, []string{"Config.Addr", `"localhost:0"`, "loopback"}},
		{Config{Addr: "127.0.0.1:http"}, []string{"Config.Addr", `"127.0.0.1:http"`, "port"}},
		{Config{Addr: "127.0.0.1:65536"}, []string{"Config.Addr", `"127.0.0.1:65536"`, "port"}},
	} {
		o, err := Start(t.Context(), row.config)
		if err == nil {
			_ = o.Close()
			t.Errorf("%+v was accepted", row.config)
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %q does not contain %q", row.config, err, want)
			}
		}
	}
}

func TestZeroConfigIsTheDocumentedOrigin(t *testing.T) {
	if err := (Config{}).withDefaults().validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{Addr: "[::1]:0"}).withDefaults().validate(); err != nil {
		t.Error(err)
	}
	if got := (Config{}).Capacity(); got != 800 {
		t.Errorf("the zero Config has a capacity of %v/s, want 800/s", got)
	}
	if got := (Config{Workers: 3, Service: 2 * time.Second}).Capacity(); got != 1.5 {
		t.Errorf("3 workers × 2 s have a capacity of %v/s, want 1.5/s", got)
	}
}
