package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/tidegate-go/tidegate/limiter"
)

// Classify says what a response, or the error in its place, tells about the
// capacity of the host. It is what a Transport uses unless Config.Classify is
// set, and what such a function should fall back on.
//
//	Refused    429, 503, and a gateway's 502; a stream refused by HTTP/2, or a
//	           connection ended with ENHANCE_YOUR_CALM
//	Overdue    a deadline that passed, ours or (504) a gateway's; a connection
//	           that was refused, reset or closed without an answer, by a GOAWAY
//	           for instance
//	Failed     any other 5xx but 501; a name that does not resolve; errors that
//	           it does not know
//	Cancelled  cancelled by the caller
//	Ignored    never sent: rejected by a limiter or a breaker, a request that
//	           net/http finds invalid, a certificate that is not trusted; 408
//	Success    any other answer, such as 404: there was room to give it
//
// A refused connection counts as Overdue and not as Refused, because one says
// little of capacity (the host may be restarting) and many at once say much. A
// gateway's 502 comes at once when it may open no more connections (nginx with
// max_conns), and as fast as callers ask: each has to count.
func Classify(resp *http.Response, err error) limiter.Outcome {
	switch {
	case err != nil:
		return classifyError(err)
	case resp == nil:
		return limiter.Ignored
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable, code == http.StatusBadGateway:
		return limiter.Refused
	case code == http.StatusGatewayTimeout:
		return limiter.Overdue
	case code == http.StatusRequestTimeout:
		return limiter.Ignored // it waited for us
	case code >= 500 && code != http.StatusNotImplemented:
		return limiter.Failed
	default:
		return limiter.Success
	}
}

func classifyError(err error) limiter.Outcome {
	var (
		name   *net.DNSError
		stream streamError
		cert   *tls.CertificateVerificationError
		broken *net.OpError
		n      net.Error
	)
	switch {
	case errors.Is(err, limiter.ErrRejected), errors.Is(err, ErrBreakerOpen):
		return limiter.Ignored // by a Transport further in
	case errors.Is(err, context.Canceled):
		return limiter.Cancelled
	case errors.As(err, &name):
		return limiter.Failed // before Overdue: a slow name server is not a slow host
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return limiter.Overdue
	case errors.As(err, &cert):
		return limiter.Ignored
	case errors.As(err, &stream) && (stream.Code == refusedStream || stream.Code == enhanceYourCalm):
		return limiter.Refused
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return limiter.Overdue
	case lostHTTP2(err):
		if strings.Contains(err.Error(), "ErrCode=ENHANCE_YOUR_CALM") {
			return limiter.Refused
		}
		return limiter.Overdue
	case neverSent(err):
		return limiter.Ignored
	default:
		return limiter.Failed
	}
}

// A streamError is how HTTP/2 ends one stream. The type in net/http is not
// exported, but converts itself with errors.As to a struct with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "stream error" }

// Codes of RFC 9113, section 7.
const (
	refusedStream   = 0x7
	enhanceYourCalm = 0xb
)

// lostHTTP2 reports whether err says that an HTTP/2 connection has ended under
// the request: by a GOAWAY or because nothing answered a ping. Such errors of
// net/http have no type of their own that could be asked for.
func lostHTTP2(err error) bool {
	text := err.Error()
	return strings.Contains(text, "http2: server sent GOAWAY") || strings.Contains(text, "http2: client connection lost")
}

// invalid is how the errors begin with which net/http turns down a request that
// no server would be sent. They have no type, and without this one caller's
// misspelt header would open the breaker for all others.
var invalid = []string{
	"net/http: invalid header ",
	"net/http: invalid trailer ",
	"net/http: invalid method ",
	"unsupported protocol scheme",
	"http: no Host in request URL",
	"http: nil Request.URL",
	"net/http: nil Request.",
	"http: nil Request.",
}

func neverSent(err error) bool {
	text := err.Error()
	for _, prefix := range invalid {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}
