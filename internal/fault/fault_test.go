package fault

import (
	"errors"
	"io/fs"
	"testing"
)

func TestErrorIsOneLine(t *testing.T) {
	err := &Error{
		Op: "read SAE", Subject: "a/sae_weights.safetensors: tensor W_dec",
		Expected: "shape [F, 576]", Found: "[3]",
		Hint: "is this an SAE?", Err: errors.New("two\nlines"),
	}
	const want = "read SAE: a/sae_weights.safetensors: tensor W_dec: expected shape [F, 576], found [3]: two lines (is this an SAE?)"
	if got := err.Error(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAtKeepsTheCause(t *testing.T) {
	if At("load", "x", nil) != nil {
		t.Error("At(nil) is not nil")
	}
	err := At("load model", "m.gguf", fs.ErrNotExist)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap fs.ErrNotExist", err)
	}
	named := At("load model", "dir", &Error{Subject: "tensor W_U", Problem: "is empty"})
	if got, want := named.Error(), "load model: tensor W_U: is empty"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
