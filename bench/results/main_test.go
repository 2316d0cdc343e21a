package main

import (
	"strings"
	"testing"
)

// TestInto: what a benchmark printed takes the place of what it printed before on such a processor, and
// of nothing else; a section that is not there yet comes before the last.
func TestInto(t *testing.T) {
	const page = "# Results\n\n## One\n\nby hand\n\n## Two\n\nalso\n\n## To measure again\n\nhow\n"
	one, three := section{name: "one", title: "One"}, section{name: "three", title: "Three"}
	text := one.into(page, "Zen", "first\n")
	text = one.into(text, "Xeon", "other\n")
	text = three.into(text, "Zen", "third\n")
	text = one.into(text, "Zen", "second\n")
	for _, there := range []string{"by hand", "## Two\n\nalso\n", "second", "other", "## Three\n", "third", "how\n"} {
		if strings.Count(text, there) != 1 {
			t.Errorf("%q is there %d times:\n%s", there, strings.Count(text, there), text)
		}
	}
	if strings.Contains(text, "first") || strings.Index(text, "## Three") > strings.Index(text, "## To measure again") || strings.Index(text, "second") > strings.Index(text, "by hand") {
		t.Errorf("the page is\n%s", text)
	}
	if again := one.into(text, "Zen", "second\n"); again != text {
		t.Errorf("written again it is\n%s", again)
	}
}

// TestNames: a name that is none of a benchmark is refused before anything runs.
func TestNames(t *testing.T) {
	if err := run([]string{"kernel", "colonel"}); err == nil || !strings.Contains(err.Error(), `found "colonel"`) {
		t.Errorf("%v", err)
	}
}
