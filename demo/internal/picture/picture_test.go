package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tidegate-go/tidegate/limiter"
)

const folder = "../../../docs/pictures"

// Virtual time gives the same picture on every run: what differs has changed.
func TestCommittedPictureIsNotWhatTheCodeDraws(t *testing.T) {
	if testing.Short() {
		t.Skip("draws all pictures")
	}
	drawn := map[string]bool{}
	for _, p := range All() {
		drawn[p.Name+".svg"] = true
		path := filepath.Join(folder, p.Name+".svg")
		committed, err := os.ReadFile(path)
		switch {
		case err != nil:
			t.Error(err)
		case runtime.GOARCH == "amd64" && !bytes.Equal(committed, p.SVG): // others may round the last digit another way
			t.Errorf("%s: go run ./demo pictures draws another one", path)
		}
		if len(p.SVG) > 20_000 {
			t.Errorf("%s: %d bytes", p.Name, len(p.SVG))
		}
		readable(t, p)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files { // those that were measured have a folder of their own
		if !f.IsDir() && !drawn[f.Name()] {
			t.Errorf("%s: nothing draws it", f.Name())
		}
	}
}

// readable checks that p is XML, says in words what it shows, has colours for light
// and for dark, and asks nobody for anything.
func readable(t *testing.T, p Picture) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(p.SVG))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			break
		}
	}
	text := string(p.SVG)
	for _, want := range []string{"<title>", "<desc>", "prefers-color-scheme:dark"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %s", p.Name, want)
		}
	}
	if rest := strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, ""); strings.Contains(rest, "http") || strings.Contains(rest, "url(") {
		t.Errorf("%s asks for something from elsewhere", p.Name)
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("%s has a place that is no number", p.Name)
	}
}

// The documents show every picture, so none is kept for nothing.
func TestPictureIsInNoDocument(t *testing.T) {
	documents, err := filepath.Glob("../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range append(documents, "../../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.Contains(all.String(), "pictures/"+f.Name()) {
			t.Errorf("%s", f.Name())
		}
	}
}

// demo/fleet draws it from what it has measured, which may be nothing.
func TestFleetThatGotNothingCannotBeDrawn(t *testing.T) {
	readable(t, Picture{"fleet", Fleet(100, 30, []FleetRun{
		{Title: "<none>", Refused: 1, Moments: []FleetMoment{{At: 0.5}, {At: 1}}},
		{Title: "some", Moments: []FleetMoment{{0.5, 70, 30}, {1, 200, 0}}},
	})})
}

// An axis that ends too soon would draw 1,700 waiting calls as 300.
func TestValueBeyondTheAxisIsDrawnAtItsEnd(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("2 was drawn on an axis that ends at 1")
		}
	}()
	p := newCanvas(100, 100, "", "").panel(0, 50, scale{0, 1, false}, scale{0, 1, false})
	p.series("line ink", []point{{0, 1}, {1, 2}})
}

type dipping struct{ limiter.Policy }

func (dipping) Next(s limiter.State) (int, time.Duration) {
	if s.Now == 1500*time.Millisecond {
		return 2, 0
	}
	return 8, 0
}

// An experiment of Adaptive is often over before the next look of a course.
func TestShortDipOfALimitIsNotDrawn(t *testing.T) {
	w := &watched{Policy: dipping{}, least: make([]int, 2), most: make([]int, 2)}
	for now := range 3000 { // the last second is beyond the picture
		w.Next(limiter.State{Now: time.Duration(now) * time.Millisecond})
	}
	if w.least[0] != 8 || w.least[1] != 2 || w.most[1] != 8 {
		t.Errorf("least %v, most %v", w.least, w.most)
	}
}
