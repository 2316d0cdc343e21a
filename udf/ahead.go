package udf

import (
	"sync"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// ahead reads the weights of a load's rows ahead of DuckDB's threads, and takes the hash of the
// rows that a load records meanwhile: otherwise the thread that writes them would wait for both.
type ahead struct {
	rows, width int
	read        func(from int, to []float32) error
	besides     func(row int) (hash int64) // of what a row holds besides its weights; may be nil
	column      int                        // of the table, that of the weights

	begin sync.Once
	made  chan rowsRead
	free  chan []float32 // rooms for a chunk's weights
	stop  chan struct{}
	ended sync.WaitGroup

	count, hash int64 // of the rows that were read, once it has ended
}

// rowsRead are the weights [n, width] of the rows from one on.
type rowsRead struct {
	from, n int
	weights []float32
	err     error
}

func newAhead(rows, width, column int, read func(from int, to []float32) error, besides func(row int) int64) *ahead {
	a := &ahead{
		rows: rows, width: width, column: column, read: read, besides: besides,
		made: make(chan rowsRead), free: make(chan []float32, 2), stop: make(chan struct{}),
	}
	for range cap(a.free) {
		a.free <- nil
	}
	return a
}

// next returns the next rows, none at the end. Their memory goes to [ahead.done] when it is read.
func (a *ahead) next() (rowsRead, error) {
	a.begin.Do(func() { a.ended.Go(a.run) })
	some := <-a.made // closed at the end
	return some, some.err
}

func (a *ahead) done(some rowsRead) { a.free <- some.weights }

func (a *ahead) run() {
	defer close(a.made)
	var bytes []byte
	for from := 0; from < a.rows; from += capi.VectorSize() {
		some := rowsRead{from: from, n: min(capi.VectorSize(), a.rows-from)}
		select {
		case some.weights = <-a.free:
		case <-a.stop:
			return
		}
		if size := some.n * a.width; cap(some.weights) < size {
			some.weights = make([]float32, size)
		} else {
			some.weights = some.weights[:size]
		}
		some.err = a.fill(from, some.weights)
		for i := range some.n {
			if some.err != nil {
				break
			}
			var hash int64
			hash, bytes = hashOfRow(int32(from+i), some.weights[i*a.width:(i+1)*a.width], bytes)
			if a.besides != nil {
				hash ^= a.besides(from + i)
			}
			a.hash ^= hash
			a.count++
		}
		select {
		case a.made <- some:
		case <-a.stop:
			return
		}
		if some.err != nil {
			return
		}
	}
}

// fill reads weights; a panic of a reader is an error, as on DuckDB's threads.
func (a *ahead) fill(from int, to []float32) (err error) {
	defer fault.Recover(&err)
	return a.read(from, to)
}

// end waits for what is read at the moment; nothing is read from then on.
func (a *ahead) end() {
	close(a.stop)
	a.ended.Wait()
}

// hashed returns the number and the hash of the rows, as schema.Contents has them, once all were
// read.
func (a *ahead) hashed() (rows, hash int64) {
	a.ended.Wait()
	return a.count, a.hash
}
