package otelmetrics

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tidegate-go/tidegate/internal/hoststats"
)

// Config configures both halves. The zero value is the recommended configuration.
type Config struct {
	// Provider makes the instruments; nil means the global one, otel.GetMeterProvider.
	Provider metric.MeterProvider

	// Hosts is how many addresses keep their names in attributes; 0 means
	// 100. The others are "_OTHER".
	Hosts int

	// Attributes are added to all that is measured, such as the name of the
	// client when a program has several.
	Attributes []attribute.KeyValue
}

// scope is the name of the meter.
const scope = "github.com/tidegate-go/tidegate/httpclient/otelmetrics"

// meter returns what makes the instruments, and the hosts that keep their names.
func (c Config) meter() (metric.Meter, hosts, error) {
	if c.Hosts < 0 {
		return nil, hosts{}, fmt.Errorf("otelmetrics: Config.Hosts is %d, want 0 (for 100) or more", c.Hosts)
	}
	if c.Hosts == 0 {
		c.Hosts = hoststats.UsualNames
	}
	if c.Provider == nil {
		c.Provider = otel.GetMeterProvider()
	}
	return c.Provider.Meter(scope), hosts{hoststats.NewNames(c.Hosts)}, nil
}

var errNoTransport = errors.New("otelmetrics: no Transport to observe")

// hosts are those that keep their names.
type hosts struct{ names *hoststats.Names }

// of returns the address and port to tell, of a host and a port.
func (h hosts) of(address string, port int) (string, int) {
	if h.names.Of(address) == hoststats.Other {
		return hoststats.Other, 0
	}
	return address, port
}

// split takes "example.com:443" apart.
func split(host string) (address string, port int) {
	address, digits, err := net.SplitHostPort(host)
	if err != nil {
		return host, 0
	}
	port, _ = strconv.Atoi(digits) // a name of a service has no number: 0
	return address, port
}
