package sae

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/tensor"
)

// inMemory is a matrix of values.
type inMemory struct {
	rows, cols int
	values     []float32
}

func (m inMemory) Rows() int { return m.rows }
func (m inMemory) Cols() int { return m.cols }
func (m inMemory) ReadRows(from int, dst []float32) error {
	copy(dst, m.values[from*m.cols:])
	return nil
}

var _ tensor.Matrix = inMemory{}

func random(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

// Oracle: the sum of products in float64, in portions that end inside a block.
func TestMapped(t *testing.T) {
	const features, in, out = 2*mappedRows + 13, 24, 7
	decoder, matrix := random(features*in, 1), random(in*out, 2)
	s := open(t, writeSAE(t, `{"metadata": {"hook_name": "blocks.3.attn.hook_z"}}`, map[string]written{"W_dec": floats(decoder, features, in)}, nil))
	m, err := Mapped(s, Map{Matrix: inMemory{in, out, matrix}, Name: "W_O (tensor o_proj)", Files: []string{"model.safetensors"}})
	if err != nil {
		t.Fatal(err)
	}
	if i := m.Info(); i.DModel != out || i.DSAE != features || i.Space != ResidualStream || i.Layer != 3 ||
		i.Scale != "as-stored; mapped by W_O (tensor o_proj)" || i.Files[len(i.Files)-1] != "model.safetensors" {
		t.Errorf("%+v", i)
	}
	got := make([]float32, 0, features*out)
	for from := 0; from < features; {
		rows := min(301, features-from)
		part := make([]float32, rows*out)
		if err := m.ReadDecoder(from, part); err != nil {
			t.Fatal(err)
		}
		got = append(got, part...)
		from += rows
	}
	for f := range features {
		for j := range out {
			var want float64
			for i := range in {
				want += float64(decoder[f*in+i]) * float64(matrix[i*out+j])
			}
			if math.Abs(float64(got[f*out+j])-want) > 1e-6 {
				t.Fatalf("feature %d, position %d: %v, expected %v", f, j, got[f*out+j], want)
			}
		}
	}
}

func TestMappedErrors(t *testing.T) {
	s := open(t, writeSAE(t, `{"metadata": {"hook_name": "blocks.3.attn.hook_z"}}`, map[string]written{"W_dec": floats(random(12, 1), 3, 4)}, nil))
	nan := random(8, 2)
	nan[5] = float32(math.NaN())
	huge := random(8, 2)
	huge[0], huge[2], huge[4], huge[6] = math.MaxFloat32, math.MaxFloat32, math.MaxFloat32, math.MaxFloat32
	for want, by := range map[string]inMemory{
		"expected rows of 5 values, as W_O has rows, found 4": {5, 2, random(10, 2)},
		"row 2, column 1: expected finite weights, found NaN": {4, 2, nan},
		"expected a finite float32, found":                    {4, 2, huge},
	} {
		m, err := Mapped(s, Map{Matrix: by, Name: "W_O"})
		if err == nil {
			err = m.ReadDecoder(0, make([]float32, 3*m.Info().DModel))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
