// Command demo reproduces the experiments of the blog post "What is the maximum
// number of coroutines you should run concurrently?" in Go, under every policy
// of package limiter, and shows the figures beside the post's own.
//
//	go run ./demo
package main

import (
	"os"

	"github.com/tidegate-go/tidegate/demo/internal/origin"
)

func main() {
	origin.Main() // does not return in the child process that is the HTTP origin
	os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
}
