package hub

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestParseReference(t *testing.T) {
	commit := strings.Repeat("0a", 20)
	for text, want := range map[string]Reference{
		"openai-community/gpt2":                            {"openai-community/gpt2", "", "main"},
		"jbloom/GPT2-Small-SAEs-Reformatted/blocks.8.hook": {"jbloom/GPT2-Small-SAEs-Reformatted", "blocks.8.hook", "main"},
		"a/b/c/d@v1":       {"a/b", "c/d", "v1"},
		"a/b@refs/pr/1":    {"a/b", "", "refs/pr/1"},
		"a/b/c/@" + commit: {"a/b", "c", commit},
		"t/gpt2-small-mlp-out-saes/sae_hook_mlp_out_24576:v1@x":  {"t/gpt2-small-mlp-out-saes", "sae_hook_mlp_out_24576:v1", "x"},
		"neuronpedia/gpt2-small__res_scefr-ajt/10-res_scefr-ajt": {"neuronpedia/gpt2-small__res_scefr-ajt", "10-res_scefr-ajt", "main"},
	} {
		got, err := ParseReference(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseReference(got.String()); err != nil || again != got {
			t.Errorf("%q prints as %q", text, got)
		}
	}
	for _, bad := range []string{
		"", "gpt2", "/a/b", "a/", "a//b", "../b", "a/..", "a/b/../c", "a/b/..", "a/b//c", "a/b/.", "a--b/c", "a/b--c", "-a/b", "a/b.", "a/b@", "a/b@../x",
		"a/b@x/../../y", `a/b\c`, `a/b/c\d`, "a/b/c\nd", "a b/c", "a/b/\x00", strings.Repeat("x", 60) + "/" + strings.Repeat("y", 60),
	} {
		if got, err := ParseReference(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

func TestLooks(t *testing.T) {
	for argument, want := range map[string]bool{
		"openai-community/gpt2": true, "a/b/c@v": true, "gpt2": false, "./a/b": false, "../a/b": false, "/a/b": false, "~/a/b": false,
		"model.gguf": false, "a/b//c": false,
	} {
		if got := Looks(argument); got != want {
			t.Errorf("%q: %v", argument, got)
		}
	}
}

// FuzzParseReference: whatever is accepted prints as itself and leads nowhere else.
func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{"a/b", "a/b/c@v", "a/b@refs/pr/1", "a/../b", "a/b/..@x", `a/b/c\..\d`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseReference(text)
		if err != nil {
			return
		}
		if again, err := ParseReference(r.String()); err != nil || again != r {
			t.Errorf("%q is %+v, which prints as %q", text, r, r)
		}
		cache := (&Client{cache: "/cache"}).repository(r.Repo)
		for _, path := range []string{cache.dir, cache.locks, cache.pointer("c", r.Path), filepath.Join(cache.dir, "refs", r.Revision)} {
			if !strings.HasPrefix(path, "/cache/models--") && !strings.HasPrefix(path, "/cache/.locks/models--") {
				t.Errorf("%q leads to %s", text, path)
			}
		}
	})
}
