package loader_test

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/loader/torch"
	"github.com/saedb/saedb/loader/vocab"
)

// A fixture is files of a real format, and what a load does with them.
type fixture struct {
	path string // a directory or a file
	read func(path string) error
}

func fixtures(t *testing.T) []fixture {
	t.Helper()
	var all []fixture
	under := func(read func(string) error, pattern string) {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if err := read(path); err == nil {
				all = append(all, fixture{path, read})
			}
		}
	}
	under(readSAEs, "sae/testdata/*")
	under(readModel, "model/testdata/*")
	under(readVocabulary, "vocab/testdata/*")
	under(readVocabulary, "vocab/testdata/kinds/*")
	under(readTorch, "torch/testdata/*.pt")
	return all
}

// readSAEs reads all SAEs under a directory as a load does.
func readSAEs(path string) error {
	paths, err := sae.Find(path)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := readSAE(path); err != nil {
			return err
		}
	}
	return nil
}

func readSAE(path string) error {
	s, err := sae.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	info := s.Info()
	if _, err := s.LogSparsity(); err != nil {
		return err
	}
	const atOnce = 1024
	for from := 0; from < info.DSAE; from += atOnce {
		if err := s.ReadDecoder(from, make([]float32, min(atOnce, info.DSAE-from)*info.DModel)); err != nil {
			return err
		}
	}
	return nil
}

func readModel(path string) error {
	u, err := model.Open(path, model.Options{})
	if err != nil {
		return err
	}
	defer u.Close()
	info := u.Info()
	const atOnce = 1024
	for from := 0; from < info.DVocab; from += atOnce {
		if err := u.ReadRows(from, make([]float32, min(atOnce, info.DVocab-from)*info.DModel)); err != nil {
			return err
		}
	}
	return nil
}

func readVocabulary(path string) error {
	_, err := vocab.Read(path)
	return err
}

func readTorch(path string) error {
	f, err := torch.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// mutated is content with one to eight bits flipped, cut off, with a stretch of it
// overwritten, or with an 8-byte number made a large one. Text and headers, at the
// beginning and in archives at the end, are hit more often than weights.
func mutated(random *rand.Rand, content []byte) []byte {
	m := bytes.Clone(content)
	if len(m) == 0 {
		return []byte{byte(random.Uint32())}
	}
	place := func() int {
		switch random.IntN(3) {
		case 0:
			return random.IntN(min(len(m), 512))
		case 1:
			return len(m) - 1 - random.IntN(min(len(m), 512))
		}
		return random.IntN(len(m))
	}
	switch random.IntN(5) {
	case 0, 1:
		for range 1 + random.IntN(8) {
			m[place()] ^= 1 << random.IntN(8)
		}
	case 2:
		m = m[:place()]
	case 3:
		from, to := place(), place()
		copy(m[min(from, to):], m[:min(random.IntN(64), len(m))])
	default:
		at := place()
		for i := at; i < min(at+8, len(m)); i++ {
			m[i] = []byte{0x00, 0xff, 0x7f, '9'}[random.IntN(4)]
		}
	}
	return m
}

// TestMutatedFiles damages real files in 10,000 ways, the same ones each time. Each
// ends in success or in an error of one line, in bounded time and memory, and never in
// a panic.
func TestMutatedFiles(t *testing.T) {
	const (
		seed      = 1
		slowest   = 10 * time.Second
		mostBytes = 512 << 20
	)
	cases := 10_000
	if testing.Short() {
		cases = 500
	}
	all := fixtures(t)
	if len(all) < 20 {
		t.Fatalf("only %d fixtures can be read", len(all))
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(seed, 0))
	succeeded, read := 0, 0
	var longest time.Duration
	var largest uint64
	for i, f := range all {
		copied := filepath.Join(dir, filepath.Base(f.path))
		files := copyFixture(t, f.path, copied)
		for n := i; n < cases; n += len(all) {
			file := files[random.IntN(len(files))]
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			damaged := mutated(random, whole)
			replace(t, file, damaged)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begun := time.Now()
			err = f.read(copied)
			took := time.Since(begun)
			runtime.ReadMemStats(&after)
			taken := after.TotalAlloc - before.TotalAlloc
			longest, largest = max(longest, took), max(largest, taken)
			if read++; err == nil {
				succeeded++
			} else if said := err.Error(); strings.Contains(said, "\n") || said == "" || strings.Contains(said, "runtime error") {
				t.Errorf("case %d, %s: it says %q", n, file, said)
			}
			if took > slowest || taken > mostBytes {
				t.Errorf("case %d, %s: %v and %d MB allocated", n, file, took, taken>>20)
			}
			replace(t, file, whole)
		}
		if err := os.RemoveAll(copied); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d cases over %d fixtures, seed %d: %d still read, %d errors; the longest took %v, the largest allocated %d kB",
		read, len(all), seed, succeeded, read-succeeded, longest, largest>>10)
}

func replace(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// copyFixture copies a file or a directory and returns the files.
func copyFixture(t *testing.T, from, to string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		files = append(files, target)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
