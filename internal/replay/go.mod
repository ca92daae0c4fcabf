module github.com/tidegate-go/tidegate/internal/replay

go 1.25.0

require github.com/tetratelabs/wazero v1.9.0
