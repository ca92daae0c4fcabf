package otelmetrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/oauth2"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/httpclient/otelmetrics"
	"github.com/tidegate-go/tidegate/limiter"
)

// Both halves and tracing, around the transport that sends.
func Example() {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	reader := metric.NewManualReader() // in real life an exporter
	config := otelmetrics.Config{Provider: metric.NewMeterProvider(metric.WithReader(reader))}

	base, err := otelmetrics.Requests(otelhttp.NewTransport(server.Client().Transport), config)
	if err != nil {
		fmt.Println(err)
		return
	}
	transport, err := httpclient.NewTransport(httpclient.Config{
		Base:   base,
		Policy: func(string) limiter.Policy { return limiter.Fixed(8) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	registration, err := otelmetrics.Observe(transport, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = registration.Unregister() }()

	client := &http.Client{Transport: transport}
	resp, err := client.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()

	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			fmt.Println(m.Name, data.DataPoints[0].Count)
		case metricdata.Gauge[int64]:
			if m.Name == "tidegate.client.limit" {
				fmt.Println(m.Name, data.DataPoints[0].Value)
			}
		}
	}
	// Unordered output:
	// http.client.request.duration 1
	// tidegate.client.limit 8
}

// oauth2 belongs outside. Its token source sends requests of its own, through the
// same limits, and while it does no place is held that it would wait for.
func Example_oauth2() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token": "secret", "token_type": "Bearer", "expires_in": 3600}`)
			return
		}
		w.Header().Set("Seen", req.Header.Get("Authorization"))
	}))
	defer server.Close()

	transport, err := httpclient.NewTransport(httpclient.Config{
		Base:   server.Client().Transport,
		Policy: func(string) limiter.Policy { return limiter.Fixed(1) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Transport: transport})
	config := oauth2.Config{
		ClientID: "me", ClientSecret: "hidden",
		Endpoint: oauth2.Endpoint{TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	source := config.TokenSource(ctx, &oauth2.Token{RefreshToken: "once"}) // has to ask for a token first
	client := &http.Client{Transport: &oauth2.Transport{Source: source, Base: transport}}
	resp, err := client.Get(server.URL + "/data")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status, resp.Header.Get("Seen"))
	// Output: 200 OK Bearer secret
}
