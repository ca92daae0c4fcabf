package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are the licences that ask no more of a program than to be named in it.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "ISC", "MIT", "Unlicense"}

// speaksOfRights reports whether a file of that name is a licence or a notice.
func speaksOfRights(name string) bool {
	if path.Ext(name) == ".go" {
		return false
	}
	name = strings.ToUpper(name)
	for _, prefix := range []string{"LICENSE", "LICENCE", "UNLICENSE", "COPYING", "NOTICE"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func isNotice(name string) bool { return strings.HasPrefix(strings.ToUpper(path.Base(name)), "NOTICE") }

// enough is how much of a file must be a known licence, in per cent: pkg.go.dev's
// measure. The rest is names.
const enough = 75

// identify returns the licences that text holds. It is an error if they are not known
// or not allowed.
func identify(text []byte) ([]string, error) {
	c := licensecheck.Scan(text)
	if c.Percent < enough {
		return nil, fmt.Errorf("%.0f %% of it is a licence that is known, want %d %%", c.Percent, enough)
	}
	var ids []string
	for _, m := range c.Match {
		if m.IsURL {
			continue
		}
		if !slices.Contains(allowed, m.ID) {
			return nil, fmt.Errorf("%s is not among the licences that are allowed", m.ID)
		}
		ids = append(ids, m.ID)
	}
	if len(ids) == 0 {
		return nil, errors.New("it only refers to a licence")
	}
	return ids, nil
}
