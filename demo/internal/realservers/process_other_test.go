//go:build !linux

package realservers

import "os/exec"

func endsWithUs(*exec.Cmd) {}
