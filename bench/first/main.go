// Command first measures first answers at GPT-2's shape: how long a person waits after the start
// of a command, of a server, and for a function of one direction:
//
//	go run ./bench/first           # 24,576 features
//	go run ./bench/first -quick    # 2,048 features, 3 rounds
//
// A round is a process of its own; the database's file is in the system's cache. Figures are
// medians of the rounds, in milliseconds.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/bench/measure"
)

const sae = "blocks.8.hook_resid_pre"

func main() {
	features := flag.Int("features", 24576, "features of the SAE")
	rounds := flag.Int("rounds", 7, "times that each answer is measured")
	quick := flag.Bool("quick", false, "the same as -features 2048 -rounds 3")
	flag.Parse()
	if *quick {
		*features, *rounds = 2048, 3
	}
	measure.Main("first", run(measure.GPT2(*features), *rounds))
}

// waits are milliseconds by what was waited for, in the order in which they were measured.
type waits struct {
	names []string
	taken map[string][]float64
}

func (w *waits) add(name string, took time.Duration) {
	if w.taken[name] == nil {
		w.names = append(w.names, name)
	}
	w.taken[name] = append(w.taken[name], took.Seconds()*1e3)
}

func run(shape measure.Shape, rounds int) error {
	program, err := measure.Saedb()
	if err != nil {
		return err
	}
	database := measure.Scratched(program, fmt.Sprintf("first-%d", shape.Features))
	if err := database.Make(func(partial measure.Database) error {
		files, err := shape.Write()
		if err != nil {
			return err
		}
		return partial.All([]string{"load", "model", files.Model, "--name", "gpt2"}, []string{"load", "sae", files.SAE, "--hook", sae}, []string{"compute"})
	}); err != nil {
		return err
	}
	near := measure.Scratched(program, fmt.Sprintf("first-%d-neighbours", shape.Features))
	if err := near.Make(func(partial measure.Database) error {
		if err := partial.Copy(database); err != nil {
			return err
		}
		return partial.All([]string{"compute", "--neighbours"})
	}); err != nil {
		return err
	}
	fmt.Printf("%s\n%v, %d rounds; medians in ms\n\n", measure.Machine(), shape, rounds)
	w := &waits{taken: map[string][]float64{}}
	for i := range rounds {
		feature := i * shape.Features / rounds
		for _, measured := range []func(measure.Database, *waits, int) error{commands, functions, served} {
			if err := measured(database, w, feature); err != nil {
				return err
			}
		}
		if err := neighbours(near, w, feature); err != nil {
			return err
		}
	}
	for _, name := range w.names {
		fmt.Printf("%-58s %8.1f\n", name, measure.Median(w.taken[name]))
	}
	return nil
}

// commands start a program each.
func commands(d measure.Database, w *waits, feature int) error {
	for _, c := range []struct{ name, query string }{
		{"sql: SELECT 1", "SELECT 1"},
		{"sql: a row of features", fmt.Sprintf("SELECT feature, skewness, top_tokens FROM features WHERE feature = %d", feature)},
	} {
		run, err := d.Saedb("sql", c.query)
		if err != nil {
			return err
		}
		w.add(c.name, run.Wall)
	}
	return nil
}

// functions are of one direction, in one process, the model not used before. The direction is a
// person's own, in a table: to look up a feature's takes some milliseconds more.
func functions(d measure.Database, w *waits, feature int) error {
	const direction = "(SELECT direction FROM mine)"
	mine := fmt.Sprintf("CREATE TEMP TABLE mine AS SELECT w_dec AS direction FROM decoder_directions WHERE feature = %d", feature)
	return ask(d, w, mine, []question{
		{"logit_stats of one direction, the model not used before", "SELECT logit_stats(" + direction + ", 'gpt2')"},
		{"logit_stats of one direction, again", "SELECT logit_stats(" + direction + ", 'gpt2')"},
		{"top_tokens of one direction", "SELECT top_tokens(" + direction + ", 'gpt2', 10)"},
		{"logit_weights of one direction", "SELECT len(logit_weights(" + direction + ", 'gpt2'))"},
		{"logit_stats of a feature's decoder direction", fmt.Sprintf("SELECT logit_stats(w_dec, 'gpt2') FROM decoder_directions WHERE feature = %d", feature)},
		{"similar_features of one feature, the first time", fmt.Sprintf(similar, feature)},
		{"similar_features of one feature, again", fmt.Sprintf(similar, feature)},
	})
}

const similar = "FROM similar_features('layer_8', %d)"

// neighbours are similar_features where compute --neighbours has stored what is nearest.
func neighbours(d measure.Database, w *waits, feature int) error {
	return ask(d, w, "SELECT 1", []question{
		{"similar_features, neighbours stored, the first time", fmt.Sprintf(similar, feature)},
		{"similar_features, neighbours stored, again", fmt.Sprintf(similar, feature)},
	})
}

type question struct{ name, query string }

// ask adds how long each query took until its last row was there, on a connection of its own on which
// first has run.
func ask(d measure.Database, w *waits, first string, questions []question) error {
	ctx := context.Background()
	db, err := saedb.Open(ctx, d.Path, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx) // whose temporary tables those of first are
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, first); err != nil {
		return err
	}
	for _, q := range questions {
		begun := time.Now()
		rows, err := conn.QueryContext(ctx, q.query)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			return err
		}
		w.add(q.name, time.Since(begun))
	}
	return nil
}

// served is a feature's page from the start of the server on, as the page asks for it.
func served(d measure.Database, w *waits, feature int) error {
	begun := time.Now()
	server, err := measure.Serve(d, os.Stderr)
	if err != nil {
		return err
	}
	defer server.Stop()
	w.add("serve: until it answers", time.Since(begun))
	of := url.Values{"sae": {sae}, "feature": {fmt.Sprint(feature)}}
	for _, c := range []struct {
		name, path string
		more       url.Values
	}{
		{"serve: a feature, after the start", "feature", nil},
		{"serve: a feature's histogram, after the start", "figure", url.Values{"name": {"feature"}}},
	} {
		q := url.Values{}
		for _, values := range []url.Values{of, c.more} {
			for key, value := range values {
				q[key] = value
			}
		}
		answer, err := http.Get(server.Address + "/api/" + c.path + "?" + q.Encode())
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s %s: %v", c.path, answer.Status, text, err)
		}
		w.add(c.name, time.Since(begun))
	}
	return nil
}
