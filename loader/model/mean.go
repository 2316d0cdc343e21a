package model

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/saedb/saedb/internal/fault"
)

const (
	// The vocabulary is summed in this many spans whatever the number of
	// goroutines, so that the order of additions, and with it the mean's last bit,
	// is the same on every machine.
	meanSpans = 64
	// readFloats values are read at a time: 1 MiB.
	readFloats = 256 << 10
)

// meanRow returns the mean over the vocabulary, in float64, of the rows that are
// otherwise processed [d_model]. A value that is not finite is an error that names
// its row and column, the first by row.
func (p *processor) meanRow() ([]float64, error) {
	n, d := p.stored.Rows(), p.stored.Cols()
	spans := min(meanSpans, n)
	sums := make([][]float64, spans)
	failures := make([]error, spans)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), spans) {
		workers.Go(func() {
			buffer := make([]float32, min(max(readFloats/d, 1), n)*d)
			for {
				i := int(next.Add(1)) - 1
				if i >= spans {
					return
				}
				sums[i], failures[i] = p.sumRows(i*n/spans, (i+1)*n/spans, buffer)
			}
		})
	}
	workers.Wait()
	mean := make([]float64, d)
	for i, sum := range sums {
		if failures[i] != nil {
			return nil, failures[i]
		}
		for j, v := range sum {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(n)
	}
	return mean, nil
}

// sumRows sums the rows from … to-1; buffer has room for a whole number of rows.
func (p *processor) sumRows(from, to int, buffer []float32) ([]float64, error) {
	d := p.stored.Cols()
	sum := make([]float64, d)
	for from < to {
		rows := buffer[:min(len(buffer)/d, to-from)*d]
		if err := p.stored.ReadRows(from, rows); err != nil {
			return nil, err
		}
		for row := range len(rows) / d {
			x := rows[row*d : (row+1)*d]
			if err := p.checkFinite(from+row, x); err != nil {
				return nil, err
			}
			center := p.rowCenter(x)
			for i, v := range x {
				sum[i] += float64(v)*p.weight[i] - center
			}
		}
		from += len(rows) / d
	}
	return sum, nil
}

func (p *processor) checkFinite(row int, x []float32) error {
	for i, v := range x {
		if !finite(v) {
			return &fault.Error{
				Subject: p.subject, Problem: fmt.Sprintf("row %d, column %d", row, i),
				Expected: "finite weights", Found: fmt.Sprint(v),
			}
		}
	}
	return nil
}
