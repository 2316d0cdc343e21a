package sae

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// counted counts what is read of a range of a file.
type counted struct {
	*bytes.Reader
	from, to int64 // the encoder
	encoder  int64 // bytes of it that were read
	all      int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.all += int64(n)
	c.encoder += max(0, min(at+int64(n), c.to)-max(at, c.from))
	return n, err
}

// TestDecoderAlone: who reads the decoder alone reads no byte of the encoder, and nothing twice;
// the encoder, where it is asked for, is read.
func TestDecoderAlone(t *testing.T) {
	const features, d = 200, 64
	values := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i%7) - 3
		}
		return v
	}
	content := safetensorstest.Bytes(
		safetensorstest.F32("W_enc", []int{d, features}, values(d*features)...), safetensorstest.F32("W_dec", []int{features, d}, values(d*features)...),
		safetensorstest.F32("b_enc", []int{features}, values(features)...), safetensorstest.F32("b_dec", []int{d}, values(d)...))
	var header map[string]struct {
		Offsets [2]int64 `json:"data_offsets"`
	}
	begin := int64(8 + binary.LittleEndian.Uint64(content))
	if err := json.Unmarshal(content[8:begin], &header); err != nil {
		t.Fatal(err)
	}
	offsets := header["W_enc"].Offsets
	reader := &counted{Reader: bytes.NewReader(content), from: begin + offsets[0], to: begin + offsets[1]}
	file, err := safetensors.Read("counted", reader, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := FromTensors("counted", []byte(`{"architecture": "standard", "d_in": 64, "d_sae": 200, "dtype": "float32", "apply_b_dec_to_input": true,
		"normalize_activations": "none", "metadata": {"sae_lens_version": "6.54.12", "hook_name": "blocks.8.hook_resid_pre", "model_name": "small"}}`), file)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]float32, features*d)
	for from := 0; from < features; from += 50 {
		if err := s.ReadDecoder(from, rows[:50*d]); err != nil {
			t.Fatal(err)
		}
	}
	if reader.encoder != 0 {
		t.Errorf("%d bytes of the encoder were read with the decoder", reader.encoder)
	}
	if most := int64(4*features*d) + begin + 4096; reader.all > most {
		t.Errorf("%d bytes were read, expected at most %d", reader.all, most)
	}
	e, err := s.Encoder()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.ReadRows(0, rows); err != nil || reader.encoder < int64(4*features*d) {
		t.Errorf("%d bytes of the encoder were read with it (%v)", reader.encoder, err)
	}
}
