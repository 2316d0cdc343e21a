package box

import (
	"runtime"
	"time"

	"github.com/saedb/saedb/internal/sandbox"
)

// Limits of one query. Those that the page states are Limits' fields.
const (
	databaseMemory = 1_000_000_000 // what DuckDB itself buffers; more goes to disk, as far as fileBytes
	otherMemory    = 1_000_000_000 // strings, lists and hash tables outside of that, and our functions
	fileBytes      = 4_000_000_000 // of a download, and of what DuckDB puts on disk
	pageRows       = 1000          // on the page; downloads have all
	pageBytes      = 16_000_000
	waitTime       = 5 * time.Second // for the query before
	startTime      = 30 * time.Second
	mostThreads    = 16
)

// A process is made anew when it has run queries for this many times the time of one, so
// that its processor time always has room for another.
const (
	timesUsed    = 3
	timesAllowed = timesUsed + 1
)

// Limits are what one query may take.
type Limits struct {
	Seconds float64 `json:"seconds"`
	// Memory is in bytes: of address space on Linux, of DuckDB's buffers elsewhere.
	Memory    int64 `json:"memory"`
	Rows      int   `json:"rows"`       // that the page shows
	PageBytes int   `json:"page_bytes"` // and how large they may be
	FileBytes int64 `json:"file_bytes"` // of a download
}

func threads() int { return min(runtime.NumCPU(), mostThreads) }

// memory is what a query may take of the system, with the unembeddings of all models: a
// function holds those that it uses, in Go's memory, which takes a tenth more.
func (o Options) memory() int64 { return databaseMemory + otherMemory + o.Unembeddings/4*5 }

func (o Options) sandboxed() sandbox.Limits {
	return sandbox.Limits{
		Memory:    o.memory(),
		Processor: time.Duration(timesAllowed*threads())*o.Time + startTime,
		FileSize:  fileBytes,
	}
}

// Limits of a query of this box.
func (b *Box) Limits() Limits {
	l := Limits{b.options.Time.Seconds(), b.options.memory(), pageRows, pageBytes, fileBytes}
	if runtime.GOOS != "linux" {
		l.Memory = databaseMemory
	}
	return l
}
