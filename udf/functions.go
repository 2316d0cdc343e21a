// Package udf is saedb's SQL functions: one family a file, each under the name
// that it has in SQL.
//
// A function reads a chunk's vectors in place, hands the chunk as one batch to
// internal/compute, and writes the result vectors in place. The table functions
// do the same with the readers of loader. No mathematics is here.
package udf

import (
	"context"
	"sync/atomic"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// Functions is what one database's SQL functions share.
type Functions struct {
	readers  *readers
	opened   opened
	confined atomic.Bool
	contexts Contexts
	running  running
}

// Contexts gives the context of what runs on a connection, by DuckDB's number of it; nil
// where there is none.
type Contexts func(connection int64) context.Context

// DefaultModelMemory holds several models of GPT-2's size, or one of Gemma-2's.
const DefaultModelMemory = 4 << 30

// Register registers every function with the database of registration. Models
// are read through lookups, another connection to the same database, used by
// nobody else, which must stay open as long as the functions are in use. Readers that
// were asked for stay in memory for the next query, as far as modelMemory bytes allow; the
// last one stays in any case, and those of a query until it ends.
// The context that contexts, which may be nil, gives for a query stops its functions, and
// is told of progress: DuckDB itself interrupts a query only between chunks, which can be a
// minute apart.
func Register(registration capi.Connection, lookups capi.Queryer, modelMemory int64, contexts Contexts) (*Functions, error) {
	f := &Functions{readers: newReaders(lookups, modelMemory), contexts: contexts}
	for _, family := range families {
		if err := family.register(f, registration); err != nil {
			return nil, err
		}
	}
	return f, registerReadRow(f, registration)
}

// RegisterNames makes the bare names of table functions without arguments usable
// in FROM, where no table has the name.
func RegisterNames(db capi.Database) { db.Replace(tableReleases) }

// Confine makes the functions that read files refuse to, from now on: those that a query names,
// and unless weights, those in which the weights of an SAE of the database stay.
func (f *Functions) Confine(weights bool) {
	f.confined.Store(true)
	f.readers.database.confined.Store(!weights)
}

// files is a table function that reads the file which is its first argument.
func (f *Functions) files(name string, read func(arguments []string) (*table, error)) func([]string) (*table, error) {
	return func(arguments []string) (*table, error) {
		if f.confined.Load() {
			return nil, &fault.Error{Op: name, Problem: "files cannot be read here"}
		}
		return read(arguments)
	}
}

// family is one file's functions and their documentation.
type family struct {
	register func(*Functions, capi.Connection) error
	docs     []schema.Function
}

var families = []family{
	logitStatsFamily, lMomentsFamily, rankCorrelationFamily, topTokensFamily, topFeaturesFamily, topNeuronsFamily, linkedFeaturesFamily, decoderCosineFamily, familiesFamily, matchFamily, logitWeightsFamily, logitDifferenceFamily, headsFamily, compositionFamily, featureStatisticsFamily, enrichFamily,
	lensFamily, leadingEdgeFamily, weightedEnrichmentFamily, baselineFamily, readerRowFamily, rowHashFamily, tokenTextFamily,
	readSAEFamily, readModelFamily, registeredFamily, releasesFamily, openedFamily,
}

// Documentation describes every function, in the order of a reference.
func Documentation() []schema.Function {
	var docs []schema.Function
	for _, family := range families {
		docs = append(docs, family.docs...)
	}
	return docs
}
