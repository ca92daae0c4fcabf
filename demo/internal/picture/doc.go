// Package picture draws the pictures of the documents: what the policies of package
// limiter do, in virtual time, so that they come out the same to the byte.
//
//	svg.go        a canvas, with colours for light and dark
//	panel.go      axes, lines and areas
//	pictures.go   all of them, by name
//	step.go       each policy while the capacity of a service falls and returns
//	knee.go       what more calls at once bring
//	play.go       tasks through a policy, one by one
//	tasks.go      batches beside a sliding limit; the bucket of Rate
//	slow.go       a rate alone, and beside a limit
//	clients.go    several clients of one service
//	fleet.go      processes that share a quota, as demo/fleet has measured them
//
// The SVG is written here since the libraries for it write each colour into each
// element, and gonum.org/v1/plot the name of a font too: in the dark black text
// stands on black. Here an element has a class, and a style sheet of a few lines says
// what that is in light and in dark.
package picture
