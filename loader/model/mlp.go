package model

import (
	"fmt"
	"io"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/tensor"
)

const opReadMLP = "read MLP"

// MLPMatrix is a matrix by which the neurons of an MLP read the residual stream.
type MLPMatrix int

// A neuron of a plain MLP is act(x·W_in[:, i] + b), one of a gated MLP
// act(x·W_gate[:, i]) · (x·W_in[:, i]): TransformerLens's names, W_in is what checkpoints call up.
const (
	NeuronsIn MLPMatrix = iota
	NeuronsGate
)

// String is in or gate.
func (m MLPMatrix) String() string { return [2]string{"in", "gate"}[m] }

// MLPInfo describes the input weights of an MLP.
type MLPInfo struct {
	Path    string // as given to OpenMLP
	Layer   int
	Tensors []string // names on disk
	DType   string   // of W_in on disk
	Neurons int
	DModel  int
	Gated   bool
	// NormTensor is the weight of the norm before the MLP, empty where there is none, or none
	// with a weight; NormFolded: the matrices are multiplied with it.
	NormTensor string
	NormFolded bool
	// Centered: the matrices have no part along the all-ones direction, as TransformerLens's
	// fold_ln makes them for a LayerNorm.
	Centered bool
	Files    []string
}

// MLP is the input weights of a block's MLP, processed as TransformerLens processes them: the
// weight of the norm before it folded, its scale left out. Biases never act on directions, and are
// not read. It is safe for concurrent use, but for Close.
type MLP struct {
	info  MLPInfo
	parts [2]headRows
	norm  []float64 // nil where none is folded
	files io.Closer
}

// OpenMLP opens the input weights of the MLP of a model's block layer, of a path that [Open]
// takes. Of the options Processing counts: none leaves them as stored. A layer that is not there,
// a family whose MLP is not known, a mixture of experts, and quantised tensors of a checkpoint are
// errors. The caller closes it.
func OpenMLP(path string, layer int, o Options) (*MLP, error) {
	if err := o.check(); err != nil {
		return nil, fault.At(opReadMLP, path, err)
	}
	m, err := opened(path, func(file *gguf.File) (*MLP, error) { return mlpInGGUF(file, layer, o) },
		func(c *checkpoint) (*MLP, error) { return c.mlp(layer, o) })
	if err != nil {
		return nil, fault.At(opReadMLP, path, err)
	}
	m.info.Path, m.info.Layer = path, layer
	return m, nil
}

// Info describes the input weights.
func (m *MLP) Info() MLPInfo {
	info := m.info
	info.Files, info.Tensors = slices.Clone(info.Files), slices.Clone(info.Tensors)
	return info
}

// Close closes the files, which can then not be read any more.
func (m *MLP) Close() error { return m.files.Close() }

// ReadRows fills dst with rows of W_inᵀ or W_gateᵀ [neurons, d_model], of gated MLPs the latter.
// Dst holds whole rows. A value that is not finite is an error.
func (m *MLP) ReadRows(matrix MLPMatrix, from int, dst []float32) error {
	part, d := &m.parts[matrix], m.info.DModel
	if err := tensor.CheckRows(part.subject, from, len(dst), part.rows, d); err != nil {
		return fault.At(opReadMLP, "", err)
	}
	if err := part.Matrix.ReadRows(part.first+from, dst); err != nil {
		return fault.At(opReadMLP, part.subject, err)
	}
	for i := range len(dst) / d {
		if err := m.process(part.subject, from+i, dst[i*d:(i+1)*d]); err != nil {
			return err
		}
	}
	return nil
}

// process folds the norm into a row as stored, and centres it.
func (m *MLP) process(subject string, row int, values []float32) error {
	if i, stored := fold(values, m.norm, m.info.Centered, 1); i >= 0 {
		return &fault.Error{
			Op: opReadMLP, Subject: subject, Problem: fmt.Sprintf("neuron %d, position %d", row, i),
			Expected: "finite weights", Found: fmt.Sprint(stored),
		}
	}
	return nil
}

// chosenMLP is which tensors the input weights of an MLP are in, by their full names.
type chosenMLP struct {
	rules           *family
	in, gate, fused string // in and gate are empty where fused is not, gate also of a plain MLP
	norm            string // empty for none
	noNorm          bool
	transposed      bool // stored [d_model, neurons]
}

func (c chosenMLP) tensors() []string {
	var all []string
	for _, name := range []string{c.in, c.gate, c.fused, c.norm} {
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// chooseMLP finds the tensors by their names alone; missing makes the error of one that is not
// there.
func chooseMLP(files tensors, rules *family, names mlpNames, missing func(name string) error) (chosenMLP, error) {
	c, f := chosenMLP{rules: rules, noNorm: names.noNorm}, finder{files: files, missing: missing}
	f.find(&c.in, names.in, true)
	f.find(&c.gate, names.gate, true)
	f.find(&c.fused, names.fused, true)
	f.findNorm(&c.norm, names.norms, rules.norm != "" && !names.noNorm, 0) // OLMo's has no weight
	return c, f.err
}

// openNeurons opens what was chosen.
func (m *MLP) openNeurons(c chosenMLP, o Options, open func(name string) (*tensor.Tensor, error)) error {
	opened := map[string]*tensor.Tensor{}
	for _, name := range c.tensors() {
		t, err := open(name)
		if err != nil {
			return err
		}
		opened[name] = t
	}
	place := func(matrix MLPMatrix, name string) error {
		t := opened[name]
		turn := t.Matrix
		if c.transposed {
			turn = t.Transposed
		}
		rows, err := turn()
		if err == nil {
			m.parts[matrix] = headRows{Matrix: rows, subject: t.Subject, rows: rows.Rows()}
		}
		return err
	}
	in, gate := c.in, c.gate
	if c.fused != "" {
		in, gate = c.fused, c.fused
	}
	if err := place(NeuronsIn, in); err != nil {
		return err
	}
	m.info.Gated = gate != ""
	if m.info.Gated {
		if err := place(NeuronsGate, gate); err != nil {
			return err
		}
	}
	if c.fused != "" { // the gate's rows, then those of W_in
		n := m.parts[NeuronsIn].rows
		if n%2 != 0 {
			return &fault.Error{Subject: opened[c.fused].Subject, Expected: "as many rows for gate and input", Found: fmt.Sprint(n)}
		}
		m.parts[NeuronsIn].first = n / 2
		m.parts[NeuronsIn].rows, m.parts[NeuronsGate].rows = n/2, n/2
	}
	folds := !c.rules.normKept && o.Processing != ProcessNone
	m.info.Tensors, m.info.DType, m.info.NormTensor = c.tensors(), opened[in].DType, c.norm
	m.info.Neurons, m.info.DModel = m.parts[NeuronsIn].rows, m.parts[NeuronsIn].Cols()
	m.info.NormFolded, m.info.Centered = folds && c.norm != "", folds && c.rules.normKind == LayerNorm && !c.noNorm
	if m.info.Gated && (m.parts[NeuronsGate].rows != m.info.Neurons || m.parts[NeuronsGate].Cols() != m.info.DModel) {
		return &fault.Error{
			Subject: m.parts[NeuronsGate].subject, Expected: fmt.Sprintf("[%d, %d], the shape of %s", m.info.Neurons, m.info.DModel, in),
			Found: fmt.Sprintf("[%d, %d]", m.parts[NeuronsGate].rows, m.parts[NeuronsGate].Cols()),
		}
	}
	if !m.info.NormFolded {
		return nil
	}
	var err error
	m.norm, err = normWeights(opened[c.norm], c.rules.normOffset, m.info.DModel)
	return err
}

func (c *checkpoint) mlp(layer int, o Options) (*MLP, error) {
	cfg, configPath, err := c.config(o)
	if err != nil {
		return nil, err
	}
	chosen, err := c.chooseMLP(cfg, configPath, layer)
	if err != nil {
		return nil, err
	}
	m := &MLP{}
	var holders []string
	if err = m.openNeurons(chosen, o, c.blockTensors(&holders)); err != nil {
		return nil, err
	}
	m.info.Files, m.files = append([]string{configPath}, holders...), c.closers(holders)
	if d := cfg.hiddenSize(); d != 0 && d != m.info.DModel {
		return nil, &fault.Error{
			Subject: m.parts[NeuronsIn].subject, Expected: fmt.Sprintf("rows of %d values, d_model of %s", d, configFile), Found: fmt.Sprint(m.info.DModel),
		}
	}
	c.close(m.info.Files...)
	return m, nil
}

func (c *checkpoint) chooseMLP(cfg *config, configPath string, layer int) (chosenMLP, error) {
	var none chosenMLP
	names, err := mlpOf(func(n *mlpNames) []string { return n.modelTypes }, cfg.knownType(), configPath, "model_type")
	if err != nil {
		return none, err
	}
	rules, err := c.rulesOfBlock(cfg, configPath, layer)
	if err != nil {
		return none, err
	}
	chosen, err := chooseMLP(c, rules, names.inBlock(layer), func(name string) error { return c.missingInBlock(name, MLPOut, layer) })
	if err != nil {
		return none, err
	}
	chosen.transposed = rules.conv1D
	return chosen, nil
}

// neededForMLP are the tensors that OpenMLP needs of the layers that o asks for.
func (c *checkpoint) neededForMLP(cfg *config, o Options) ([]string, error) {
	return c.neededOfLayers(cfg, o.MLP, func(layer int) (blockNames, error) { return c.chooseMLP(cfg, configFile, layer) })
}

func mlpInGGUF(file *gguf.File, layer int, o Options) (*MLP, error) {
	architecture, _ := file.String(ggufArchKey)
	names, err := mlpOf(func(n *mlpNames) []string { return n.architectures }, architecture, file.Path(), ggufArchKey)
	if err != nil {
		return nil, err
	}
	known, err := familyWithBlock(file, architecture, layer)
	if err != nil {
		return nil, err
	}
	chosen, err := chooseMLP(ggufTensors{file}, known.inGGUF(), names.inGGUF().inBlock(layer), missingInGGUF(file, MLPOut, layer))
	if err != nil {
		return nil, err
	}
	m := &MLP{files: file}
	m.info.Files = []string{file.Path()}
	return m, m.openNeurons(chosen, o, file.Tensor)
}
