//go:build unix

package origin

import (
	"errors"
	"net"
	"syscall"
)

// canSetBacklog says whether setBacklog works here.
const canSetBacklog = true

// setBacklog bounds how many connections wait to be accepted. Package net
// always asks for the most; to listen once more on a socket that listens
// already changes the bound and nothing else.
func setBacklog(l net.Listener, n int) error {
	conn, ok := l.(syscall.Conn)
	if !ok {
		return errors.New("the listener has no file descriptor")
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var listenErr error
	err = raw.Control(func(fd uintptr) { listenErr = syscall.Listen(int(fd), n) })
	return errors.Join(err, listenErr)
}
