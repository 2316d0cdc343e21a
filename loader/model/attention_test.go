package model

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readHeads reads all rows of the four matrices.
func readHeads(t *testing.T, a *Attention) (rows [4][]float32) {
	t.Helper()
	for m := Queries; m <= Outputs; m++ {
		rows[m] = make([]float32, a.Info().Rows(m)*a.Info().DModel)
		if err := a.ReadRows(m, 0, rows[m]); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func openHeads(t *testing.T, path string, layer int, o Options) *Attention {
	t.Helper()
	a, err := OpenAttention(path, layer, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// headProduct is left[:, i]·right[j, :] of the rows that a head has of two matrices [d_model, d_model].
func headProduct(info AttentionInfo, rows [4][]float32, left, right HeadMatrix, head int) []float32 {
	n, d := info.DHead, info.DModel
	of := func(m HeadMatrix) []float32 {
		h := head
		if m == Keys || m == Values {
			h /= info.Heads / info.KVHeads
		}
		return rows[m][h*n*d:]
	}
	a, b, out := of(left), of(right), make([]float32, d*d)
	for i := range d {
		for j := range d {
			sum := 0.0
			for k := range n {
				sum += float64(a[k*d+i]) * float64(b[k*d+j])
			}
			out[i*d+j] = float32(sum)
		}
	}
	return out
}

// The oracle is OV and QK of TransformerLens 3.9.0; see testdata/README.md. SAEDB_FAMILIES is a
// directory in which families.py has made more.
func TestHeadsAgreeWithTransformerLens(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.expected_ov.npy")
	if err != nil || len(paths) < 18 {
		t.Fatalf("%d models (%v)", len(paths), err)
	}
	if more := os.Getenv("SAEDB_FAMILIES"); more != "" {
		found, _ := filepath.Glob(filepath.Join(more, "*.expected_ov.npy"))
		paths = append(paths, found...)
	}
	for _, expected := range paths {
		dir := strings.TrimSuffix(expected, ".expected_ov.npy")
		t.Run(filepath.Base(dir), func(t *testing.T) {
			layers, err := Layers(dir)
			if err != nil {
				t.Fatal(err)
			}
			a := openHeads(t, dir, layers-1, Options{})
			info, rows := a.Info(), readHeads(t, a)
			if len(info.HeadNorms) > 0 { // TransformerLens leaves these norms out
				for m := range a.headNorms {
					for i := range a.headNorms[m] {
						a.headNorms[m][i] = 1
					}
				}
				without := readHeads(t, a)
				if slices.Equal(without[Queries], rows[Queries]) || slices.Equal(without[Keys], rows[Keys]) {
					t.Error("norms of queries and keys make no difference")
				}
				rows = without
			}
			for ending, of := range map[string][2]HeadMatrix{".expected_ov.npy": {Values, Outputs}, ".expected_qk.npy": {Queries, Keys}} {
				want := readNPY(t, dir+ending, info.Heads, info.DModel, info.DModel)
				var got []float32
				for head := range info.Heads {
					got = append(got, headProduct(info, rows, of[0], of[1], head)...)
				}
				if worst := largestDifference(got, want); !(worst <= 1e-5) || slices.Max(want) < 0.01 {
					t.Errorf("%s: largest difference %g, largest %g", ending, worst, slices.Max(want))
				}
			}
		})
	}
}
