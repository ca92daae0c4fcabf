// Package linear holds no code to import: its tests record what goroutines that run at
// the same time see of one Limiter, and ask porcupine whether one goroutine after the
// other could have seen the same. If not, two calls have got one place, or a place has
// got lost.
//
//	go test -race -v ./linear -histories 5000
package linear
