package main

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A module is one that is linked.
type module struct {
	path, version string
	licences      []string // SPDX identifiers
	files         []string // where they are, from the root of the module; and notices
}

// systems are those whose programs are looked at: some modules are linked on some
// of them only.
var systems = []string{"linux", "darwin", "windows"}

const self = "github.com/tidegate-go/tidegate"

// linked returns the modules that a package in dir links, by their paths.
func linked(dir, pkg string) ([]*module, error) {
	found := map[string]*module{}
	for _, system := range systems {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}", pkg)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
			f := strings.Split(lines.Text(), "\t")
			if len(f) != 4 || f[0] == self || strings.HasPrefix(f[0], self+"/") {
				continue
			}
			m := found[f[0]]
			if m == nil {
				m = &module{path: f[0], version: f[1]}
				found[f[0]] = m
			}
			if err := m.read(f[2], f[3]); err != nil {
				return nil, err
			}
		}
	}
	all := slices.SortedFunc(maps.Values(found), func(a, b *module) int { return strings.Compare(a.path, b.path) })
	for _, m := range all {
		if len(m.licences) == 0 {
			return nil, fmt.Errorf("%s has no licence", m.path)
		}
	}
	return all, nil
}

// read adds the licences that hold for a package: those in its directory and in
// all above, up to the root of the module. Some modules carry packages of others.
func (m *module) read(root, dir string) error {
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !speaksOfRights(e.Name()) {
				continue
			}
			path := filepath.Join(dir, e.Name())
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if err := m.add(filepath.ToSlash(name), path); err != nil {
				return err
			}
		}
		if dir == root {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

func (m *module) add(name, path string) error {
	if slices.Contains(m.files, name) {
		return nil
	}
	m.files = append(m.files, name)
	slices.Sort(m.files)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if isNotice(name) {
		return nil // has no terms, but has to go with the program
	}
	ids, err := identify(text)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", m.path, name, err)
	}
	for _, id := range ids {
		if !slices.Contains(m.licences, id) {
			m.licences = append(m.licences, id)
		}
	}
	slices.Sort(m.licences)
	return nil
}
