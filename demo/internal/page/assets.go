package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
)

// uPlot 1.6.32 by Leon Sorokin, MIT, unchanged from its npm package (dist/). The
// test of this package has the checksums.
//
//go:embed uplot/uPlot.iife.min.js
var uplotJS string

//go:embed uplot/uPlot.min.css
var uplotCSS string

//go:embed uplot/LICENSE
var uplotLicense string

//go:embed page.tmpl
var pageTemplate string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// policy is the content security policy. Styles may be inline because the
// lengths of bars are; a style cannot load anything, since nothing can.
func policy() string {
	hash := func(script string) string {
		sum := sha256.Sum256([]byte(script))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'; script-src " +
		hash(uplotJS) + " " + hash(pageJS)
}

var parsed = template.Must(template.New("page").Parse(pageTemplate))

// assets are the parts of the page that are the same in all reports. They are
// ours, and so they may pass unescaped; nothing that was read may.
type assets struct {
	Policy      string
	UPlotJS, JS template.JS
	UPlotCSS    template.CSS
	CSS         template.CSS
	License     string
}

func newAssets() assets {
	return assets{
		Policy:  policy(),
		UPlotJS: template.JS(uplotJS), JS: template.JS(pageJS),
		UPlotCSS: template.CSS(uplotCSS), CSS: template.CSS(pageCSS),
		License: uplotLicense,
	}
}
