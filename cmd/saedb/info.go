package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/output"
	"github.com/saedb/saedb/internal/plaintext"
	schema "github.com/saedb/saedb/sql"
	"github.com/urfave/cli/v2"
)

var infoCommand = &cli.Command{
	Name:   "info",
	Usage:  "list the loaded models, SAEs and lenses and what is computed",
	Action: printInfo,
}

// What info prints of each model, and below it of the model's SAEs. %s is the source,
// and the SAE's name, shortened.
const (
	infoModels = `SELECT m.model, m.architecture, m.d_model, m.d_vocab, m.dtype, %s, l.conventions
		FROM models m JOIN loads l USING (load_id) ORDER BY m.model`
	infoSAEs = `SELECT %s AS sae, layer, d_sae AS features, coalesce(t.computed, 0) AS computed, tokens
		FROM saes s LEFT JOIN (SELECT sae_id, count(*) AS computed FROM stored_statistics GROUP BY sae_id) t ON t.sae_id = s.load_id
		WHERE s.model = ? ORDER BY s.layer, s.sae`
	infoLenses = `SELECT lens, model, kind, len(layers) AS layers, corpus, prompts FROM lenses ORDER BY lens`

	infoExplanations = `WITH loaded AS (
			SELECT neuronpedia_id, 1 AS explanation FROM stored_explanations UNION ALL SELECT neuronpedia_id, 0 FROM stored_neuronpedia_features
		)
		SELECT neuronpedia_id, sum(explanation) AS explanations, count(*) - sum(explanation) AS activations,
			(SELECT list(s.sae ORDER BY s.sae) FROM saes s WHERE s.neuronpedia_id = l.neuronpedia_id) AS saes
		FROM loaded l GROUP BY neuronpedia_id ORDER BY neuronpedia_id`
)

// What stands in a line besides a source, and besides the name of an SAE.
var (
	besideSource = utf8.RuneCountInString("from ")
	besideName   = utf8.RuneCountInString("│  │ layer │ features │ computed │ tokens │")
)

// shortened is a text in SQL of which the middle is left out where it is longer: names
// of SAEs and files tell themselves apart at both ends.
func shortened(text string, length int) string {
	length = max(length, 8)
	return fmt.Sprintf("CASE WHEN length(%[1]s) <= %[2]d THEN %[1]s ELSE %[1]s[:%[3]d] || '…' || %[1]s[-%[4]d:] END",
		text, length, length/2, length-1-length/2)
}

func printInfo(c *cli.Context) error {
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	var size string
	if err := db.QueryRowContext(c.Context, "SELECT database_size FROM pragma_database_size()").Scan(&size); err != nil {
		return err
	}
	page := &infoPage{ctx: c.Context, db: db.DB, out: c.App.Writer, columns: cmp.Or(output.ScreenOf(c.App.Writer).Columns, output.PlainColumns)}
	fmt.Fprintf(page.out, "%s: %s\n", c.String("db"), size)
	if err := page.models(); err != nil {
		return err
	}
	for _, part := range [][2]string{{"Lenses", infoLenses}, {"Explanations", infoExplanations}} {
		var some bool
		if err := db.QueryRowContext(c.Context, "SELECT count(*) > 0 FROM ("+part[1]+")").Scan(&some); err != nil {
			return err
		}
		if !some {
			continue
		}
		fmt.Fprintln(page.out, "\n"+part[0])
		if err := page.table(part[1]); err != nil {
			return err
		}
	}
	return nil
}

// infoPage is where info is printed.
type infoPage struct {
	ctx     context.Context
	db      *sql.DB
	out     io.Writer
	columns int // characters in a line
}

// loadedModel is what is printed of a model.
type loadedModel struct {
	name, architecture, dtype, source, conventions string
	dModel, dVocab                                 int64
}

func (p *infoPage) models() error {
	models, err := schema.Rows(p.ctx, p.db, func(m *loadedModel) []any {
		return []any{&m.name, &m.architecture, &m.dModel, &m.dVocab, &m.dtype, &m.source, &m.conventions}
	}, fmt.Sprintf(infoModels, shortened("l.source", p.columns-besideSource)))
	if err != nil {
		return err
	}
	for _, m := range models {
		fmt.Fprintln(p.out)
		p.paragraph(fmt.Sprintf("Model %s: %s, d_model %d, %s tokens, %s", m.name, m.architecture, m.dModel, plaintext.Thousands(m.dVocab), m.dtype))
		p.paragraph("from " + m.source)
		p.paragraph(m.conventions)
		if err := p.table(fmt.Sprintf(infoSAEs, shortened("s.sae", p.columns-besideName)), m.name); err != nil {
			return err
		}
	}
	return nil
}

func (p *infoPage) table(query string, args ...any) error {
	rows, err := p.db.QueryContext(p.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = output.WriteTo(p.out, output.Table, rows, output.Screen{Columns: p.columns}, nil)
	return err
}

// paragraph prints a text in lines that are no longer than the page is wide, unless a
// word is.
func (p *infoPage) paragraph(text string) {
	line := ""
	for _, word := range strings.Fields(plaintext.Visible(text)) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > p.columns {
			fmt.Fprintln(p.out, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	fmt.Fprintln(p.out, line)
}
