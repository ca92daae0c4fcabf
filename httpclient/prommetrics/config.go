package prommetrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate-go/tidegate/internal/hoststats"
)

// Config configures a Collector. The zero value is the recommended configuration.
type Config struct {
	// Label is the name of the label that tells limiters apart. Empty means
	// "host" for a Transport and "limiter" for others.
	Label string

	// Hosts is how many of them have series of their own; 0 means 100. The
	// others are added up under the name "_OTHER".
	Hosts int

	// Constant are labels that all series get, such as the name of the client
	// when a program has several Transports.
	Constant prometheus.Labels
}

// complete fills in what is not set. It panics for a negative number of hosts,
// as MustRegister does for what cannot be registered.
func (c Config) complete(label string) Config {
	if c.Hosts < 0 {
		panic(fmt.Sprintf("prommetrics: Config.Hosts is %d, want 0 (for 100) or more", c.Hosts))
	}
	if c.Hosts == 0 {
		c.Hosts = hoststats.UsualNames
	}
	if c.Label == "" {
		c.Label = label
	}
	return c
}
