package sae

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// checkRows returns the number of whole rows of d values in dst, and an error
// unless the rows from … from+n-1 exist among features. The subject names the tensor.
func checkRows(subject string, from int, dst []float32, features, d int) (int, error) {
	if len(dst)%d != 0 {
		return 0, &fault.Error{
			Op: opRead, Subject: subject, Expected: fmt.Sprintf("room for whole rows of %d values", d),
			Found: fmt.Sprintf("%d values", len(dst)),
		}
	}
	rows := len(dst) / d
	if from < 0 || from > features || rows > features-from {
		return 0, &fault.Error{
			Op: opRead, Subject: subject, Expected: fmt.Sprintf("features from 0 to %d", features-1),
			Found: fmt.Sprintf("%d to %d", from, from+rows-1),
		}
	}
	return rows, nil
}

// checkFinite returns an error that names the first value of rows which is NaN
// or infinite. The first row is that of feature from.
func checkFinite(subject string, from int, rows []float32, d int) error {
	i := tensor.FirstNonFinite(rows)
	if i < 0 {
		return nil
	}
	return &fault.Error{
		Op: opRead, Subject: subject, Problem: fmt.Sprintf("feature %d, position %d", from+i/d, i%d),
		Expected: "a finite float32", Found: fmt.Sprint(rows[i]),
		Hint: "the file is damaged, or its training diverged",
	}
}
