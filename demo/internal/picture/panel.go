package picture

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A scale says where on an axis a value is. What lies below its end is drawn there, as
// are zeroes where it is logarithmic.
type scale struct {
	low, high float64
	log       bool
}

// at is where v is, from 0 to 1.
func (s scale) at(v float64) float64 {
	if !(v <= s.high) { // cut off, the worst would look like something better
		panic(fmt.Sprintf("picture: %v is beyond the end of an axis, %v", v, s.high))
	}
	v = math.Max(s.low, v)
	if s.log {
		return math.Log(v/s.low) / math.Log(s.high/s.low)
	}
	return (v - s.low) / (s.high - s.low)
}

// A panel is a part of a canvas with an axis to the right and one upwards.
type panel struct {
	*canvas
	left, top, wide, tall float64
	x, y                  scale
}

// margin is what stands free on the left, for labels, and right is on the right.
const (
	margin = 56.0
	right  = 16.0
)

// panel returns one of the whole width.
func (c *canvas) panel(top, tall float64, x, y scale) *panel {
	return &panel{c, margin, top, float64(c.width) - margin - right, tall, x, y}
}

func (p *panel) px(x float64) float64 { return p.left + p.wide*p.x.at(x) }
func (p *panel) py(y float64) float64 { return p.top + p.tall*(1-p.y.at(y)) }

// frame draws what it measures above its left end, and a rule with its value at each
// of ys.
func (p *panel) frame(what string, ys ...float64) {
	p.text("small dim", p.left, p.top-7, what)
	for _, y := range ys {
		p.path("thin rule", []point{{p.left, p.py(y)}, {p.left + p.wide, p.py(y)}})
		p.text("small end dim", p.left-7, p.py(y)+4, number(y))
	}
}

// under writes the values of xs under the panel, the first one with the unit.
func (p *panel) under(unit string, xs ...float64) {
	for i, x := range xs {
		text := number(x)
		if i == 0 && unit != "" {
			text += " " + unit
		}
		p.text("small middle dim", p.px(x), p.top+p.tall+17, text)
	}
}

// upright draws a line from top to bottom.
func (p *panel) upright(class string, x float64) {
	p.path(class, []point{{p.px(x), p.top}, {p.px(x), p.top + p.tall}})
}

// series draws a line through points in the units of the axes.
func (p *panel) series(class string, points []point) { p.path(class, p.placed(points)) }

// steps draws a line that keeps each value until the next.
func (p *panel) steps(class string, points []point) {
	var stairs []point
	for i, at := range p.placed(points) {
		if i > 0 {
			stairs = append(stairs, point{at.x, stairs[len(stairs)-1].y})
		}
		stairs = append(stairs, at)
	}
	p.path(class, stairs)
}

// area fills what is below points.
func (p *panel) area(class string, points []point) {
	placed := p.placed(points)
	bottom := p.top + p.tall
	placed = append(slices.Insert(placed, 0, point{placed[0].x, bottom}), point{placed[len(placed)-1].x, bottom})
	p.path(class, placed)
}

// band fills what is between two values of each second, at its middle.
func (p *panel) band(class string, least, most []int) {
	var around []point
	for i, v := range least {
		around = append(around, point{float64(i) + 0.5, float64(v)})
	}
	for i := len(most) - 1; i >= 0; i-- {
		around = append(around, point{float64(i) + 0.5, float64(most[i])})
	}
	p.path(class, p.placed(around))
}

func (p *panel) placed(points []point) []point {
	placed := make([]point, len(points))
	for i, q := range points {
		placed[i] = point{p.px(q.x), p.py(q.y)}
	}
	return placed
}

// A phase of what is drawn begins somewhere on the axis to the right.
type phase struct {
	from float64
	text string
}

// phases writes what the phases are above the topmost of panels, and draws lines
// between them through all.
func phases(y float64, all []phase, panels ...*panel) {
	for i, f := range all {
		p := panels[0]
		to := p.left + p.wide
		if i+1 < len(all) {
			to = p.px(all[i+1].from)
		}
		p.text("small middle ink", (p.px(f.from)+to)/2, y, f.text)
		if i > 0 {
			for _, p := range panels {
				p.upright("thin dim", f.from)
			}
		}
	}
}

// number is a value as people write it: 0.5, 20, 1,000.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if v >= 1000 && v < 1e6 && v == math.Trunc(v) {
		text = text[:len(text)-3] + "," + text[len(text)-3:]
	}
	return text
}

// A key says what something that is drawn stands for.
type key struct{ class, text string }

// legend draws keys from left to right, at a height.
func (c *canvas) legend(y float64, keys ...key) {
	x := margin
	for _, k := range keys {
		switch shape := k.class[:4]; shape {
		case "area", "fill":
			c.rect(k.class, x, y-9, 22, 10)
		default:
			c.path(k.class, []point{{x, y - 4}, {x + 22, y - 4}})
		}
		c.text("small ink", x+28, y, k.text)
		x += 28 + 6.7*float64(len([]rune(k.text))) + 24
	}
}
