package otelmetrics_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/httpclient/otelmetrics"
	"github.com/tidegate-go/tidegate/limiter"
)

// roundTrip is a base that does what it says.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func answering(status int) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, ProtoMajor: 2, Header: http.Header{}, Body: http.NoBody, Request: req,
		}, nil
	}
}

func send(t *testing.T, rt http.RoundTripper, method, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// read returns all points of all metrics as text: name, attributes, value.
func read(t *testing.T, r *metric.ManualReader) map[string]string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	points := map[string]string{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			note := func(set attribute.Set, value any) {
				var text []string
				for _, kv := range set.ToSlice() {
					text = append(text, string(kv.Key)+"="+kv.Value.Emit())
				}
				key := m.Name + " " + strings.Join(text, " ")
				if _, twice := points[key]; twice {
					t.Errorf("%s is told twice", key)
				}
				points[key] = fmt.Sprint(value)
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				each(data.DataPoints, note)
			case metricdata.Sum[float64]:
				each(data.DataPoints, note)
			case metricdata.Gauge[int64]:
				each(data.DataPoints, note)
			case metricdata.Gauge[float64]:
				each(data.DataPoints, note)
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					note(p.Attributes, fmt.Sprint(p.Count, " within ", p.Bounds))
				}
			default:
				t.Fatalf("%s is a %T", m.Name, data)
			}
		}
	}
	return points
}

// each notes the values of all points.
func each[N int64 | float64](points []metricdata.DataPoint[N], note func(attribute.Set, any)) {
	for _, p := range points {
		note(p.Attributes, p.Value)
	}
}

func want(t *testing.T, points map[string]string, wanted map[string]string) {
	t.Helper()
	for key, value := range wanted {
		if got, ok := points[key]; !ok || got != value {
			var near []string
			for k, v := range points {
				if name, _, _ := strings.Cut(key, " "); strings.HasPrefix(k, name+" ") {
					near = append(near, k+": "+v)
				}
			}
			slices.Sort(near)
			t.Errorf("%s is %q, want %s; there are\n%s", key, got, value, strings.Join(near, "\n"))
		}
	}
}

const conventional = " within [0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10]"

func TestRequestIsMeasuredByOtherNamesOrBuckets(t *testing.T) {
	reader := metric.NewManualReader()
	c := otelmetrics.Config{Provider: metric.NewMeterProvider(metric.WithReader(reader))}
	fails := errors.New("no")
	rt, err := otelmetrics.Requests(roundTrip(func(req *http.Request) (*http.Response, error) {
		switch req.URL.Path {
		case "/missing":
			return answering(http.StatusNotFound)(req)
		case "/error":
			return nil, fmt.Errorf("wrapped %w: %w", fails, context.DeadlineExceeded)
		case "/gone":
			return nil, fmt.Errorf("wrapped: %w", io.EOF)
		}
		return answering(http.StatusOK)(req)
	}), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{
		{"GET", "https://API.example/"},
		{"GET", "https://api.example/2"},
		{"POST", "http://api.example:8080/missing"},
		{"BREW", "http://api.example/error"},
		{"GET", "http://api.example/gone"},
	} {
		err := send(t, rt, r[0], r[1])
		if strings.HasSuffix(r[1], "/error") && !errors.Is(err, fails) {
			t.Errorf("the error of the base became %v", err)
		}
	}
	want(t, read(t, reader), map[string]string{
		"http.client.request.duration http.request.method=GET http.response.status_code=200 network.protocol.version=2 server.address=api.example server.port=443 url.scheme=https":                 "2" + conventional,
		"http.client.request.duration error.type=404 http.request.method=POST http.response.status_code=404 network.protocol.version=2 server.address=api.example server.port=8080 url.scheme=http": "1" + conventional,
		"http.client.request.duration error.type=timeout http.request.method=_OTHER server.address=api.example server.port=80 url.scheme=http":                                                      "1" + conventional,
		"http.client.request.duration error.type=*errors.errorString http.request.method=GET server.address=api.example server.port=80 url.scheme=http":                                             "1" + conventional,
		"http.client.active_requests http.request.method=GET server.address=api.example server.port=443 url.scheme=https":                                                                           "0",
	})
}

func TestRequestStaysActiveAfterAPanic(t *testing.T) {
	reader := metric.NewManualReader()
	rt, err := otelmetrics.Requests(roundTrip(func(*http.Request) (*http.Response, error) { panic("base") }),
		otelmetrics.Config{Provider: metric.NewMeterProvider(metric.WithReader(reader))})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = send(t, rt, "GET", "http://a.example/")
	}()
	want(t, read(t, reader), map[string]string{
		"http.client.active_requests http.request.method=GET server.address=a.example server.port=80 url.scheme=http":                   "0",
		"http.client.request.duration error.type=panic http.request.method=GET server.address=a.example server.port=80 url.scheme=http": "1" + conventional,
	})
}

func TestRequestWithoutAURLPanics(t *testing.T) {
	rt, err := otelmetrics.Requests(nil, otelmetrics.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rt.RoundTrip(&http.Request{}); err == nil {
		t.Error("it was sent")
	}
}

func TestHostsAreMissingOrWithoutBound(t *testing.T) {
	reader := metric.NewManualReader()
	c := otelmetrics.Config{
		Provider: metric.NewMeterProvider(metric.WithReader(reader)), Hosts: 2,
		Attributes: []attribute.KeyValue{attribute.String("client", "billing")},
	}
	base, err := otelmetrics.Requests(answering(http.StatusInternalServerError), c)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := httpclient.NewTransport(httpclient.Config{
		Base: base, Policy: func(string) limiter.Policy { return limiter.Fixed(7) },
		Breaker: httpclient.Breaker{MinRequests: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	registration, err := otelmetrics.Observe(transport, c)
	if err != nil {
		t.Fatal(err)
	}
	for range 6 { // the breaker opens after the fourth
		_ = send(t, transport, "GET", "http://0.example/")
	}
	read(t, reader)
	for i := range 50 {
		_ = send(t, transport, "GET", fmt.Sprintf("http://%d.example/", i))
	}
	points := read(t, reader)
	want(t, points, map[string]string{
		"tidegate.client.limit client=billing server.address=0.example server.port=80":                               "7",
		"tidegate.client.admitted client=billing server.address=0.example server.port=80":                            "4",
		"tidegate.client.outcomes client=billing server.address=0.example server.port=80 tidegate.outcome=failed":    "4",
		"tidegate.client.rejected client=billing server.address=0.example server.port=80 tidegate.reason=deadline":   "0",
		"tidegate.client.breaker.state client=billing server.address=0.example server.port=80 tidegate.state=open":   "1",
		"tidegate.client.breaker.state client=billing server.address=0.example server.port=80 tidegate.state=closed": "0",
		"tidegate.client.breaker.refused client=billing server.address=0.example server.port=80":                     "3",
		"tidegate.client.admitted client=billing server.address=_OTHER":                                              "48",
		"tidegate.client.limit client=billing server.address=_OTHER":                                                 "336",
	})
	// The two halves may name different hosts, but neither more than two.
	named := map[string]bool{}
	for key := range points {
		_, rest, _ := strings.Cut(key, "server.address=")
		address, _, _ := strings.Cut(rest, " ")
		name, _, _ := strings.Cut(key, " ")
		named[name+" "+address] = true
	}
	for name := range named {
		metricName, _, _ := strings.Cut(name, " ")
		n := 0
		for other := range named {
			if strings.HasPrefix(other, metricName+" ") {
				n++
			}
		}
		if n > 3 {
			t.Errorf("%s has %d addresses, want at most two and _OTHER", metricName, n)
		}
	}
	if err := registration.Unregister(); err != nil {
		t.Fatal(err)
	}
	for key := range read(t, reader) {
		if strings.HasPrefix(key, "tidegate.") {
			t.Fatalf("%s is told after the end of the registration", key)
		}
	}
}

func TestQueueForAQuotaIsHidden(t *testing.T) {
	reader := metric.NewManualReader()
	transport, err := httpclient.NewTransport(httpclient.Config{Base: roundTrip(func(req *http.Request) (*http.Response, error) {
		resp, err := answering(http.StatusOK)(req)
		resp.Header.Set("RateLimit", `"requests";r=0;t=60`)
		return resp, err
	})})
	if err != nil {
		t.Fatal(err)
	}
	c := otelmetrics.Config{Provider: metric.NewMeterProvider(metric.WithReader(reader))}
	if _, err := otelmetrics.Observe(transport, c); err != nil {
		t.Fatal(err)
	}
	if err := send(t, transport, "GET", "http://0.example/"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // not enough, which is known beforehand
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://0.example/", nil)
	if resp, err := transport.RoundTrip(req); err == nil {
		resp.Body.Close()
		t.Error("the quota is used up")
	}
	const at = " server.address=0.example server.port=80"
	want(t, read(t, reader), map[string]string{
		"tidegate.client.pacer.queued" + at:                                 "0",
		"tidegate.client.pacer.rejected" + at + " tidegate.reason=deadline": "1",
		"tidegate.client.pacer.waits" + at:                                  "0",
		"tidegate.client.pacer.wait.time" + at:                              "0",
		"tidegate.client.rejected" + at + " tidegate.reason=deadline":       "0",
	})
}

func TestImpossibleConfigIsTaken(t *testing.T) {
	if _, err := otelmetrics.Requests(nil, otelmetrics.Config{Hosts: -1}); err == nil || !strings.Contains(err.Error(), "Config.Hosts is -1") {
		t.Errorf("Requests: %v", err)
	}
	if _, err := otelmetrics.Observe(nil, otelmetrics.Config{}); err == nil {
		t.Error("Observe takes no Transport")
	}
}
