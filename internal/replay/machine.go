package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// A machine holds the simulation as a WebAssembly program. It is safe for concurrent
// use, and each play is a process of its own in it.
type machine struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

// newMachine builds the simulation of the repository at root. It takes a while.
func newMachine(ctx context.Context, root string) (*machine, error) {
	dir, err := os.MkdirTemp("", "replay")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "simulation.wasm")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-trimpath", "-o", binary, "./internal/simulation")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWASM=")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the simulation in %s: %w\n%s", root, err, out)
	}
	text, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	m := &machine{runtime: wazero.NewRuntime(ctx)}
	wasi_snapshot_preview1.MustInstantiate(ctx, m.runtime)
	if m.code, err = m.runtime.CompileModule(ctx, text); err != nil {
		m.close(ctx)
		return nil, err
	}
	return m, nil
}

func (m *machine) close(ctx context.Context) { _ = m.runtime.Close(ctx) } // memory is all that it has

// play plays a seed for so many hours of virtual time. It returns all that the
// simulation prints, which is the same for the same seed, hours and code, to the last
// byte; the error is not nil if something did not hold.
func (m *machine) play(ctx context.Context, seed uint64, hours float64) (output string, err error) {
	var out bytes.Buffer
	c := new(clock)
	world := wazero.NewModuleConfig().
		WithName(""). // of those without a name there can be many
		WithArgs("simulation.test", "-test.v", "-test.timeout=0", "-test.run=^TestSomethingThatMustHoldDoesNot$",
			"-seed", strconv.FormatUint(seed, 10), "-hours", strconv.FormatFloat(hours, 'g', -1, 64)).
		WithStdout(&out).WithStderr(&out).
		WithRandSource(chanceOf(seed)).
		WithWalltime(c.wall, 1).WithNanotime(c.read, 1).WithNanosleep(c.sleep)
	instance, err := m.runtime.InstantiateModule(ctx, m.code, world)
	if instance != nil { // it has not ended by itself
		err = errors.Join(err, instance.Close(ctx))
	}
	return out.String(), err
}

// chanceOf is what the Go runtime draws from: the way a select goes, the order of a map,
// which of two timers that are due at the same moment is the first.
func chanceOf(seed uint64) io.Reader {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}

// A clock is that of the machine: it goes by how often it is read. The virtual time of
// the simulation is another, which testing/synctest makes.
type clock struct{ now int64 }

// tick is small, since the runtime reads the clock all the time.
const tick = 100 // nanoseconds

func (c *clock) read() int64 {
	c.now += tick
	return c.now
}

func (c *clock) wall() (seconds int64, nanoseconds int32) {
	const second = 1_000_000_000
	now := c.read()
	return 1_800_000_000 + now/second, int32(now % second)
}

func (c *clock) sleep(d int64) { c.now += max(d, 0) }
