package picture

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A colour in light and in dark. They are those of the report's page.
type colour struct{ light, dark string }

var colours = map[string]colour{
	"paper": {"#fcfbf8", "#15191d"}, "ink": {"#23282d", "#dfe3e6"}, "dim": {"#6b737b", "#949da5"},
	"rule": {"#e3e0d8", "#2c3339"}, "soft": {"#f3f1eb", "#1d2328"}, "bad": {"#b3402e", "#ee8a75"},
	"unlimited": {"#c4553f", "#e27d68"}, "batch": {"#b67f1e", "#dcae5c"}, "fixed": {"#3b74ad", "#6ea6dc"},
	"rate": {"#7d65ad", "#a693d6"}, "adaptive": {"#2a8a76", "#4fb8a2"}, "aimd": {"#8f6d4a", "#b8946e"},
	"vegas": {"#6f8f2f", "#9cbc58"}, "gradient2": {"#b0527f", "#d582aa"}, "gradient": {"#3f89ad", "#7cc0df"},
}

// The style of what is drawn. Each colour is a class that says what --c is.
const style = `
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--c)}
.small{font-size:12px}.bold{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}
.line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
.thin{fill:none;stroke:var(--c)}
.dash{fill:none;stroke:var(--c);stroke-width:1.5;stroke-dasharray:5 4}
.area{fill:var(--c);opacity:.3}.fill{fill:var(--c)}
`

// A canvas is a picture that is being drawn. Lengths are in pixels of a screen on
// which it is shown in its own size; x goes to the right and y goes down.
type canvas struct {
	width, height int
	title, about  string
	used          map[string]bool // colours
	body          strings.Builder
}

// newCanvas returns a canvas with paper on it. The title and what it is about are for
// those who cannot see it.
func newCanvas(width, height int, title, about string) *canvas {
	c := &canvas{width: width, height: height, title: title, about: about, used: map[string]bool{}}
	// Without paper of its own a dark picture would stand on a page whose reader has
	// chosen light for this site alone.
	c.rect("fill paper", 0, 0, float64(width), float64(height))
	return c
}

// class returns the attribute, and takes note of the colour, which comes last.
func (c *canvas) class(class string) string {
	words := strings.Fields(class)
	name := words[len(words)-1]
	if _, known := colours[name]; !known {
		panic("picture: no colour " + name)
	}
	c.used[name] = true
	return `class="` + class + `"`
}

func (c *canvas) rect(class string, x, y, w, h float64) {
	fmt.Fprintf(&c.body, "<rect %s x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>\n", c.class(class), short(x), short(y), short(w), short(h))
}

func (c *canvas) text(class string, x, y float64, text string) {
	fmt.Fprintf(&c.body, "<text %s x=\"%s\" y=\"%s\">%s</text>\n", c.class(class), short(x), short(y), html.EscapeString(text))
}

// path draws a line through points.
func (c *canvas) path(class string, points []point) {
	fmt.Fprintf(&c.body, "<path %s d=\"%s\"/>\n", c.class(class), strings.TrimSpace(outline(points)))
}

// A point of a canvas, or of a panel in the units of its axes.
type point struct{ x, y float64 }

// outline is the way through points, without those on a straight horizontal line
// between their neighbours.
func outline(points []point) string {
	var b strings.Builder
	for i, p := range points {
		if i > 0 && i < len(points)-1 && short(points[i-1].y) == short(p.y) && short(p.y) == short(points[i+1].y) {
			continue
		}
		letter := " "
		if i == 0 {
			letter = "M"
		}
		b.WriteString(letter + short(p.x) + " " + short(p.y))
	}
	return b.String()
}

// short is a length to the tenth, which nobody can see the end of.
func short(v float64) string {
	return strconv.FormatFloat(math.Round(10*v)/10+0, 'f', -1, 64)
}

// bytes returns the SVG.
func (c *canvas) bytes() []byte {
	names := make([]string, 0, len(c.used))
	for name := range c.used {
		names = append(names, name)
	}
	slices.Sort(names)
	var light, dark strings.Builder
	for _, name := range names {
		fmt.Fprintf(&light, ".%s{--c:%s}", name, colours[name].light)
		fmt.Fprintf(&dark, ".%s{--c:%s}", name, colours[name].dark)
	}
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">
<title>%s</title>
<desc>%s</desc>
<style>%s%s
@media(prefers-color-scheme:dark){%s}
</style>
%s</svg>
`, c.width, c.height, c.width, c.height, html.EscapeString(c.title), html.EscapeString(c.about), style, light.String(), dark.String(), c.body.String())
}
