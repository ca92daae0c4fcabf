package perkey

import (
	"slices"
	"testing"
)

func TestPinnedValueIsDropped(t *testing.T) {
	made := map[int]int{}
	table := New(1, func(key int) (int, int) { made[key]++; return key, 10 * key }, nil)
	pinned := table.Pin(1)
	for key := range 50 {
		e := table.Pin(100 + key)
		e.Unpin()
	}
	if again := table.Pin(1); again != pinned || again.Value != 10 || made[1] != 1 {
		t.Errorf("made %d times", made[1])
	} else {
		again.Unpin()
	}
	pinned.Unpin()
	table.Pin(2).Unpin() // drops what is over the bound
	table.Pin(3).Unpin()
	if table.Len() != 1 {
		t.Errorf("%d values kept, want 1", table.Len())
	}
	table.Pin(1).Unpin()
	if made[1] != 2 {
		t.Errorf("a value that nobody uses outlives the bound")
	}
}

func TestCreateThatPanicsBreaksTheTable(t *testing.T) {
	fail := true
	table := New(4, func(key string) (string, string) {
		if fail {
			panic("on purpose")
		}
		return key, key
	}, nil)
	func() {
		defer func() { _ = recover() }()
		table.Pin("a")
	}()
	fail = false
	if e := table.Pin("a"); e.Value != "a" || table.Len() != 1 {
		t.Errorf("%q, %d", e.Value, table.Len())
	}
}

func TestEachMissesTheOrderOfUse(t *testing.T) {
	table := New(9, func(key int) (int, int) { return key, key }, nil)
	for _, key := range []int{1, 2, 3, 1} {
		table.Pin(key).Unpin()
	}
	var order []int
	table.Each(func(key, _ int) bool {
		table.Pin(key).Unpin() // the table is not locked
		order = append(order, key)
		return len(order) < 2
	})
	if !slices.Equal(order, []int{1, 3}) {
		t.Errorf("order %v", order)
	}
}

// Most uses may be of one key, which is the shortest way through Pin.
func TestSurplusStaysWhileOneKeyIsUsed(t *testing.T) {
	table := New(1, func(key int) (int, int) { return key, key }, nil)
	var pinned []*Entry[int, int]
	for key := range 50 {
		pinned = append(pinned, table.Pin(key))
	}
	for _, e := range pinned {
		e.Unpin()
	}
	for range 10 {
		table.Pin(49).Unpin()
	}
	if table.Len() != 1 {
		t.Errorf("%d values kept, want 1", table.Len())
	}
}
