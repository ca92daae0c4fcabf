package origin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// envParent makes the test binary a program that starts an origin, prints its
// URL, and waits to be killed.
const envParent = "TIDEGATE_ORIGIN_TEST_PARENT"

func TestMain(m *testing.M) {
	Main()
	// A process built with -race sleeps for a second when it exits. The tests
	// measure how fast children end, so theirs must not; the variable is read
	// when a process starts and does not change this one.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	if os.Getenv(envParent) != "" {
		o, err := Start(context.Background(), Config{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(o.URL())
		<-make(chan struct{})
	}
	goleak.VerifyTestMain(m)
}

// testContext bounds every wait of a test, so that a hang names its test.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, c Config) *Origin {
	t.Helper()
	o, err := Start(testContext(t), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// newClient returns a client with connections of its own, which end with the test.
func newClient(t *testing.T, timeout time.Duration) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: timeout}
}

// get makes one call and reads the answer to its end, which keeps the
// connection reusable. The status is 0 if there was an error.
func get(ctx context.Context, client *http.Client, url string) (status int, header http.Header, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Header, nil
}

func stats(t *testing.T, o *Origin) Stats {
	t.Helper()
	s, err := o.Stats(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await asks for Stats until the condition holds. Each question is a round trip
// to another process, so the loop leaves the processor to it.
func await(t *testing.T, o *Origin, what string, condition func(Stats) bool) {
	t.Helper()
	ctx := testContext(t)
	for {
		s, err := o.Stats(ctx)
		if err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
		if condition(s) {
			return
		}
	}
}

func checkSum(t *testing.T, s Stats) {
	t.Helper()
	if sum := s.Served + s.ServedLate + s.Rejected + s.InFlight; s.Started != sum {
		t.Errorf("Started is %d, but its parts add up to %d: %+v", s.Started, sum, s)
	}
}
