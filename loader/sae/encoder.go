package sae

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// Encoder is what an SAE's features read activations x [d_in] by: feature i is excited by
// x · w_enc_i + bias_i, above threshold_i where there is one. In some architectures the decoder's
// bias is taken off x before.
type Encoder struct {
	DIn       int       // columns of W_enc
	DType     string    // of W_enc as stored
	Bias      []float32 // [d_sae]; nil where the files have none
	Threshold []float32 // [d_sae]; nil where the files have none

	subject string
	rows    tensor.Matrix // [d_sae, d_in]
}

// ReadRows fills dst with rows of W_enc [d_sae, d_in] as float32, as stored, beginning with
// that of feature from. Dst holds whole rows. A value that is not finite is an error. Calls
// may run at the same time.
func (e *Encoder) ReadRows(from int, dst []float32) error {
	if err := e.rows.ReadRows(from, dst); err != nil {
		return fault.At(opRead, e.subject, err)
	}
	return checkFinite(e.subject, from, dst, e.DIn)
}

// encoderSource is where an SAE's encoder is: beside its decoder, in the same file.
type encoderSource struct {
	file   *tensor.File
	name   string // of W_enc
	turned bool   // whether it is [d_in, d_sae] where its shape does not tell
	biases []string
	// One threshold for all features, which a configuration gives, or 0.
	threshold float64
}

// encoderNames are, by the last word of a decoder's name, what its encoder is called beside it,
// with its bias, and whether it is transposed where its shape does not tell: linear layers
// of PyTorch are [out, in] in both, and a W_enc is turned the other way than the W_dec.
// Of a gated SAE the bias is that of the gate, which tells whether a feature is excited.
var encoderNames = []struct {
	decoder, encoder string
	linear           bool
	biases           []string
}{
	{"decoder.weight", "encoder.weight", true, []string{"encoder.bias", "gate_bias", "latent_bias"}},
	{"decoder.linear.weight", "encoder.weight", true, []string{"latent_bias", "encoder.bias"}},
	{"decoder_linear.weight", "encoder_linear.weight", true, []string{"encoder_linear.bias"}},
	{"decoder.weight", "encoder.0.weight", true, []string{"encoder.0.bias"}},
	{"W_dec", "W_enc", false, []string{"b_gate", "b_enc"}},
	{"W_dec", "encoder.weight", true, []string{"encoder.bias"}},
	{"w_dec", "w_enc", false, []string{"b_enc"}},
	{"W_D", "W_E", false, []string{"b_E"}},
}

// encoderBeside finds the encoder that a file has beside a decoder, nil for none.
func encoderBeside(file *tensor.File, decoder string, isTransposed bool) *encoderSource {
	for _, n := range encoderNames {
		prefix, ok := strings.CutSuffix(decoder, n.decoder)
		if !ok || prefix != "" && !strings.HasSuffix(prefix, ".") || !file.Has(prefix+n.encoder) {
			continue
		}
		source := &encoderSource{file: file, name: prefix + n.encoder, turned: !n.linear && !isTransposed}
		for _, bias := range n.biases {
			source.biases = append(source.biases, prefix+bias)
		}
		return source
	}
	return nil
}

// Tensors that give a threshold, or its natural logarithm, for each feature or for all.
var (
	thresholdNames    = []string{"threshold", "thresholds"}
	logThresholdNames = []string{"log_threshold", "log_jumprelu_threshold", "activation_function.log_jumprelu_threshold"}
)

// Encoder opens the encoder.
func (s *stored) Encoder() (*Encoder, error) {
	source := s.encoder
	if source == nil {
		return nil, &fault.Error{
			Op: opRead, Subject: s.info.Path, Problem: "its encoder", Expected: "one matrix beside the decoder, as W_enc or encoder.weight", Found: "none",
			Hint: "encoders of crosscoders, cross-layer transcoders, low-rank sparse attention and temporal SAEs are not read",
		}
	}
	e := &Encoder{subject: source.file.Subject(source.name)}
	t, err := source.file.Tensor(source.name)
	if err != nil {
		return nil, fault.At(opRead, e.subject, err)
	}
	found := fmt.Sprintf("%s %v", t.DType, t.Shape)
	if t.Encoding == nil {
		return nil, &fault.Error{Op: opRead, Subject: e.subject, Expected: "F32, F16, BF16 or F64", Found: found}
	}
	features := s.info.DSAE
	if len(t.Shape) != 2 || t.Shape[0] != features && t.Shape[1] != features {
		return nil, &fault.Error{
			Op: opRead, Subject: e.subject, Expected: fmt.Sprintf("a matrix [d_in, %[1]d] or [%[1]d, d_in], of %[1]d features as the decoder's", features), Found: found,
		}
	}
	turned := source.turned
	if t.Shape[0] != t.Shape[1] {
		turned = t.Shape[1] == features
	}
	read := t.Matrix
	if turned {
		read = t.Transposed
	}
	if e.rows, err = read(); err != nil {
		return nil, fault.At(opRead, e.subject, err)
	}
	e.DIn, e.DType = e.rows.Cols(), t.DType
	if e.Bias, err = s.encoderBias(source); err != nil {
		return nil, err
	}
	e.Threshold, err = s.encoderThreshold(source)
	return e, err
}

// EncoderHook is the hook point that the encoder reads: the decoder's own, but for a transcoder,
// whose files must say. It is empty where they do not.
func (i Info) EncoderHook() string {
	if i.InputHook == "" && !strings.Contains(i.Architecture, "transcoder") {
		return i.Hook
	}
	return i.InputHook
}

func (s *stored) encoderBias(source *encoderSource) ([]float32, error) {
	for _, name := range source.biases {
		if !source.file.Has(name) {
			continue
		}
		bias, err := s.onePerFeature(source.file, name)
		if err != nil {
			return nil, err
		}
		return bias, checkFinite(source.file.Subject(name), 0, bias, 1)
	}
	return nil, nil
}

// encoderThreshold reads a threshold a feature, or one for all.
func (s *stored) encoderThreshold(source *encoderSource) ([]float32, error) {
	for _, name := range slices.Concat(thresholdNames, logThresholdNames) {
		shape := shapeOf(source.file, name)
		if !source.file.Has(name) {
			continue
		}
		var values []float32
		var err error
		if len(shape) == 0 || slices.Equal(shape, []int{1}) && s.info.DSAE != 1 {
			var one float64
			one, err = scalar(source.file, name)
			values = slices.Repeat([]float32{float32(one)}, s.info.DSAE)
		} else {
			values, err = s.onePerFeature(source.file, name)
		}
		if err != nil {
			return nil, fault.At(opRead, source.file.Subject(name), err)
		}
		if slices.Contains(logThresholdNames, name) {
			for i, v := range values {
				values[i] = float32(math.Exp(float64(v)))
			}
		}
		return values, checkFinite(source.file.Subject(name), 0, values, 1)
	}
	if source.threshold > 0 {
		return slices.Repeat([]float32{float32(source.threshold)}, s.info.DSAE), nil
	}
	return nil, nil
}
