// Package progress shows on a terminal how far a long operation has come.
package progress

import (
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// redrawEvery bounds how often the line is drawn: more often only flickers.
const redrawEvery = 100 * time.Millisecond

// Bar is one line on a terminal: name, bar, count, rate and time left.
// A Bar made for a file that is no terminal prints nothing.
type Bar struct {
	done  atomic.Int64
	drawn atomic.Int64 // when the line was last drawn, in nanoseconds since 1970

	drawing sync.Mutex
	line    *progressbar.ProgressBar // nil when there is nothing to draw on, or after Finish
}

// Bytes is the unit of a Bar that counts bytes, which are shown in larger ones.
const Bytes = "bytes"

// New returns a Bar on w, counting up to total of the plural unit: "features".
// A total of 0 or less means that it is not known.
func New(w *os.File, what string, total int64, unit string) *Bar {
	if w == nil || !term.IsTerminal(int(w.Fd())) {
		return &Bar{}
	}
	if total <= 0 {
		total = -1
	}
	line := progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionShowBytes(unit == Bytes),
		progressbar.OptionSetWidth(barWidth(w, what, total, unit)),
		progressbar.OptionUseANSICodes(true),
		// With no total the library would redraw by itself, from a goroutine that
		// Finish does not wait for.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
	b := &Bar{line: line}
	b.draw()
	return b
}

// barWidth returns how many characters of w's lines the name, the count, the rate
// and the times leave for the bar: a line that wraps cannot be taken off again.
func barWidth(w *os.File, what string, total int64, unit string) int {
	columns, _, err := term.GetSize(int(w.Fd()))
	if err != nil {
		columns = 80
	}
	count := len(strconv.FormatInt(total, 10))
	const others = len(" 100% || (/, 12345 /min) [1h02m03s:1h02m03s]")
	return min(40, max(1, columns-runewidth.StringWidth(what)-2*count-len(unit)-others-1))
}

// Add counts n more as done. Any number of goroutines may call it.
func (b *Bar) Add(n int64) {
	b.done.Add(n)
	last := b.drawn.Load()
	now := time.Now().UnixNano()
	if now-last >= int64(redrawEvery) && b.drawn.CompareAndSwap(last, now) {
		b.draw()
	}
}

// Finish takes the line off the terminal, whether or not all is done. Calling it
// again does nothing, so it may be deferred for the case of an error.
func (b *Bar) Finish() {
	b.drawing.Lock()
	defer b.drawing.Unlock()
	if b.line == nil {
		return
	}
	// A terminal that cannot be written to is no reason to fail the operation.
	_ = b.line.Clear()
	b.line = nil
}

func (b *Bar) draw() {
	b.drawing.Lock()
	defer b.drawing.Unlock()
	if b.line != nil {
		// Reading the count here, under the lock, keeps it from going backwards.
		_ = b.line.Set64(b.done.Load())
	}
}
