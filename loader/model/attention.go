package model

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/tensor"
)

const opReadAttention = "read attention"

// HeadMatrix is one of the four matrices of a block's heads.
type HeadMatrix int

// W_Q, W_K and W_V [d_model, d_head] read the residual stream, W_O [d_head, d_model] writes to it.
const (
	Queries HeadMatrix = iota
	Keys
	Values
	Outputs
)

// String is the letter of the matrix: q, k, v or o.
func (m HeadMatrix) String() string { return "qkvo"[m : m+1] }

// AttentionInfo describes the heads of a block.
type AttentionInfo struct {
	Path    string // as given to OpenAttention
	Layer   int
	Tensors []string // names on disk
	DType   string   // of W_O on disk
	Heads   int
	KVHeads int // that have keys and values of their own; head h uses those of h / (Heads / KVHeads)
	DHead   int
	DModel  int

	// NormTensor is the weight of the norm before the attention, empty where there is none, or
	// none with a weight. NormFolded: W_Q, W_K and W_V are multiplied with it, and where queries
	// and keys have norms of their own, W_Q and W_K with theirs.
	NormTensor string
	NormFolded bool
	HeadNorms  []string // weights of norms of queries and keys
	// Centered: W_Q, W_K, W_V and W_O have no part along the all-ones direction, as
	// TransformerLens's fold_ln and center_writing_weights make them for a LayerNorm.
	Centered bool
	// PostNorm: the block normalises its output before it adds it to the residual stream, which
	// is left out.
	PostNorm bool
	Files    []string
}

// Attention is the heads of a block, processed as TransformerLens processes them: norms before
// them folded into W_Q, W_K and W_V, their scale left out. Biases never act on directions, and
// are not read; neither are position embeddings: W_Q·W_Kᵀ is that of tokens at the same
// position, and without the scale of attention scores. It is safe for concurrent use, but for
// Close.
type Attention struct {
	info      AttentionInfo
	parts     [4]headRows
	norm      []float64    // nil where none is folded
	headNorms [2][]float64 // of queries and keys; nil where none are folded
	files     io.Closer
}

// headRows are the rows of one of the matrices in a stored one, in runs that begin stride rows
// after each other.
type headRows struct {
	tensor.Matrix
	subject            string
	rows               int
	first, run, stride int
}

// OpenAttention opens the heads of a model's block layer, of a path that [Open] takes. Of the
// options Processing counts: none leaves all matrices as stored. A layer that is not there, a
// family whose heads are not known, tensors of an attention of another form, and quantised ones
// of a checkpoint are errors. The caller closes it.
func OpenAttention(path string, layer int, o Options) (*Attention, error) {
	if err := o.check(); err != nil {
		return nil, fault.At(opReadAttention, path, err)
	}
	a, err := opened(path, func(file *gguf.File) (*Attention, error) { return headsInGGUF(file, layer, o) },
		func(c *checkpoint) (*Attention, error) { return c.attention(layer, o) })
	if err != nil {
		return nil, fault.At(opReadAttention, path, err)
	}
	a.info.Path, a.info.Layer = path, layer
	return a, nil
}

// Info describes the heads.
func (a *Attention) Info() AttentionInfo {
	info := a.info
	info.Files, info.Tensors, info.HeadNorms = slices.Clone(info.Files), slices.Clone(info.Tensors), slices.Clone(info.HeadNorms)
	return info
}

// Close closes the files of the heads, which can then not be read any more.
func (a *Attention) Close() error { return a.files.Close() }

// Rows returns how many rows of d_model values a matrix has: d_head of each head, of W_K and W_V
// of each that has its own.
func (i AttentionInfo) Rows(m HeadMatrix) int {
	if m == Keys || m == Values {
		return i.KVHeads * i.DHead
	}
	return i.Heads * i.DHead
}

// ReadRows fills dst with rows of a matrix: row h·d_head + j is W_Q[:, j], W_K[:, j] or W_V[:, j],
// or W_O[j, :], of head h [d_model]. Dst holds whole rows. A value that is not finite is an
// error. Rows of W_Q and W_K are in their order on disk, which some converters to GGUF changed,
// in both alike: their product is the same.
func (a *Attention) ReadRows(m HeadMatrix, from int, dst []float32) error {
	part, d := &a.parts[m], a.info.DModel
	if err := tensor.CheckRows(part.subject, from, len(dst), part.rows, d); err != nil {
		return fault.At(opReadAttention, "", err)
	}
	for row := from; len(dst) > 0; {
		n := min(part.run-row%part.run, len(dst)/d)
		if err := part.Matrix.ReadRows(part.first+row/part.run*part.stride+row%part.run, dst[:n*d]); err != nil {
			return fault.At(opReadAttention, part.subject, err)
		}
		for i := range n {
			if err := a.process(m, row+i, dst[i*d:(i+1)*d]); err != nil {
				return err
			}
		}
		row, dst = row+n, dst[n*d:]
	}
	return nil
}

// process does to a row as stored what is done to the matrix.
func (a *Attention) process(m HeadMatrix, row int, values []float32) error {
	norm, scale := a.norm, 1.0
	if m == Outputs {
		norm = nil
	}
	if m < Values && a.headNorms[m] != nil {
		scale = a.headNorms[m][row%len(a.headNorms[m])]
	}
	if i, stored := fold(values, norm, a.info.Centered, scale); i >= 0 {
		return &fault.Error{
			Op: opReadAttention, Subject: a.parts[m].subject, Problem: fmt.Sprintf("row %d, position %d", row, i),
			Expected: "finite weights", Found: fmt.Sprint(stored),
		}
	}
	return nil
}

// chosenAttention is which tensors the heads of a block are in, by their full names.
type chosenAttention struct {
	names         attentionNames // what the family calls them; q, k, v are empty where fused is not
	rules         *family
	q, k, v, o    string
	norm          string // empty for none
	qNorm, kNorm  string // empty for none
	outTransposed bool   // W_O is stored [d_in, d_model], and a fused tensor [d_model, rows]
}

// tensors are all that are read.
func (c chosenAttention) tensors() []string {
	var all []string
	for _, name := range []string{c.q, c.k, c.v, c.names.fused, c.o, c.norm, c.qNorm, c.kNorm} {
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// chooseAttention finds the tensors of a block's heads by their names alone. out is what the
// family calls W_O, of the same block as names; missing makes the error of one that is not there.
func chooseAttention(files tensors, rules *family, names attentionNames, out string, missing func(name string) error) (chosenAttention, error) {
	c, f := chosenAttention{names: names, rules: rules}, finder{files: files, missing: missing}
	c.names.fused = ""
	if names.fused != "" {
		f.find(&c.names.fused, names.fused, names.q == "")
	}
	if c.names.fused == "" {
		f.find(&c.q, names.q, true)
		f.find(&c.k, names.k, true)
		f.find(&c.v, names.v, true)
	}
	f.find(&c.o, out, true)
	f.findNorm(&c.norm, names.norms, rules.norm != "" && !names.noNorm, len(names.norms)-1) // OLMo's has no weight
	f.find(&c.qNorm, names.qNorm, false)
	f.find(&c.kNorm, names.kNorm, false)
	if (c.qNorm == "") != (c.kNorm == "") {
		f.find(new(string), map[bool]string{true: names.qNorm, false: names.kNorm}[c.qNorm == ""], true)
	}
	if c.names.noNorm = names.noNorm; c.names.noNorm {
		c.norm = ""
	}
	return c, f.err
}

// checkOthers refuses an attention that has a matrix besides those that are known: it is then
// no product of these.
func (c chosenAttention) checkOthers(subject string, inAttention []string) error {
	known := c.tensors()
	var others []string
	for _, name := range inAttention {
		if strings.HasSuffix(name, ".weight") && !slices.Contains(known, name) {
			others = append(others, name)
		}
	}
	if c.qNorm != "" && c.rules.normKind == LayerNorm {
		others = append(others, c.qNorm, c.kNorm)
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	return &fault.Error{
		Subject: subject, Problem: "the attention is of a form that is not known", Expected: strings.Join(known, ", "),
		Found: "besides " + strings.Join(others, ", "), Hint: "load the model without --attention",
	}
}

// openHeads opens what was chosen.
func (a *Attention) openHeads(c chosenAttention, o Options, heads, kvHeads, dHead int, open func(name string) (*tensor.Tensor, error)) error {
	subjects, opened := map[string]string{}, map[string]*tensor.Tensor{}
	for _, name := range c.tensors() {
		t, err := open(name)
		if err != nil {
			return err
		}
		opened[name], subjects[name] = t, t.Subject
	}
	matrix := func(name string, transposed bool) (tensor.Matrix, error) {
		if transposed {
			return opened[name].Transposed()
		}
		return opened[name].Matrix()
	}
	out, err := matrix(c.o, !c.outTransposed)
	if err != nil {
		return err
	}
	folds := !c.rules.normKept && o.Processing != ProcessNone
	a.info.Tensors, a.info.DType, a.info.PostNorm = c.tensors(), opened[c.o].DType, c.rules.postNorm
	a.info.NormTensor, a.info.NormFolded, a.info.Heads, a.info.DModel = c.norm, folds && (c.norm != "" || c.qNorm != ""), heads, out.Cols()
	a.info.Centered = folds && c.rules.normKind == LayerNorm && !c.names.noNorm
	if heads < 1 || out.Rows()%heads != 0 || dHead != 0 && out.Rows() != heads*dHead {
		return &fault.Error{
			Subject: subjects[c.o], Expected: fmt.Sprintf("rows for each of %d heads%s, as the configuration says", heads, ofWidth(dHead)),
			Found: fmt.Sprintf("[%d, %d]", out.Rows(), out.Cols()),
		}
	}
	a.info.DHead = out.Rows() / heads
	a.parts[Outputs] = headRows{Matrix: out, subject: subjects[c.o], rows: out.Rows(), run: out.Rows()}
	if err := a.placeReading(c, kvHeads, subjects, matrix); err != nil {
		return err
	}
	if !folds {
		return nil
	}
	offset := c.rules.normOffset
	if c.norm != "" {
		if a.norm, err = normWeights(opened[c.norm], offset, a.info.DModel); err != nil {
			return err
		}
	}
	for i, name := range []string{c.qNorm, c.kNorm} {
		if name == "" {
			continue
		}
		a.info.HeadNorms = append(a.info.HeadNorms, name)
		if a.headNorms[i], err = normWeights(opened[name], offset, a.info.DHead, a.info.Rows(HeadMatrix(i))); err != nil {
			return err
		}
	}
	return nil
}

func ofWidth(dHead int) string {
	if dHead == 0 {
		return ""
	}
	return fmt.Sprintf(" of width %d", dHead)
}

// placeReading finds the rows of W_Q, W_K and W_V. kvHeads is the configuration's, 0 where it is
// silent.
func (a *Attention) placeReading(c chosenAttention, kvHeads int, subjects map[string]string, matrix func(string, bool) (tensor.Matrix, error)) error {
	q, k, v := c.q, c.k, c.v
	if c.names.fused != "" {
		q, k, v = c.names.fused, c.names.fused, c.names.fused
	}
	own := a.info.Heads * a.info.DHead // rows of queries
	for i, name := range []string{q, k, v} {
		m, err := matrix(name, c.outTransposed)
		if err != nil {
			return err
		}
		a.parts[i] = headRows{Matrix: m, subject: subjects[name], rows: m.Rows(), run: m.Rows()}
	}
	kv, found := a.parts[Keys].rows, fmt.Sprintf("[%d, %d]", a.parts[Keys].rows, a.parts[Keys].Cols())
	if c.names.fused != "" {
		kv = (kv - own) / 2
	}
	a.info.KVHeads = kv / a.info.DHead
	misfit := kv < 1 || kv%a.info.DHead != 0 || a.info.Heads%max(a.info.KVHeads, 1) != 0 || kvHeads != 0 && kvHeads != a.info.KVHeads
	if c.names.fused != "" {
		misfit = misfit || a.parts[Queries].rows != own+2*kv
	} else {
		misfit = misfit || a.parts[Queries].rows != own || a.parts[Values].rows != kv
	}
	for i := range 3 {
		misfit = misfit || a.parts[i].Cols() != a.info.DModel
	}
	if misfit {
		expected := fmt.Sprintf("rows of %d values for keys and values of heads of width %d, of %d query heads", a.info.DModel, a.info.DHead, a.info.Heads)
		if kvHeads != 0 {
			expected += fmt.Sprintf(" and %d key-value heads", kvHeads)
		}
		return &fault.Error{Subject: subjects[k], Expected: expected, Found: found}
	}
	if c.names.fused == "" {
		return nil
	}
	place := func(m HeadMatrix, rows, first, run, stride int) {
		a.parts[m].rows, a.parts[m].first, a.parts[m].run, a.parts[m].stride = rows, first, run, stride
	}
	if !c.names.grouped {
		place(Queries, own, 0, own, 0)
		place(Keys, kv, own, kv, 0)
		place(Values, kv, own+kv, kv, 0)
		return nil
	}
	d, of := a.info.DHead, own/a.info.KVHeads // rows of queries to each key
	place(Queries, own, 0, of, of+2*d)
	place(Keys, kv, of, d, of+2*d)
	place(Values, kv, of+d, d, of+2*d)
	return nil
}

// normWeights reads a norm's weights, of one of these lengths, with what is added to them.
func normWeights(t *tensor.Tensor, offset float64, lengths ...int) ([]float64, error) {
	if len(t.Shape) != 1 || !slices.Contains(lengths, t.Shape[0]) {
		return nil, &fault.Error{Subject: t.Subject, Expected: fmt.Sprintf("shape [%d]", lengths[0]), Found: fmt.Sprint(t.Shape)}
	}
	stored := make([]float32, t.Shape[0])
	if err := t.ReadFloats(0, stored); err != nil {
		return nil, err
	}
	weights := make([]float64, len(stored))
	for i, w := range stored {
		if weights[i] = float64(w) + offset; !finite(w) {
			return nil, &fault.Error{Subject: t.Subject, Problem: fmt.Sprintf("position %d", i), Expected: "finite weights", Found: fmt.Sprint(w)}
		}
	}
	return weights, nil
}
