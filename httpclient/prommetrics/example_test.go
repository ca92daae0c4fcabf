package prommetrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/httpclient/prommetrics"
	"github.com/tidegate-go/tidegate/limiter"
)

// The limiters of an HTTP client's hosts, on the page that Prometheus reads.
func Example() {
	transport, err := httpclient.NewTransport(httpclient.Config{
		Base:   answering(http.StatusOK), // in real life leave this to httpclient.New
		Policy: func(string) limiter.Policy { return limiter.Fixed(8) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(prommetrics.Transport(transport, prommetrics.Config{}))

	client := &http.Client{Transport: transport}
	resp, err := client.Get("http://api.example.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()

	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "tidegate_limit{") || strings.HasPrefix(line, "tidegate_admitted_total{") {
			fmt.Print(line)
		}
	}
	// Output:
	// tidegate_admitted_total{host="api.example.com:80"} 1
	// tidegate_limit{host="api.example.com:80"} 8
}
