// Command licences prints LICENSES.md: what a program links that imports a package
// of this repository, and under which licences. It is a module of its own because
// nobody else needs the reader of licences that pkg.go.dev uses, too.
//
//	cd internal/licences && go run . >../../LICENSES.md
//
// Its test fails when that file is not what it would print.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

const root = "../.."

// products are what people build. Each is a directory with a go.mod, and the
// packages in it.
var products = []struct{ name, dir, pkg string }{
	{"limiter", root, "./limiter"},
	{"httpclient", root, "./httpclient"},
	{"httpclient/otelmetrics", root + "/httpclient/otelmetrics", "."},
	{"httpclient/prommetrics", root + "/httpclient/prommetrics", "."},
	{"limiter/fleet", root + "/limiter/fleet", "."},
	{"demo", root, "./demo"},
	{"demo/fleet", root + "/demo/fleet", "."},
}

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

const lead = `# Licences

What a program links that imports a package of this repository, besides Go's standard
library (BSD-3-Clause) and this repository itself (MIT). It is the sum over Linux, macOS
and Windows, without what only tests need. The licences are read from the files in the
modules, at the versions that go.mod names and go.sum has the checksums of.

Made by ` + "`cd internal/licences && go run . >../../LICENSES.md`" + `; CI checks that it is up to date
and that no other kinds of licences are in it than these: %s.
`

func write(w io.Writer) error {
	if _, err := fmt.Fprintf(w, lead, strings.Join(allowed, ", ")); err != nil {
		return err
	}
	for _, p := range products {
		modules, err := linked(p.dir, p.pkg)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		text := "\n## " + p.name + "\n\n| module | version | licence | files |\n|---|---|---|---|\n"
		for _, m := range modules {
			text += fmt.Sprintf("| %s | %s | %s | %s |\n", m.path, m.version, strings.Join(m.licences, ", "), strings.Join(m.files, ", "))
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}
