package httpclient_test

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/httpclient"
	"github.com/tidegate-go/tidegate/limiter"
)

func TestConfigThatCannotBeObeyedIsRefused(t *testing.T) {
	for field, c := range map[string]httpclient.Config{
		"Base":                 {Base: (*http.Transport)(nil)},
		"MaxHosts":             {MaxHosts: -1},
		"MaxIdlePerHost":       {MaxIdlePerHost: -1},
		"AttemptTimeout":       {AttemptTimeout: -1},
		"MaxRetryAfter":        {MaxRetryAfter: -time.Second},
		"Breaker.MinRequests":  {Breaker: httpclient.Breaker{MinRequests: -1}},
		"Breaker.Probes":       {Breaker: httpclient.Breaker{Probes: math.MaxInt}},
		"Breaker.FailureRatio": {Breaker: httpclient.Breaker{FailureRatio: math.NaN()}},
		"Breaker.Window":       {Breaker: httpclient.Breaker{Window: 1}},
		"Breaker.OpenFor":      {Breaker: httpclient.Breaker{OpenFor: -1}},
		"Breaker.ProbeTimeout": {Breaker: httpclient.Breaker{ProbeTimeout: -1}},
		"Breaker.Patience":     {Breaker: httpclient.Breaker{Patience: -1}},
		"Timeout":              {Timeout: -1},
		"MaxWait":              {MaxWait: -1},
		"MaxHold":              {MaxHold: -1},
		"Retry.Attempts":       {Retry: httpclient.Retry{Attempts: -1}},
		"Retry.MinBackoff":     {Retry: httpclient.Retry{MinBackoff: 2, MaxBackoff: 1}},
		"Retry.MaxBackoff":     {Retry: httpclient.Retry{MaxBackoff: -1}},
		"Retry.Budget":         {Retry: httpclient.Retry{Budget: 1.5}},
		"Limiter": {
			Limiter: func(string) *limiter.Limiter { return nil }, Policy: func(string) limiter.Policy { return nil },
		},
		"Hosts": {Hosts: map[string]httpclient.HostConfig{"http://a.example/": {}}},
		"Hosts[a.example].Breaker.Probes": {Hosts: map[string]httpclient.HostConfig{
			"a.example": {Breaker: &httpclient.Breaker{Probes: -1}},
		}},
	} {
		_, err := httpclient.NewTransport(c)
		var e *httpclient.ConfigError
		if !errors.As(err, &e) || e.Field != field || e.Want == "" || !strings.Contains(err.Error(), "Config."+field+" is ") {
			t.Errorf("%s: NewTransport says %v", field, err)
		}
		if _, err := httpclient.New(c); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: New says %v", field, err)
		}
	}
	// Times of which one makes another meaningless.
	for field, c := range map[string]httpclient.Config{
		"AttemptTimeout": {Timeout: time.Second, AttemptTimeout: time.Second},
		"MaxWait":        {Timeout: time.Second, MaxWait: 2 * time.Second},
		"Breaker.Window": {AttemptTimeout: time.Minute, Breaker: httpclient.Breaker{Window: time.Minute}},
		"Hosts[a.example].AttemptTimeout": {Timeout: time.Second, Hosts: map[string]httpclient.HostConfig{
			"a.example": {AttemptTimeout: time.Minute},
		}},
		"Hosts[a.example].Breaker.Window": {Breaker: httpclient.Breaker{Window: 10 * time.Second}, Hosts: map[string]httpclient.HostConfig{
			"a.example": {AttemptTimeout: time.Minute},
		}},
	} {
		_, err := httpclient.NewTransport(c)
		var e *httpclient.ConfigError
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, ratio := range []float64{-0.1, 1.1, math.Inf(1)} {
		if _, err := httpclient.New(httpclient.Config{Breaker: httpclient.Breaker{FailureRatio: ratio}}); err == nil {
			t.Errorf("FailureRatio %v was taken", ratio)
		}
	}
	// An idle pool that nobody sizes must not be ignored in silence.
	if _, err := httpclient.NewTransport(httpclient.Config{MaxIdlePerHost: 10}); err == nil {
		t.Error("NewTransport took MaxIdlePerHost")
	}
	if _, err := httpclient.New(httpclient.Config{MaxIdlePerHost: 10, Base: answering(200)}); err == nil {
		t.Error("New took MaxIdlePerHost with a Base")
	}
}

func TestNewLeavesTheDefaultTransportAlone(t *testing.T) {
	client := must(httpclient.New(httpclient.Config{MaxIdlePerHost: 7}))
	base := client.Transport.(*httpclient.Transport).Unwrap().(*http.Transport)
	if base.MaxIdleConnsPerHost != 7 || base.MaxIdleConns < 1024 || !base.ForceAttemptHTTP2 || base.Proxy == nil {
		t.Errorf("MaxIdleConnsPerHost %d, MaxIdleConns %d", base.MaxIdleConnsPerHost, base.MaxIdleConns)
	}
	if base == http.DefaultTransport || http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost != 0 {
		t.Error("the default transport was changed")
	}
}
