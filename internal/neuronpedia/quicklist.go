// Package neuronpedia makes addresses of Neuronpedia's pages.
package neuronpedia

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// MaxFeatures is how many features a quick list may have: Neuronpedia's page answers
// 404 above it (hijohnnylin/neuronpedia, apps/webapp/app/quick-list/page.tsx).
const MaxFeatures = 150

// MaxLength bounds the address of a list, in bytes: the page is served by Node, which
// refuses a request whose first line and headers have more than 16 KiB together; the
// rest is left to the browser's headers.
const MaxLength = 14000

const quickList = "https://www.neuronpedia.org/quick-list/"

// Feature is a feature by Neuronpedia's names.
type Feature struct {
	Model  string // gpt2-small
	Source string // 8-res-jb
	Index  int
}

// ParseID splits what a configuration gives as neuronpedia_id, MODEL/SOURCE.
func ParseID(id string) (model, source string, ok bool) {
	model, source, ok = strings.Cut(id, "/")
	return model, source, ok && model != "" && source != "" && !strings.Contains(source, "/")
}

// QuickLists returns the addresses of pages that show the features, in order: as many
// as MaxFeatures and MaxLength make of them. Of several, each name says which it is.
func QuickLists(name string, features []Feature) []string {
	// The longest name is allowed for before the number of lists is known.
	room := MaxLength - len(quickList) - len(escape(numbered(name, len(features), len(features)))) - len("?name=&features=") - len(escape("[]"))
	var lists [][]string
	length := 0
	for _, f := range features {
		text := escape(f.json())
		last := len(lists) - 1
		if last < 0 || len(lists[last]) == MaxFeatures || length+len(",")+len(text) > room {
			lists, last, length = append(lists, nil), last+1, 0
		}
		lists[last] = append(lists[last], text)
		length += len(",") + len(text)
	}
	addresses := make([]string, len(lists))
	for i, list := range lists {
		addresses[i] = quickList + "?name=" + escape(numbered(name, i+1, len(lists))) + "&features=" + escape("[") + strings.Join(list, ",") + escape("]")
	}
	return addresses
}

func numbered(name string, i, of int) string {
	if of < 2 {
		return name
	}
	return fmt.Sprintf("%s (%d of %d)", name, i, of)
}

// json is the feature as the page reads it: the source is called layer, and the index
// is a string.
func (f Feature) json() string {
	text, err := json.Marshal(struct {
		ModelID string `json:"modelId"`
		Layer   string `json:"layer"`
		Index   string `json:"index"`
	}{f.Model, f.Source, strconv.Itoa(f.Index)})
	if err != nil {
		panic(err) // three strings
	}
	return string(text)
}

// escape is s in a query. Colons and commas may stand there as they are (RFC 3986,
// 3.4), which keeps the address a sixth shorter.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%3A", ":", "%2C", ",").Replace(url.QueryEscape(s))
}
