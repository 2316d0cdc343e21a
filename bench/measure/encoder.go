package measure

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
)

// WriteForSAELens is [Shape.Write] with an SAE that SAELens can load: it insists on
// the tensors of the encoder, which bench/shape leaves out.
func (s Shape) WriteForSAELens() (Weights, error) {
	files, err := s.Write()
	if err != nil {
		return files, err
	}
	decoder := files.SAE
	files.SAE = filepath.Join(filepath.Dir(decoder), "with-encoder", filepath.Base(decoder))
	path := filepath.Join(files.SAE, "sae_weights.safetensors")
	if _, err := os.Stat(path); err == nil {
		return files, nil
	}
	if err := os.MkdirAll(files.SAE, 0o755); err != nil {
		return files, err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "standard", "d_in": s.DModel, "d_sae": s.Features, "dtype": "float32", "device": "cpu",
		"apply_b_dec_to_input": true, "normalize_activations": "none", "reshape_activations": "none",
		"metadata": map[string]any{"sae_lens_version": "6.54.12", "hook_name": "blocks.8.hook_resid_pre", "model_name": "gpt2-shape"},
	})
	if err != nil {
		return files, err
	}
	if err := os.WriteFile(filepath.Join(files.SAE, "cfg.json"), config, 0o644); err != nil {
		return files, err
	}
	return files, addEncoder(filepath.Join(decoder, "sae_weights.safetensors"), path, s)
}

// addEncoder copies a file that holds W_dec alone and adds zero biases and a W_enc,
// as long as W_dec. Nobody reads W_enc's values; they are W_dec's bytes.
func addEncoder(from, to string, shape Shape) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	matrix := int64(4) * int64(shape.DModel) * int64(shape.Features)
	size, err := source.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	target, err := os.Create(to + ".partial")
	if err != nil {
		return err
	}
	defer target.Close()
	if err := writeHeader(target, shape); err != nil {
		return err
	}
	for range 2 { // W_dec, then W_enc
		if _, err := source.Seek(size-matrix, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.CopyN(target, source, matrix); err != nil {
			return err
		}
	}
	if _, err := target.Write(make([]byte, 4*(shape.DModel+shape.Features))); err != nil {
		return err
	}
	if err := target.Close(); err != nil {
		return err
	}
	return os.Rename(to+".partial", to)
}

// writeHeader writes a safetensors header for W_dec, W_enc, b_dec and b_enc.
func writeHeader(w io.Writer, shape Shape) error {
	header, offset := map[string]any{}, 0
	for _, t := range []struct {
		name string
		size []int
	}{
		{"W_dec", []int{shape.Features, shape.DModel}}, {"W_enc", []int{shape.DModel, shape.Features}},
		{"b_dec", []int{shape.DModel}}, {"b_enc", []int{shape.Features}},
	} {
		end := offset + 4*t.size[0]
		if len(t.size) == 2 {
			end = offset + 4*t.size[0]*t.size[1]
		}
		header[t.name] = map[string]any{"dtype": "F32", "shape": t.size, "data_offsets": []int{offset, end}}
		offset = end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
