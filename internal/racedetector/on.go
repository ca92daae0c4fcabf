//go:build race

// Package racedetector tells tests whether the race detector is on, which takes memory
// and shuffles what runs first.
package racedetector

// On reports whether it is.
const On = true
