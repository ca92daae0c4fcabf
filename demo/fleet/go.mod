module github.com/tidegate-go/tidegate/demo/fleet

go 1.26.0

replace github.com/tidegate-go/tidegate => ../..

replace github.com/tidegate-go/tidegate/limiter/fleet => ../../limiter/fleet

require (
	github.com/alicebob/miniredis/v2 v2.40.0
	github.com/jedib0t/go-pretty/v6 v6.8.3
	github.com/redis/go-redis/v9 v9.22.0
	github.com/spf13/pflag v1.0.9
	github.com/tidegate-go/tidegate v0.0.0
	github.com/tidegate-go/tidegate/limiter/fleet v0.0.0
	golang.org/x/time v0.14.0
)

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/mattn/go-runewidth v0.0.23 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/atomic v1.11.0 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	go.uber.org/zap v1.28.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)
