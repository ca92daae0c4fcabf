package experiment

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc, the same on every Linux whatever its kernel's own
// clock: USER_HZ is 100.
const tick = 10 * time.Millisecond

// readCPU sums up /proc. The origin and PostgreSQL are our children and their
// work is ours, so the whole tree below this process counts as its own; what a
// child that has ended had used is found with its parent.
func readCPU() cpuReading {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuReading{}
	}
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := strings.Fields(string(line)) // cpu user nice system idle iowait irq softirq steal ...
	if len(fields) < 9 {
		return cpuReading{}
	}
	// Interrupts are left out: most of them serve the packets of our own calls.
	all := ticks(fields[1]) + ticks(fields[2]) + ticks(fields[3]) + ticks(fields[8])

	entries, err := os.ReadDir("/proc")
	if err != nil {
		return cpuReading{}
	}
	used := map[int]time.Duration{}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if parent, cpu, ok := readProcess(pid); ok {
			used[pid] = cpu
			children[parent] = append(children[parent], pid)
		}
	}
	return cpuReading{all: all, own: sumTree(os.Getpid(), used, children), ok: true}
}

func sumTree(pid int, used map[int]time.Duration, children map[int][]int) time.Duration {
	sum := used[pid]
	for _, child := range children[pid] {
		sum += sumTree(child, used, children)
	}
	return sum
}

// readProcess returns the parent of a process and the time that it and those
// of its children that have ended have used. It reports false if it has gone.
func readProcess(pid int) (parent int, cpu time.Duration, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, false
	}
	// The name, in parentheses, may contain anything. After it: state ppid ...
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, ticks(fields[11]) + ticks(fields[12]) + ticks(fields[13]) + ticks(fields[14]), err == nil
}

func ticks(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64) // the kernel writes numbers
	return time.Duration(n) * tick
}
