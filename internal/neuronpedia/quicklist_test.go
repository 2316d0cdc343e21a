package neuronpedia

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// read takes an address apart as the page does.
func read(t *testing.T, address string) (name string, features []Feature) {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Scheme != "https" || parsed.Host != "www.neuronpedia.org" || parsed.Path != "/quick-list/" {
		t.Fatalf("an address of another page: %s", address)
	}
	var objects []map[string]string // the index too is a string
	if err := json.Unmarshal([]byte(parsed.Query().Get("features")), &objects); err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		index, err := strconv.Atoi(o["index"])
		if err != nil || len(o) != 3 {
			t.Fatalf("feature %v: %v", o, err)
		}
		features = append(features, Feature{o["modelId"], o["layer"], index})
	}
	return parsed.Query().Get("name"), features
}

// TestQuickLists: the lists hold the features in order, none has more than the page
// takes, and only lists that are full are followed by another.
func TestQuickLists(t *testing.T) {
	for _, test := range []struct {
		model, source string
		n             int
		sizes         string
	}{
		{"gpt2-small", "8-res-jb", 1, "1"},
		{"gpt2-small", "8-res-jb", 150, "150"},
		{"gpt2-small", "8-res-jb", 151, "150 1"},
		{"gpt2-small", "8-res-jb", 450, "150 150 150"},
		{"m", strings.Repeat("s", 6900), 3, "1 1 1"}, // too long for two to a list
		{"a b", "ü/&=+?#\"\\,:{", 2, "2"},
	} {
		var features []Feature
		for i := range test.n {
			features = append(features, Feature{test.model, test.source, 24575 - i})
		}
		const given = "boys' + girls' & more: 50 %"
		addresses := QuickLists(given, features)
		var sizes []string
		var all []Feature
		for i, address := range addresses {
			name, some := read(t, address)
			want := given
			if len(addresses) > 1 {
				want = fmt.Sprintf("%s (%d of %d)", given, i+1, len(addresses))
			}
			if name != want {
				t.Errorf("list %d is called %q, expected %q", i+1, name, want)
			}
			if len(some) > MaxFeatures || len(address) > MaxLength {
				t.Errorf("%d features, %d bytes", len(some), len(address))
			}
			sizes, all = append(sizes, strconv.Itoa(len(some))), append(all, some...)
		}
		if got := strings.Join(sizes, " "); got != test.sizes {
			t.Errorf("%d features of %.20s made lists of %s, expected %s", test.n, test.source, got, test.sizes)
		}
		if fmt.Sprint(all) != fmt.Sprint(features) {
			t.Errorf("the lists have other features, or in another order")
		}
	}
	// Names as long as those of Gemma Scope: the length is reached first.
	var features []Feature
	for i := range 300 {
		features = append(features, Feature{"gemma-2-9b", "20-gemmascope-res-131k__l0-10", 131071 - i})
	}
	if addresses := QuickLists("list", features); len(addresses) != 3 {
		t.Errorf("%d lists, expected 3", len(addresses))
	}
	if addresses := QuickLists("list", nil); len(addresses) != 0 {
		t.Errorf("%d lists of nothing", len(addresses))
	}
}

func TestParseID(t *testing.T) {
	for id, want := range map[string]string{"gpt2-small/8-res-jb": "gpt2-small|8-res-jb", "gpt2-small": "", "/x": "", "x/": "", "a/b/c": "", "": ""} {
		model, source, ok := ParseID(id)
		if ok != (want != "") || ok && model+"|"+source != want {
			t.Errorf("ParseID(%q) = %q, %q, %v", id, model, source, ok)
		}
	}
}

// FuzzQuickLists: whatever names are, the page reads what was given.
func FuzzQuickLists(f *testing.F) {
	f.Add("a list", "gpt2-small", "8-res-jb", uint16(151))
	f.Add("%3A + %2C", "\x00\"\\", "é&#", uint16(2))
	f.Fuzz(func(t *testing.T, name, model, source string, n uint16) {
		var features []Feature
		for i := range int(n % 400) {
			features = append(features, Feature{strings.ToValidUTF8(model, "?"), strings.ToValidUTF8(source, "?"), i})
		}
		var all []Feature
		for _, address := range QuickLists(name, features) {
			called, some := read(t, address)
			if !strings.HasPrefix(called, name) || len(some) == 0 || len(some) > MaxFeatures {
				t.Fatalf("list %q of %d features", called, len(some))
			}
			all = append(all, some...)
		}
		if fmt.Sprint(all) != fmt.Sprint(features) {
			t.Fatal("other features")
		}
	})
}
