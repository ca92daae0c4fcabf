package report

import (
	"os"

	"golang.org/x/term"
)

// A Style says how to write to a stream. The zero Style is plain text.
type Style struct {
	Colour bool
	Live   bool // the stream is a terminal on which lines can be drawn anew
}

// StyleOf looks at the stream itself, since standard output may be a file while
// standard error is a terminal, and at what the environment asks for: NO_COLOR
// (no-color.org) counts if it is not empty, and a dumb terminal can do nothing.
func StyleOf(f *os.File) Style {
	live := term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	return Style{Live: live, Colour: live && os.Getenv("NO_COLOR") == ""}
}

func (s Style) bold(text string) string { return s.wrap("1", text) }
func (s Style) dim(text string) string  { return s.wrap("2", text) }
func (s Style) bad(text string) string  { return s.wrap("31", text) }
func (s Style) good(text string) string { return s.wrap("32", text) }

func (s Style) wrap(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Dim writes what matters less.
func (s Style) Dim(text string) string { return s.dim(text) }

// Bad writes what is bad.
func (s Style) Bad(text string) string { return s.bad(text) }

// Good writes what is good.
func (s Style) Good(text string) string { return s.good(text) }
