package report

import (
	"fmt"
	"strings"

	"github.com/tidegate-go/tidegate/demo/internal/experiment"
)

// tell is by how much two times must differ before one is called faster. It is
// about what the same run differs by from one time to the next.
const tell = 0.10

// Sentence says in one sentence what the rows of an experiment show, or returns
// nothing if they show nothing. Every word of it depends on the numbers.
func Sentence(name string, n int, rows []Row) string {
	switch name {
	case experiment.NameSleep:
		return sleepSentence(n, rows)
	case experiment.NameUneven:
		return unevenSentence(rows)
	case experiment.NameHTTP:
		return httpSentence(n, rows)
	case experiment.NamePostgres:
		return postgresSentence(n, rows)
	}
	return ""
}

func sleepSentence(n int, rows []Row) string {
	all, haveAll := find(rows, experiment.Unbounded)
	batch, haveBatch := find(rows, experiment.Batch)
	var parts []string
	switch {
	case haveAll && haveBatch:
		parts = append(parts, fmt.Sprintf("all at once took %s and %s took %s, so at this number %s",
			seconds(all.Wall.Median), batch.Label, seconds(batch.Wall.Median), compare("running all at once", all, "batching", batch)))
	case haveAll:
		parts = append(parts, fmt.Sprintf("all at once took %s, %.1f times the %s that nobody can beat",
			seconds(all.Wall.Median), all.TimesFloor(), seconds(all.Floor)))
	}
	if haveAll && haveBatch && n == 100_000 && all.AsInPost && batch.AsInPost {
		verdict := "unlike the post"
		switch {
		case faster(all, batch):
			verdict = "the opposite of the post"
		case faster(batch, all):
			verdict = "as in the post"
		}
		parts = append(parts, verdict+", where batches were ahead at 100,000 (5.86 s against 6.24 s)")
	}
	theirs, haveTheirs := findOther(rows, experiment.Unbounded)
	theirBatch, haveTheirBatch := findOther(rows, experiment.Batch)
	if haveTheirs && haveTheirBatch {
		parts = append(parts, fmt.Sprintf("%s took %s and %s here, so there %s", theirs.Runtime,
			seconds(theirs.Wall.Median), seconds(theirBatch.Wall.Median), compare("all at once", theirs, "batching", theirBatch)))
	}
	fixed, haveFixed := find(rows, experiment.Fixed)
	if haveBatch && haveFixed && SameWidth(fixed, batch) && faster(fixed, batch) {
		parts = append(parts, fmt.Sprintf("%s, as wide as a batch, took %s: it does not wait for the slowest task of each batch",
			fixed.Label, seconds(fixed.Wall.Median)))
	}
	if best, ok := fastest(rows); ok && best.Policy != experiment.Unbounded && haveAll && faster(best, all) {
		parts = append(parts, fmt.Sprintf("the fastest was %s with %s", best.Label, seconds(best.Wall.Median)))
	}
	if adaptive, ok := find(rows, experiment.Adaptive); ok && haveAll && faster(all, adaptive) {
		parts = append(parts, fmt.Sprintf("adaptive took %s, the price of searching for a limit where there is none",
			seconds(adaptive.Wall.Median)))
	}
	return sentence(withDoubt(parts, rows))
}

// unevenSentence is about the one thing that the experiment is for.
func unevenSentence(rows []Row) string {
	batch, haveBatch := find(rows, experiment.Batch)
	fixed, haveFixed := find(rows, experiment.Fixed)
	if !haveBatch || !haveFixed || !SameWidth(fixed, batch) {
		return ""
	}
	verdict := "makes no difference that these runs could show"
	switch {
	case faster(fixed, batch):
		verdict = fmt.Sprintf("is %.1f times as fast: a batch waits for its slowest task, with most of its places empty", batch.Wall.Median/fixed.Wall.Median)
	case faster(batch, fixed):
		verdict = fmt.Sprintf("takes %.1f times as long", fixed.Wall.Median/batch.Wall.Median)
	}
	parts := []string{fmt.Sprintf("%s took %s and %s took %s; with as many places, letting the next task start whenever one ends %s",
		batch.Label, seconds(batch.Wall.Median), fixed.Label, seconds(fixed.Wall.Median), verdict)}
	return sentence(withDoubt(parts, []Row{batch, fixed}))
}

// SameWidth reports whether as many tasks run at once under fixed as in a batch.
func SameWidth(fixed, batch Row) bool {
	return fmt.Sprint(fixed.All[0].Params["limit"]) == fmt.Sprint(batch.All[0].Params["size"])
}

// withDoubt adds to parts, which compare times, that the times are in doubt.
func withDoubt(parts []string, rows []Row) []string {
	for _, r := range rows {
		if r.Noisy && len(parts) > 0 {
			return append(parts, "but other programs were busy meanwhile, so run it again before you believe the times")
		}
	}
	return parts
}

func httpSentence(n int, rows []Row) string {
	parts := failures(n, rows, timedOut)
	fixed, haveFixed := find(rows, experiment.Fixed)
	adaptive, haveAdaptive := find(rows, experiment.Adaptive)
	if haveFixed && haveAdaptive && fixed.Whole() && adaptive.Whole() {
		// Who gives a limit has not derived it, and who gives adaptive its first
		// one may know where to begin.
		knowing, derived := "", ""
		if !adaptive.Chosen {
			knowing = ", which knows nothing of the origin,"
		}
		if !fixed.Chosen {
			derived = ", which was derived from the origin's capacity"
		}
		parts = append(parts, fmt.Sprintf("adaptive%s took %.2f times as long as %s%s",
			knowing, adaptive.Wall.Median/fixed.Wall.Median, fixed.Label, derived))
		parts = withDoubt(parts, []Row{fixed, adaptive})
	}
	return sentence(parts)
}

func postgresSentence(n int, rows []Row) string {
	parts := failures(n, rows, refused)
	pool, havePool := find(rows, experiment.Pool)
	if fixed, ok := find(rows, experiment.Fixed); ok && havePool && pool.Whole() && fixed.Whole() {
		parts = append(parts, fmt.Sprintf("the pool opened %d connections and took %s, %s opened %d and took %s",
			pool.Connections, seconds(pool.Wall.Median), fixed.Label, fixed.Connections, seconds(fixed.Wall.Median)))
		parts = withDoubt(parts, []Row{pool, fixed})
	}
	return sentence(parts)
}

// compare says which of two rows was the faster, if either was.
func compare(nameA string, a Row, nameB string, b Row) string {
	switch {
	case faster(a, b):
		return fmt.Sprintf("%s is %.1f times as fast", nameA, b.Wall.Median/a.Wall.Median)
	case faster(b, a):
		return fmt.Sprintf("%s is %.1f times as fast", nameB, a.Wall.Median/b.Wall.Median)
	default:
		return "it makes no difference that these runs could show"
	}
}

// faster reports whether a took less time than b beyond doubt: by more than
// runs differ anyway, and in all of its runs.
func faster(a, b Row) bool {
	return a.Wall.Median < (1-tell)*b.Wall.Median && a.Wall.Max < b.Wall.Min
}

// fastest is the row with the least time among those whose tasks all succeeded.
func fastest(rows []Row) (best Row, ok bool) {
	for _, r := range rows {
		if r.Runtime == "" && r.Whole() && (!ok || r.Wall.Median < best.Wall.Median) {
			best, ok = r, true
		}
	}
	return best, ok
}

// sentence joins parts and makes the first letter a capital.
func sentence(parts []string) string {
	text := strings.Join(parts, "; ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
