package main

import (
	"os"
	"path/filepath"
)

// places are where the last run is kept if nobody says where: in a folder of
// the user's cache, which systems may empty and backups leave out.
type places struct{ folder, json, report string }

func newPlaces() places {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir() // no home: a container, most often
	}
	folder := filepath.Join(cache, "tidegate")
	return places{folder, filepath.Join(folder, "results.json"), filepath.Join(folder, "report.html")}
}

// make creates the folder, which only the user may read: the results say what
// machine this is.
func (p places) make() error { return os.MkdirAll(p.folder, 0o700) }
