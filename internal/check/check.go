// Package check verifies a database: that its tables agree with each other, that
// weights are those that were loaded, and that figures are those of the weights.
//
// It only reads. The rules are SQL (rules_*.go), each of which gives a row for
// whatever breaks it; hashes of sources are in sources.go, and figures computed
// again in float64, by other means than those that made them, in statistics.go and
// scores.go.
package check

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/version"
	schema "github.com/saedb/saedb/sql"
)

// Finding is one thing that is wrong.
type Finding struct {
	Table   string
	Subject string // the model, SAE, feature or token; may be empty
	Problem string
}

func (f Finding) String() string {
	line := f.Table
	if f.Subject != "" {
		line += ": " + f.Subject
	}
	return strings.Join(strings.Fields(line+": "+f.Problem), " ")
}

// AllFeatures as Checker.Sample has every feature's figures computed again.
const AllFeatures = -1

// DefaultSample is how many features of each SAE have their figures computed again.
const DefaultSample = 16

// Checker checks one database, opened with saedb's functions.
type Checker struct {
	DB     *sql.DB
	Sample int // features of each SAE whose figures are computed again, or AllFeatures
	// SkipSources leaves out the files that were loaded.
	SkipSources bool
	// Report is told of each finding, as it is found.
	Report func(Finding)
	// Note is told what is no damage, but that a person should know.
	Note func(note string)
	// Begin is told of work that takes time; it returns what is called as units are
	// done, and at the end. It may be nil.
	Begin func(what string, total int64, unit string) (add func(int64), end func())
}

// Result says what was checked.
type Result struct {
	Models, SAEs, Features int
	Tables                 int
	Recomputed             int // features whose statistics were computed again, a feature of both sides twice
	Scores                 int // enrichment scores that were computed again
	Sources                int // files that still have the recorded hash
	Findings               int // all, those that were not reported one by one too
}

// reportedEach bounds the findings of one rule that are reported one by one: what
// breaks one row often breaks all.
const reportedEach = 10

// Run checks the database. Damage is no error; an error says why the check could not
// be made, or not to its end, and Findings then counts what was found before.
func (c *Checker) Run(ctx context.Context) (Result, error) {
	r := &run{Checker: c, ctx: ctx, unreadable: map[string]bool{}}
	present, err := r.tables()
	if err != nil || !present {
		return r.result, err
	}
	for _, step := range []func() error{
		r.catalogue, r.readCatalogue, r.places, r.modelTables, r.saeTables, r.enrichmentTables, r.contents, r.sources, r.everyBlock, r.figures, r.correlations, r.pairs,
	} {
		if err := step(); err != nil {
			return r.result, err
		}
	}
	return r.result, nil
}

// run is one run of a Checker.
type run struct {
	*Checker
	ctx        context.Context
	result     Result
	models     []storedModel
	saes       []storedSAE
	inputs     []storedSAE     // the same with what is said of figures about those of the input side
	lensed     []storedSAE     // those that are read through a lens, once for each
	unreadable map[string]bool // errors of DuckDB that are reported already
	placed     map[int]inPlace // SAEs whose weights stay in their files, by their numbers
	unread     map[int]bool    // those of which a file is not what it was
}

type storedModel struct {
	id, dModel, dVocab int
	name               string
	embeddingIn        string // the table that has its embedding; empty where it has none
}

type storedSAE struct {
	id, dModel, dSAE int
	name             string
	model            *storedModel
	side             schema.Side // of the figures that are spoken of
	tokens           string      // of its statistics; empty when there are none
	kernel           string      // that computed them
	sameVersion      bool        // whether this version of saedb did
}

// tables makes sure that all tables are there. Without them there is nothing to check.
func (r *run) tables() (all bool, err error) {
	there, err := read(r, "duckdb_tables()", func(name *string) []any { return []any{name} },
		`SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'main'`)
	if err != nil {
		return false, err
	}
	all = true
	for _, table := range schema.Tables() {
		if !slices.Contains(there, table) {
			all = false
			r.found(Finding{table, "", "the table is missing"})
			continue
		}
		r.result.Tables++
	}
	return all, nil
}

// empty tells whether no row is in any of some tables, of whose rows there is then nothing to check. What
// cannot be read is not known to be empty.
func (r *run) empty(tables ...string) bool {
	for _, table := range tables {
		var some bool
		if err := r.DB.QueryRowContext(r.ctx, "SELECT EXISTS (FROM "+table+")").Scan(&some); err != nil || some {
			return false
		}
	}
	return true
}

// readCatalogue reads which models and SAEs there are.
func (r *run) readCatalogue() (err error) {
	r.models, err = read(r, "stored_models", func(m *storedModel) []any { return []any{&m.id, &m.name, &m.dModel, &m.dVocab, &m.embeddingIn} },
		`SELECT model_id, model, d_model, d_vocab, coalesce(embedding_in, '') FROM stored_models ORDER BY model_id`)
	if err != nil {
		return err
	}
	r.result.Models = len(r.models)
	if r.saes, err = r.readSAEs(schema.Output); err != nil {
		return err
	}
	if r.inputs, err = r.readSAEs(schema.Input); err != nil {
		return err
	}
	lenses, err := read(r, "stored_lenses", func(l *schema.Lens) []any { return []any{&l.ID, &l.Name, &l.WithoutMatrices} },
		`SELECT lens_id, lens, EXISTS (FROM stored_lens_matrices m WHERE m.lens_id = l.lens_id AND weights IS NULL) FROM stored_lenses l ORDER BY lens_id`)
	if err != nil {
		return err
	}
	for _, l := range lenses {
		of, err := r.readSAEs(schema.Through(l))
		if err != nil {
			return err
		}
		for i := range of {
			of[i].name += ", through lens " + l.Name
		}
		r.lensed = append(r.lensed, of...)
	}
	return nil
}

// readSAEs reads which there are, with how the figures of a side were computed.
func (r *run) readSAEs(side schema.Side) (all []storedSAE, err error) {
	type row struct {
		storedSAE
		modelID int
	}
	columns := func(s *row) []any {
		return []any{&s.id, &s.name, &s.modelID, &s.dModel, &s.dSAE, &s.tokens, &s.kernel, &s.sameVersion}
	}
	saes, err := read(r, "stored_saes", columns, side.SQL(`SELECT s.sae_id, s.sae, s.model_id, s.d_model, s.d_sae,
			coalesce(any_value(c.tokens), ''), coalesce(any_value(c.kernel), ''), coalesce(any_value(c.saedb_version), '') = ?
		FROM stored_saes s LEFT JOIN stored_computations c USING (sae_id)
		GROUP BY s.sae_id, s.sae, s.model_id, s.d_model, s.d_sae ORDER BY s.sae_id`), version.Number)
	for _, s := range saes {
		if side.Name == schema.Output.Name && side.Lens.ID == 0 {
			r.result.SAEs++
			r.result.Features += s.dSAE
		}
		at := slices.IndexFunc(r.models, func(m storedModel) bool { return m.id == s.modelID })
		if at >= 0 { // or it is reported as an orphan
			s.model, s.side = &r.models[at], side
			all = append(all, s.storedSAE)
		}
	}
	return all, err
}

// read returns the rows of a query. One that cannot be run is a finding about a table, and
// leaves those that were read.
func read[T any](r *run, table string, columns func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := schema.Rows(r.ctx, r.DB, columns, query, args...)
	return rows, r.failed(table, err)
}

// rule is a query that gives a row of two texts, where and what, for everything in
// a table that is wrong.
type rule struct{ table, query string }

// apply runs a rule. What stands for a $name in the query is given in pairs.
func (r *run) apply(rule rule, named ...string) error {
	broken, err := read(r, rule.table, func(row *[2]sql.NullString) []any { return []any{&row[0], &row[1]} },
		strings.NewReplacer(named...).Replace(rule.query))
	found := r.several(rule.table)
	for _, row := range broken {
		found.add(row[0].String, row[1].String)
	}
	found.end()
	return err
}

func (r *run) applyAll(rules []rule, named ...string) error {
	for _, rule := range rules {
		if err := r.apply(rule, named...); err != nil {
			return err
		}
	}
	return nil
}

// several reports what breaks one rule, the first few one by one.
type several struct {
	run   *run
	table string
	count int
}

func (r *run) several(table string) *several { return &several{run: r, table: table} }

func (s *several) add(subject, problem string) {
	if s.count++; s.count <= reportedEach {
		s.run.found(Finding{s.table, subject, problem})
	}
}

func (s *several) end() {
	if more := s.count - reportedEach; more > 0 {
		s.run.found(Finding{s.table, "", fmt.Sprintf("and %d more of this kind", more)})
		s.run.result.Findings += more - 1 // the line itself is counted already
	}
}

func (r *run) found(f Finding) {
	r.result.Findings++
	r.Report(f)
}

// failed makes an error of a query a finding, once, as a damaged file is found by
// DuckDB's own checksums; an error is what ends the check: the context's, and what says
// that the query could not be run here and now.
func (r *run) failed(table string, err error) error {
	if err == nil {
		return nil
	}
	if r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	if couldNotRead(err) {
		return unchecked(table, err)
	}
	said, _, _ := strings.Cut(err.Error(), "\n")
	if !r.unreadable[said] {
		r.unreadable[said] = true
		r.found(Finding{table, "", "it cannot be read: " + said})
	}
	return nil
}

// begin is Begin, where there is one.
func (r *run) begin(what string, total int64, unit string) (add func(int64), end func()) {
	if r.Begin == nil {
		return func(int64) {}, func() {}
	}
	return r.Begin(what, total, unit)
}

// everyBlock reads all columns of the tables whose rows the rules do not read
// whole, so that DuckDB compares the checksum of every block.
func (r *run) everyBlock() error {
	for _, table := range schema.Tables() {
		if slices.Contains(schema.WeightTables, table) {
			continue // their hashes read all
		}
		var hash sql.NullString
		err := r.DB.QueryRowContext(r.ctx, "SELECT CAST(bit_xor(hash(t)) AS VARCHAR) FROM "+table+" t").Scan(&hash)
		if err := r.failed(table, err); err != nil {
			return err
		}
	}
	return nil
}

// Damaged is the error for a database with findings. Unfinished is why the check did not get
// to its end, or nil.
func Damaged(path string, r Result, unfinished error) error {
	damaged := &fault.Error{
		Op: "check", Subject: path, Expected: "a sound database", Found: counted(r.Findings, "problem"),
		Hint: "restore it from a copy, or load again with --replace what is named above, and compute",
	}
	if unfinished != nil {
		damaged.Found += " before the check ended: " + unfinished.Error()
	}
	return damaged
}

// String says in one line what was checked.
func (r Result) String() string {
	return fmt.Sprintf("checked %s, %s, %s with %s: statistics of %s computed again in float64, %s again, %s unchanged",
		counted(r.Tables, "table"), counted(r.Models, "model"), counted(r.SAEs, "SAE"), counted(r.Features, "feature"),
		counted(r.Recomputed, "feature"), counted(r.Scores, "enrichment score"), counted(r.Sources, "source file"))
}

// counted is a number of things, whose plural ends in s.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
