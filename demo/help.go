package main

import (
	"fmt"
	"io"
	"strings"
)

const helpLead = `Run the experiments of the post "What is the maximum number of coroutines you
should run concurrently?" under every policy of package limiter.

Examples:
  go run ./demo                                            all of it, in about a minute
  go run ./demo --experiments sleep --n 1000000            does batching win yet?
  go run ./demo --experiments http --n 1000,3000 --runs 6  with the spread of six runs
  go run ./demo --experiments http --limit 4               a limit that is too low
  go run ./demo --experiments postgres --dsn "$DATABASE_URL" --policies fixed,pool
  go run ./demo --json results.json                        all figures and timelines

Other commands, each with its --help:
  sweep      find how many calls should run at once against an origin, or up to
             how many sleeping tasks all at once is best
  probe URL  the same for an endpoint of yours, politely
  serve      the origin alone, for other tools
  doctor     what this machine has, and what will be skipped

Experiments:
  sleep      tasks that sleep 3 × 0.1 s: what the scheduler can bear
  uneven     tasks of uneven lengths: what a batch costs that waits for its slowest
  http       one GET each to an origin with a known capacity, in a child process
             on loopback: when time-outs begin, predicted and checked
  postgres   one connection each to a server with max_connections = 100: a real
             temporary one if PostgreSQL is installed, else a labelled stand-in

Policies:
  unbounded  all at once
  batch      five batches, each of which waits for the one before
  fixed      a constant number in flight
  rate       a number of starts per second
  adaptive   finds its own limit, from a cold start
  aimd       as Netflix has it; of these four, gradient runs only if it is asked for
  vegas      as Netflix has it: the least latency is the one without a queue
  gradient2  as Netflix has it: latency against its long average
  gradient   as Envoy has it: latency against that with 3 calls in flight
  pool       postgres only: the same tasks through a connection pool
`

const helpTail = `
Commands (each with --help):
  run         the experiments: the same as without a command
  sweep       how many calls to run at once, measured against an origin of known size
  probe       the same for an endpoint of yours, politely
  serve       the origin alone, for other clients and tools
  doctor      what this machine has, and what will be skipped
  scenario    policies on modelled servers, in virtual time, beside the best limit
  report      the HTML report, CSV or Markdown from JSON
  compare     two results beside each other; fails on a regression
  selfcheck   what the harness itself costs, and whether it tells the truth
  pictures    draw the pictures of the documents
  completion  the script that completes all this in bash, zsh, fish or PowerShell

The report and the results of the last run are kept in your cache folder; the
last line of the output names the file. --report names another place, or none.

Results go to standard output, progress to standard error. Ctrl-C ends the run
and prints what is done; a second one quits at once. NO_COLOR is honoured.

Exit status: 0 done, 1 internal error, 2 wrong flag or value, 3 figures not as
good as they had to be (compare, selfcheck), 4 something that is needed is missing
(no server at --dsn, --addr in use, too little memory for --n), 130 interrupted.
"go run" turns all but 0 into 1; "go build -o bin/demo ./demo" keeps them.
`

// help writes the help, examples first: most readers look for a line to copy.
func help(w io.Writer, groups []flagGroup) {
	var b strings.Builder
	b.WriteString(helpLead)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.set.FlagUsages())
	}
	b.WriteString(helpTail)
	_, _ = io.WriteString(w, b.String())
}
