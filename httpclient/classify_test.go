package httpclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func TestClassifyResponses(t *testing.T) {
	for code, want := range map[int]limiter.Outcome{
		200: limiter.Success, 301: limiter.Success, 400: limiter.Success, 404: limiter.Success, 501: limiter.Success,
		408: limiter.Ignored,
		429: limiter.Refused, 503: limiter.Refused,
		500: limiter.Failed, 507: limiter.Failed, 599: limiter.Failed,
		502: limiter.Refused, 504: limiter.Overdue,
	} {
		if got := httpclient.Classify(&http.Response{StatusCode: code}, nil); got != want {
			t.Errorf("%d is %v, want %v", code, got, want)
		}
	}
	if got := httpclient.Classify(nil, nil); got != limiter.Ignored {
		t.Errorf("nothing is %v", got)
	}
}

// goTimeout is an error like those of net/http's own timeouts.
type goTimeout struct{}

func (goTimeout) Error() string   { return "net/http: timeout awaiting response headers" }
func (goTimeout) Timeout() bool   { return true }
func (goTimeout) Temporary() bool { return true }

func TestClassifyErrors(t *testing.T) {
	broken := func(op string, err syscall.Errno) error {
		return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, err)}
	}
	for _, test := range []struct {
		err  error
		want limiter.Outcome
	}{
		{context.Canceled, limiter.Cancelled},
		{context.DeadlineExceeded, limiter.Overdue},
		{httpclient.ErrBreakerOpen, limiter.Ignored},
		{limiter.ErrRejected, limiter.Ignored},
		{&limiter.RejectedError{Reason: limiter.Deadline}, limiter.Ignored},
		{goTimeout{}, limiter.Overdue},
		{broken("dial", syscall.ECONNREFUSED), limiter.Overdue},
		{broken("read", syscall.ECONNRESET), limiter.Overdue},
		{broken("write", syscall.EPIPE), limiter.Overdue},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, limiter.Failed},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "timeout", IsTimeout: true}}, limiter.Failed},
		{io.EOF, limiter.Overdue},
		{io.ErrUnexpectedEOF, limiter.Overdue},
		{&tls.CertificateVerificationError{Err: errors.New("unknown authority")}, limiter.Ignored},
		{errors.New("malformed HTTP response"), limiter.Failed},
	} {
		for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err), &url.Error{Op: "Get", Err: test.err}} {
			if got := httpclient.Classify(nil, err); got != test.want {
				t.Errorf("%v is %v, want %v", err, got, test.want)
			}
		}
	}
}

// The errors have no type in net/http. If it changes their text this test says
// so.
func TestRequestsThatNetHTTPFindsInvalidAreIgnored(t *testing.T) {
	for name, spoil := range map[string]func(*http.Request){
		"header":  func(r *http.Request) { r.Header.Set("X", "a\nb") },
		"trailer": func(r *http.Request) { r.Trailer = http.Header{"X y": nil} },
		"method":  func(r *http.Request) { r.Method = "A B" },
		"scheme":  func(r *http.Request) { r.URL.Scheme = "gopher" },
		"host":    func(r *http.Request) { r.URL.Host = "" },
		"nil":     func(r *http.Request) { r.Header = nil },
	} {
		t.Run(name, func(t *testing.T) {
			tr := transport(t, 1, new(http.Transport))
			req, body := post(t.Context())
			spoil(req)
			_, err := tr.RoundTrip(req)
			if err == nil || !body.closed.Load() {
				t.Fatalf("error %v, body closed: %v", err, body.closed.Load())
			}
			if o := only(t, tr).Limiter.Outcomes; o.Ignored != 1 {
				t.Errorf("%q counts as %+v, want ignored", err, o)
			}
		})
	}
}

// net/http returns any cause in place of the context's error.
func TestClassifyIsToldOfTheCallersCancelWhateverItsCause(t *testing.T) {
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	var seen error
	tr := transport(t, 1, roundTripper(func(req *http.Request) (*http.Response, error) {
		cancel(cause)
		return nil, context.Cause(req.Context())
	}), func(c *httpclient.Config) {
		c.Classify = func(r *http.Response, err error) limiter.Outcome {
			seen = err
			return httpclient.Classify(r, err)
		}
	})
	if _, err := tr.RoundTrip(get(ctx)); err != cause {
		t.Errorf("error %v, want the cause itself", err)
	}
	if !errors.Is(seen, context.Canceled) || !errors.Is(seen, cause) || seen.Error() != "cause" {
		t.Errorf("Classify saw %v", seen)
	}
	if o := only(t, tr).Limiter.Outcomes; o.Cancelled != 1 {
		t.Errorf("%+v, want 1 cancelled", o)
	}
}

// A route whose own quota is used up answers 429 however slowly the host is asked. What
// Classify ignores must neither be taken for the host's rate nor hold it back.
func TestRefusalsOfOneRouteThatClassifyIgnoresThrottleTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := transport(t, 10, roundTripper(func(req *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Millisecond)
			if req.URL.Path == "/export" {
				resp := response(req, 429)
				resp.Header.Set("Retry-After", "60")
				resp.Header.Set("X-RateLimit-Remaining", "0")
				resp.Header.Set("X-RateLimit-Reset", "60")
				return resp, nil
			}
			return response(req, 200), nil
		}), func(c *httpclient.Config) {
			c.Classify = func(resp *http.Response, err error) limiter.Outcome {
				if resp != nil && resp.StatusCode == 429 && resp.Request.URL.Path == "/export" {
					return limiter.Ignored
				}
				return httpclient.Classify(resp, err)
			}
		})
		start := time.Now()
		for i := range 100 {
			req := get(t.Context())
			if i%10 == 0 {
				req.URL.Path = "/export"
			}
			do(tr, req)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("a hundred calls, ten of them refused, took %v, want 1s", took)
		}
		if o := only(t, tr).Limiter.Outcomes; o.Ignored != 10 {
			t.Errorf("%+v, want 10 ignored", o)
		}
	})
}
