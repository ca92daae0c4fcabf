package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func TestMain(m *testing.M) {
	origin.Main()
	childMain()
	if os.Getenv(killedEnv) != "" {
		addr, _, _, err := startRedis(context.Background(), "")
		if err != nil {
			fail(1, err)
		}
		fmt.Println(addr)
		time.Sleep(time.Minute) // until it is killed
	}
	os.Exit(m.Run())
}

const killedEnv = "TIDEGATE_FLEET_KILLED"

func TestKilledCommandLeavesItsRedisBehind(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server")
	}
	temp := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedEnv+"=1", "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		c, err := net.Dial("tcp", strings.TrimSpace(addr))
		left, _ := os.ReadDir(temp)
		if err != nil && len(left) == 0 {
			return
		}
		if err == nil {
			c.Close()
		}
		time.Sleep(50 * time.Millisecond) // a real process: there is nothing else to wait for
	}
	t.Error("the Redis, or its directory, is still there")
}

// What is asserted holds on a machine of any speed; the figures are the command's.
func TestFleetOfRealProcessesEndsWithAnAccount(t *testing.T) {
	addr, _, end, err := startRedis(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	o := &options{processes: 4, quota: 100, lasts: time.Second, warmUp: time.Second}
	for _, m := range modes {
		found, err := measure(t.Context(), o, m, addr)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if found.total.Admitted == 0 || len(found.moments) == 0 {
			t.Errorf("%s: no call was admitted: %v", m.name, found.row(o))
		}
	}
}
