package sae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The encoder of every fixture is bit for bit what its own library's names and shapes give:
// testdata/encoders.py has read them, in Python.
func TestEncoders(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "encoders.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Rows            string `json:"w_enc"`
		Bias, Threshold string
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		t.Run(name, func(t *testing.T) {
			found, err := Find(filepath.Join(fixtures(t, name), name))
			if err != nil || len(found) != 1 {
				t.Fatalf("found %q, %v", found, err)
			}
			s := open(t, found[0])
			e, err := s.Encoder()
			if err != nil {
				t.Fatal(err)
			}
			rows := make([]float32, s.Info().DSAE*e.DIn)
			half := len(rows) / 2 / e.DIn * e.DIn
			for _, part := range [][2]int{{0, half}, {half, len(rows)}} {
				if err := e.ReadRows(part[0]/e.DIn, rows[part[0]:part[1]]); err != nil {
					t.Fatal(err)
				}
			}
			for what, pair := range map[string][2]string{
				"W_enc": {digest(rows), want.Rows}, "bias": {digest(e.Bias), want.Bias}, "threshold": {digest(e.Threshold), want.Threshold},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: SHA-256 %s, expected %s", what, pair[0], pair[1])
				}
			}
		})
	}
}

// digest is the SHA-256 of values as float32, lowest byte first; empty for none.
func digest(values []float32) string {
	if values == nil {
		return ""
	}
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

// A transcoder's encoder reads another hook point than its decoder writes to; where the
// files do not say which, it is not known.
func TestEncoderHook(t *testing.T) {
	for _, test := range []struct {
		info Info
		want string
	}{
		{Info{Architecture: "topk", Hook: "blocks.3.hook_resid_pre"}, "blocks.3.hook_resid_pre"},
		{Info{Architecture: "skip_transcoder", Hook: "blocks.3.hook_mlp_out"}, ""},
		{Info{Architecture: "transcoder", Hook: "blocks.3.hook_mlp_out", InputHook: "blocks.3.ln2.hook_normalized"}, "blocks.3.ln2.hook_normalized"},
	} {
		if got := test.info.EncoderHook(); got != test.want {
			t.Errorf("%+v: %q, expected %q", test.info, got, test.want)
		}
	}
	s := open(t, filepath.Join(fixtures(t, "saelens-transcoder"), "saelens-transcoder"))
	if got := s.Info().EncoderHook(); got != "blocks.4.ln2.hook_normalized" {
		t.Errorf("hook point %q of the transcoder's encoder", got)
	}
}

// An SAE whose encoder is missing, or is no matrix of its features, opens, and says so when
// the encoder is asked for.
func TestEncoderIsMissing(t *testing.T) {
	for name, test := range map[string]struct {
		tensors map[string]written
		said    string
	}{
		"none":      {map[string]written{"W_dec": floats(make([]float32, 6), 3, 2)}, "found none"},
		"other":     {map[string]written{"W_dec": floats(make([]float32, 6), 3, 2), "W_enc": floats(make([]float32, 8), 2, 4)}, "[d_in, 3] or [3, d_in]"},
		"bias":      {map[string]written{"W_dec": floats(make([]float32, 6), 3, 2), "W_enc": floats(make([]float32, 6), 2, 3), "b_enc": floats(make([]float32, 2), 2)}, "one value a feature"},
		"threshold": {map[string]written{"W_dec": floats(make([]float32, 6), 3, 2), "W_enc": floats(make([]float32, 6), 2, 3), "threshold": floats(make([]float32, 2), 2)}, "one value a feature"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, writeSAE(t, `{"architecture": "standard", "d_in": 2, "d_sae": 3, "hook_name": "blocks.0.hook_resid_pre"}`, test.tensors, nil))
			if _, err := s.Encoder(); err == nil || !strings.Contains(err.Error(), test.said) {
				t.Errorf("%v, expected an error that says %q", err, test.said)
			}
		})
	}
}
