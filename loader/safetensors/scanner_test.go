package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"
)

// Each is a header's entry, and whether it has the form that is read without encoding/json.
var entryTexts = []struct {
	text  string
	plain bool
}{
	{`{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`, true},
	{"{ \"data_offsets\" : [ 0 ,\n24 ] , \"dtype\" : \"F32\" , \"shape\" : [ ] }", true},
	{`{"dtype":"F32","shape":[999999999999999999],"data_offsets":[0,24]}`, true},
	{`{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,24]}`, false},
	{`{"dtype":"F\u0033\u0032","shape":[2],"data_offsets":[0,8]}`, false},
	{`{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":{"a":[1]}}`, false},
	{`{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}`, false},
	{`{"dtype":"F32","shape":[01],"data_offsets":[0,8]}`, false},
	{`{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}`, false},
	{`{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}`, false},
	{`{"dtype":"F32","shape":null,"data_offsets":[0,8]}`, false},
	{`{}`, false},
	{`[1]`, false},
}

func TestEntry(t *testing.T) {
	for _, test := range entryTexts {
		if plain := checkEntry(t, test.text); plain != test.plain {
			t.Errorf("%s: read without encoding/json: %v, want %v", test.text, plain, test.plain)
		}
	}
}

func FuzzEntry(f *testing.F) {
	for _, test := range entryTexts {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) { // which parseHeader makes sure of
			checkEntry(t, text)
		}
	})
}

// checkEntry holds that a text which the scanner reads by itself is what encoding/json makes
// of it, and that it reads no further than that.
func checkEntry(t *testing.T, text string) bool {
	t.Helper()
	s := &scanner{text: []byte(text)}
	var got, want storedEntry
	if !s.entry(&got) {
		if s.at != 0 || !reflect.DeepEqual(got, storedEntry{}) {
			t.Errorf("%q: not read, but moved to %d and left %+v", text, s.at, got)
		}
		return false
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(&want); err != nil || !reflect.DeepEqual(got, want) || int(d.InputOffset()) != s.at {
		t.Errorf("%q: %+v up to %d, want %+v up to %d, %v", text, got, s.at, want, d.InputOffset(), err)
	}
	return true
}

const largeTensors = 380_000

// largeHeader makes a file whose header has close to the 25 MB that are allowed.
func largeHeader() []byte {
	var text bytes.Buffer
	text.WriteByte('{')
	for i := range largeTensors {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `"%x":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}`, i, i, i+1)
	}
	text.WriteByte('}')
	length := make([]byte, 8, 8+text.Len()+largeTensors)
	for i := range length {
		length[i] = byte(text.Len() >> (8 * i))
	}
	return append(append(length, text.Bytes()...), make([]byte, largeTensors)...)
}

// The largest header takes 0.6 s, a tenth of what it takes by encoding/json. The bound is wide,
// for a machine that is busy with other things.
func TestLargeHeader(t *testing.T) {
	content := largeHeader()
	begun := time.Now()
	f, err := Read("large", bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("%d bytes of header: %v", len(content), took)
	}
	x, err := f.Tensor("5cc5f") // 379,999
	if names := f.Names(); err != nil || len(names) != largeTensors || names[1] != "1" || x.Len() != 1 || x.Offset != int64(len(content))-1 {
		t.Errorf("%d names, %v, %v", len(f.Names()), x, err)
	}
}

func BenchmarkLargeHeader(b *testing.B) {
	content := largeHeader()
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := Read("large", bytes.NewReader(content), int64(len(content))); err != nil {
			b.Fatal(err)
		}
	}
}
