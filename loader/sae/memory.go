package sae

import (
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
)

// FormatMemory is the format of an SAE that was handed over in memory.
const FormatMemory = "memory"

// FromTensors makes an SAE of what is in memory: the configuration that SAELens
// writes as cfg.json, of any version, and the tensors W_dec [d_sae, d_model] and,
// where they are known, sparsity [d_sae] and the factors of finetuning, in the form of
// a safetensors file.
func FromTensors(name string, configuration []byte, file *safetensors.File) (SAE, error) {
	config, err := parseSAELensConfig(configuration)
	if err != nil {
		return nil, fault.At(opRead, "configuration of "+name, err)
	}
	s := &stored{info: config.info(), close: file.Close}
	s.info.Path, s.info.Name, s.info.Format = file.Path(), name, FormatMemory
	if file.Has("sparsity") {
		s.sparsity = func() ([]float32, error) {
			values, err := readVector(file, "sparsity", s.info.DSAE)
			if err != nil {
				return nil, err
			}
			return values, toLogSparsity(file.Path()+": tensor sparsity", values)
		}
	}
	sizes := expected{features: config.dSAE, dModel: config.dOut, source: "the configuration"}
	if err := s.takeDecoder(safetensorsIn{file}, "W_dec", asIs, sizes); err != nil {
		return nil, err
	}
	return s, s.takeScaling(config, file)
}
