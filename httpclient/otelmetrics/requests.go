package otelmetrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.40.0/httpconv"
)

// Requests returns a RoundTripper that sends requests through base, or through
// http.DefaultTransport if that is nil, and measures them. It belongs inside an
// httpclient.Transport, as its Base. Requests and responses are passed on as they
// are. It is safe for concurrent use.
func Requests(base http.RoundTripper, c Config) (http.RoundTripper, error) {
	meter, hosts, err := c.meter()
	if err != nil {
		return nil, err
	}
	if base == nil {
		base = http.DefaultTransport
	}
	r := &requests{base: base, hosts: hosts, more: c.Attributes}
	var errs [2]error
	r.duration, errs[0] = httpconv.NewClientRequestDuration(meter, metric.WithExplicitBucketBoundaries(bounds...))
	r.active, errs[1] = httpconv.NewClientActiveRequests(meter)
	return r, errors.Join(errs[:]...)
}

// bounds are those that the semantic conventions ask for, in seconds.
var bounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

type requests struct {
	base     http.RoundTripper
	hosts    hosts
	more     []attribute.KeyValue
	duration httpconv.ClientRequestDuration
	active   httpconv.ClientActiveRequests
}

// RoundTrip implements http.RoundTripper.
func (r *requests) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		return r.base.RoundTrip(req) // it goes nowhere, and the base says so
	}
	// The context may be cancelled by the time that there is something to tell.
	ctx := context.WithoutCancel(req.Context())
	address, port := r.hosts.of(target(req))
	method := methodOf(req.Method)
	common := append(slices.Clone(r.more), r.duration.AttrURLScheme(req.URL.Scheme))
	active := append(slices.Clone(common), r.active.AttrRequestMethod(method))
	r.active.Add(ctx, 1, address, port, active...)
	start := time.Now()
	// Deferred, since a base that panics has sent its request all the same.
	var resp *http.Response
	err := errPanic
	defer func() {
		r.active.Add(ctx, -1, address, port, active...)
		r.duration.Record(ctx, time.Since(start).Seconds(), method, address, port, append(common, r.result(resp, err)...)...)
	}()
	resp, err = r.base.RoundTrip(req)
	return resp, err
}

var errPanic = errors.New("otelmetrics: panic in the base transport")

// result are the attributes that tell how it went.
func (r *requests) result(resp *http.Response, err error) []attribute.KeyValue {
	if err != nil || resp == nil {
		return []attribute.KeyValue{r.duration.AttrErrorType(httpconv.ErrorTypeAttr(errorType(err)))}
	}
	list := []attribute.KeyValue{r.duration.AttrResponseStatusCode(resp.StatusCode)}
	if resp.ProtoMajor > 0 {
		version := strconv.Itoa(resp.ProtoMajor)
		if resp.ProtoMajor == 1 {
			version += "." + strconv.Itoa(resp.ProtoMinor)
		}
		list = append(list, r.duration.AttrNetworkProtocolVersion(version))
	}
	if resp.StatusCode >= 400 {
		list = append(list, r.duration.AttrErrorType(httpconv.ErrorTypeAttr(strconv.Itoa(resp.StatusCode))))
	}
	return list
}

// errorType names the kind of an error, of which there must be few: its text, and
// the types of wrappers, would be many.
func errorType(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, errPanic):
		return "panic"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return fmt.Sprintf("%T", err)
}

// target is where a request goes.
func target(req *http.Request) (address string, port int) {
	address = strings.ToLower(req.URL.Hostname())
	if digits := req.URL.Port(); digits != "" {
		port, _ = strconv.Atoi(digits)
		return address, port
	}
	if req.URL.Scheme == "https" {
		return address, 443
	}
	return address, 80
}

// methodOf keeps the methods that the conventions know, and no others: a method is
// text that a caller may have made up.
func methodOf(method string) httpconv.RequestMethodAttr {
	switch method {
	case "":
		return httpconv.RequestMethodGet
	case http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodPatch, http.MethodPost, http.MethodPut, http.MethodTrace, "QUERY":
		return httpconv.RequestMethodAttr(method)
	}
	return httpconv.RequestMethodOther
}

// CloseIdleConnections closes those of the base, if it can.
func (r *requests) CloseIdleConnections() {
	if c, ok := r.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Unwrap returns the base.
func (r *requests) Unwrap() http.RoundTripper { return r.base }
