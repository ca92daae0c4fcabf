// Package redisserver starts the Redis or Valkey that is installed, for the tests of
// limiter/fleet and for demo/fleet.
package redisserver

import (
	"io"
	"net"
	"os"
	"os/exec"
)

// leash has a shell become the server, and the shell's child kill it when the standard
// input ends: as it does when this process is killed, which no cleanup outlives.
const leash = `exec 3<&0
(read -r _ <&3; kill -9 $$; rmdir "$0") &
exec "$@" 3<&- </dev/null`

// Find returns the program, or "" if none is installed.
func Find() string {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// A Server is one that runs, on loopback and with nothing on disk.
type Server struct {
	Addr    string
	Process *os.Process

	cmd   *exec.Cmd
	stdin io.Closer // the leash
	dir   string
}

// Start starts the program at path. It does not wait until the server answers.
func Start(path string) (*Server, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", leash, dir, path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", dir)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return &Server{addr, cmd.Process, cmd, stdin, dir}, nil
}

// Close kills the server and waits for its end.
func (s *Server) Close() {
	s.stdin.Close()
	_ = s.cmd.Wait() // it was killed
	_ = os.RemoveAll(s.dir)
}
