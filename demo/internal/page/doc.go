// Package page makes the report: one HTML file with everything in it, that can
// be looked at without a network, sent to somebody, printed and kept.
//
// It is made from the JSON of the harness and from nothing else, so it can be
// made again at will. Every table stands in the file as HTML, and the bars and
// the Gantt chart as HTML and SVG; the charts that follow the cursor are drawn
// by uPlot, which is in the file too, and are the only thing that is missing
// where JavaScript is switched off.
//
// What is in a file may come from anywhere. All of it goes through the
// contextual escaping of html/template, and a content security policy in the
// page lets no script run but the two whose hashes it names, and nothing be
// fetched at all.
package page
