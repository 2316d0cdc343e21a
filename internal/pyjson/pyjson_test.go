package pyjson

import (
	"encoding/json"
	"reflect"
	"testing"
)

// The texts are what json.dumps of CPython 3.12 writes for the values beside them.
func TestUnmarshal(t *testing.T) {
	tests := []struct {
		text string
		want any
	}{
		{`{"time_step_limit": [0.0, Infinity], "d_in": 16}`, map[string]any{"time_step_limit": []any{0.0, nil}, "d_in": 16.0}},
		{`{"lr_end": NaN, "a": -Infinity, "b": -1.5}`, map[string]any{"lr_end": nil, "a": nil, "b": -1.5}},
		{`NaN`, nil},
		{`[-Infinity,Infinity,NaN]`, []any{nil, nil, nil}},
		{`{"NaN": "Infinity, -Infinity", "say \"NaN\"": NaN, "end\\": Infinity}`,
			map[string]any{"NaN": "Infinity, -Infinity", `say "NaN"`: nil, `end\`: nil}},
		{`{"finite": -0.5e-3}`, map[string]any{"finite": -0.5e-3}},
	}
	for _, test := range tests {
		var got any = "unread"
		if err := Unmarshal([]byte(test.text), &got); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %#v, %v, want %#v", test.text, got, err, test.want)
		}
	}
}

// What Python's json.loads refuses too is an error here.
func TestNoJSON(t *testing.T) {
	for _, text := range []string{
		`{NaN: 1}`, `[1 NaN]`, `[NaNNaN]`, `[-NaN]`, `[--Infinity]`, `[Inf]`, `[nan]`, `[NaN`, `["NaN]`, `[nullNaN]`, `[Infinity1]`, `["\`, `-`,
	} {
		var got any
		if err := Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: read as %#v", text, got)
		}
	}
}

// FuzzStandard holds that JSON stays as it is, byte for byte, and that nothing panics.
func FuzzStandard(f *testing.F) {
	for _, text := range []string{`{"a": [NaN, "NaN", -Infinity]}`, `"\"NaN"`, `"\`, `-Infinity`, `[1, -2]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		standard := Standard(data)
		if json.Valid(data) && string(standard) != string(data) {
			t.Errorf("%q became %q", data, standard)
		}
		if again := Standard(standard); string(again) != string(standard) {
			t.Errorf("%q became %q, and that %q", data, standard, again)
		}
	})
}
