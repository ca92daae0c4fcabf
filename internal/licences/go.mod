module github.com/tidegate-go/tidegate/internal/licences

go 1.25.0

require github.com/google/licensecheck v0.3.1
