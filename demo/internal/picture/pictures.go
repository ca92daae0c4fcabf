package picture

import (
	"github.com/tidegate-go/tidegate/demo/internal/scenario"
)

// A Picture is a file of the documents.
type Picture struct {
	Name string // of the file, without its end
	SVG  []byte
}

// All draws all pictures. It takes a few seconds.
func All() []Picture {
	lab := scenario.NewLab()
	var all []Picture
	for _, s := range stepped {
		all = append(all, Picture{s.name, s.draw(lab)})
	}
	return append(
		all,
		Picture{"knee", drawKnee(lab)},
		Picture{"batch", drawBatch()},
		Picture{"rate", drawRate()},
		Picture{"all", drawAll(lab)},
		Picture{"clients", drawClients(lab)},
	)
}
