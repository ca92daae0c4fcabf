package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidegate-go/tidegate/demo/internal/picture"
)

const picturesLead = `Draw the pictures of the documents as SVG files, for light pages and for dark ones:
what each policy does to a modelled service, batches beside a limit, the bucket of a
rate, the knee. They are played in virtual time, which takes some seconds, and come
out the same to the byte; a test compares those in docs/pictures with them.

Pictures of what was measured are in docs/pictures/measured and come from where they
were measured: cd demo/fleet && go run . --plot FILE.

Examples:
  go run ./demo pictures                     into docs/pictures, from the root of the repository
  go run ./demo pictures --dir /tmp/pictures
`

const picturesTail = `
Exit status: 0 done, 1 internal error, 2 wrong flag or value. "go run" turns all but
0 into 1.
`

var validPictures = map[string]string{"dir": "the name of a folder, which can be written to, and is made if it is not there"}

func newPictures(s streams) *cobra.Command {
	var dir string
	flags := newFlagGroup("Flags")
	flags.set.StringVar(&dir, "dir", "docs/pictures", "`folder` for the pictures")
	return subcommand{
		use: "pictures", short: "Draw the pictures of the documents", lead: picturesLead, tail: picturesTail,
		valid: validPictures, flags: []flagGroup{flags},
		run: func(_ []string, given map[string]string) error {
			if err := checkGiven(given, map[string]bool{"dir": dir != ""}, validPictures); err != nil {
				return err
			}
			return drawInto(s, dir)
		},
	}.command()
}

func drawInto(s streams, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return usageError("--dir: %w; valid: %s", err, validPictures["dir"])
	}
	out := &output{w: s.stdout}
	for _, p := range picture.All() {
		path := filepath.Join(dir, p.Name+".svg")
		if err := os.WriteFile(path, p.SVG, 0o644); err != nil {
			return usageError("--dir: %w; valid: %s", err, validPictures["dir"])
		}
		fmt.Fprintf(out, "%s  %.1f kB\n", path, float64(len(p.SVG))/1000)
	}
	return out.lost()
}
