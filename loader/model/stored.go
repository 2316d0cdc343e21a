package model

import (
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
)

// addFile adds a file that decides the result, once.
func (s *stored) addFile(path string) {
	if !slices.Contains(s.info.Files, path) {
		s.info.Files = append(s.info.Files, path)
	}
}

// measure takes d_vocab and d_model from the unembedding, which is in file.
func (s *stored) measure(file string) {
	s.info.DVocab, s.info.DModel = s.unembedding.Rows(), s.unembedding.Cols()
	s.subject = fmt.Sprintf("%s: tensor %s", file, s.info.Processing.UnembeddingTensor)
}

// holdShape holds d_vocab and d_model against the configuration's, which are 0 where it
// is silent.
func (s *stored) holdShape(dVocab, dModel int, configuration string) error {
	if dVocab != 0 && dVocab != s.info.DVocab || dModel != 0 && dModel != s.info.DModel {
		return &fault.Error{
			Subject: s.subject, Expected: fmt.Sprintf("shape [%s, %s] as in %s", sizeOrAny(dVocab), sizeOrAny(dModel), configuration),
			Found: fmt.Sprintf("[%d, %d]", s.info.DVocab, s.info.DModel),
		}
	}
	return nil
}

func sizeOrAny(n int) string {
	if n == 0 {
		return "any"
	}
	return fmt.Sprint(n)
}

// readWeight reads the final norm's weight [d_model], of the given shape on disk.
// A wrong shape and values that are not finite are errors.
func (s *stored) readWeight(subject string, shape []int, read func(from int, dst []float32) error) error {
	if len(shape) != 1 || shape[0] != s.info.DModel {
		return &fault.Error{
			Subject: subject, Expected: fmt.Sprintf("shape [%d], d_model of the unembedding", s.info.DModel), Found: fmt.Sprint(shape),
		}
	}
	s.weight = make([]float32, s.info.DModel)
	if err := read(0, s.weight); err != nil {
		return err
	}
	for i, w := range s.weight {
		if !finite(w) {
			return &fault.Error{
				Subject: subject, Problem: fmt.Sprintf("position %d", i), Expected: "finite weights", Found: fmt.Sprint(w),
			}
		}
	}
	return nil
}
