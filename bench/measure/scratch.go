package measure

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Scratch is where the benchmarks keep weights and databases. Weights stay for the
// next run; git ignores it.
const Scratch = "build/bench"

// ProgramVariable is the environment variable that names a built saedb to measure
// instead of the source as it is now.
const ProgramVariable = "SAEDB_PROGRAM"

// Saedb builds the program and returns its path, or returns the one that
// ProgramVariable names.
func Saedb() (string, error) {
	if program := os.Getenv(ProgramVariable); program != "" {
		return program, nil
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return "", fmt.Errorf("run this from the top of the repository: %w", err)
	}
	program, err := filepath.Abs(filepath.Join(Scratch, "saedb"))
	if err != nil {
		return "", err
	}
	_, err = Command(nil, "go", "build", "-o", program, "./cmd/saedb")
	return program, err
}

// Shape is the size of a model and one of its SAEs.
type Shape struct {
	Name                    string
	DModel, Vocab, Features int
}

func (s Shape) String() string {
	return fmt.Sprintf("%d features × %d × %d tokens", s.Features, s.DModel, s.Vocab)
}

// Operations is the number of multiplications and additions of the projection of
// every feature on every token.
func (s Shape) Operations() float64 {
	return 2 * float64(s.DModel) * float64(s.Vocab) * float64(s.Features)
}

// GPT2 is GPT-2 small with an SAE of the given number of features.
func GPT2(features int) Shape { return Shape{"gpt2", 768, 50257, features} }

// Weights are the files of a shape.
type Weights struct {
	Shape
	Model string // Hugging Face directory
	SAE   string // SAELens directory
}

// Write writes random weights of the shape with bench/shape, unless they are there.
func (s Shape) Write() (Weights, error) { return s.write("") }

// WriteForSAELens writes an SAE that SAELens can load, too: it insists on an encoder.
func (s Shape) WriteForSAELens() (Weights, error) { return s.write("-with-encoder", "-encoder") }

// WriteBFloat16 writes an SAE whose decoder is bfloat16.
func (s Shape) WriteBFloat16() (Weights, error) { return s.write("-bfloat16", "-bfloat16") }

func (s Shape) write(suffix string, more ...string) (Weights, error) {
	dir := filepath.Join(Scratch, fmt.Sprintf("%s-%d%s", s.Name, s.Features, suffix))
	w := Weights{s, filepath.Join(dir, "model"), filepath.Join(dir, "blocks.8.hook_resid_pre")}
	complete := filepath.Join(dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return w, nil
	}
	_, err := Command(nil, "go", append([]string{
		"run", "./bench/shape", "-out", dir,
		"-d-model", fmt.Sprint(s.DModel), "-vocab", fmt.Sprint(s.Vocab), "-features", fmt.Sprint(s.Features),
	}, more...)...)
	if err != nil {
		return w, err
	}
	return w, os.WriteFile(complete, nil, 0o644)
}

// CopyFile copies to disk, not just to the system's cache: writing it later would
// fall into what is measured next.
func CopyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	defer target.Close()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	if err := target.Sync(); err != nil {
		return err
	}
	return target.Close()
}
