// Package peers holds no code to import: its tests put each operation of
// package limiter beside what Go programs use today, in the same shape and in
// the same run. Command bench in this module prints the table.
//
// It is a module of its own so that the rivals do not become requirements of
// those who import Tidegate.
package peers
