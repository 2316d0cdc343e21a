package box

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb/internal/figures"
)

// TestProcessIsReplaced: what ends the process, or makes it of no use, costs the query that
// did it, and no other.
func TestProcessIsReplaced(t *testing.T) {
	b := open(t, Options{Path: database(t), Time: 2 * time.Second})
	deep := "repeat('{\"a\":', 20000) || '1' || repeat('}', 20000)"
	for _, c := range []struct{ query, want string }{
		{"SELECT json_structure(" + deep + ") IS NULL", "SIGSEGV"},
		{"SELECT len(range(300000000))", "Out of Memory"},
		{"SELECT unnest(range(1000000000))", "Out of Memory"},
		{"SELECT sleep_ms(60000)", "the query took longer than 2s and was stopped"},
		{"SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b", "the query took longer than 2s and was stopped"},
	} {
		before, begun := b.started, time.Now()
		answer, err := b.Rows(t.Context(), c.query)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: expected %q, found %s, %v", c.query, c.want, answer, err)
		}
		if strings.Contains(c.want, "took longer") != errors.Is(err, ErrTime) {
			t.Errorf("%s: %v is ErrTime: %v", c.query, err, errors.Is(err, ErrTime))
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s took %v", c.query, took)
		}
		alive(t, b)
		if b.started != before+1 {
			t.Errorf("%s: %d processes before, %d after", c.query, before, b.started)
		}
	}
	before := b.started
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := b.Rows(ctx, "SELECT sleep_ms(60000)"); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
	alive(t, b)
	if b.started != before+1 {
		t.Error("a query that nobody waits for goes on")
	}
	if err := b.process.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-b.process.ended
	if _, err := b.Rows(t.Context(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "ended the process") {
		t.Errorf("of a process that is dead: %v", err)
	}
	alive(t, b)
}

// TestWorn: a process that has run queries for long is replaced between two of them, and one
// that has kept memory.
func TestWorn(t *testing.T) {
	b := open(t, Options{Path: database(t), Time: 20 * time.Second})
	for _, c := range []struct {
		what string
		wear func()
		want bool
	}{
		{"nothing", func() {}, false},
		{"time", func() { b.process.spent = timesUsed * b.options.Time }, true},
		{"memory", func() { b.process.size -= b.options.memory() }, true},
	} {
		before := b.started
		<-b.process.ready
		c.wear()
		alive(t, b)
		if replaced := b.started > before; replaced != c.want {
			t.Errorf("after %s: replaced: %v", c.what, replaced)
		}
	}
}

func TestOneAtATime(t *testing.T) {
	b := open(t, Options{Path: database(t), Time: 2 * time.Second})
	b.wait = 200 * time.Millisecond
	first := make(chan error)
	go func() {
		_, err := b.Rows(t.Context(), "SELECT sleep_ms(60000)")
		first <- err
	}()
	time.Sleep(200 * time.Millisecond)
	if _, err := b.Rows(t.Context(), "SELECT 1"); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another: %v", err)
	}
	if err := <-first; !errors.Is(err, ErrTime) {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	b := open(t, Options{Path: database(t), Time: 20 * time.Second})
	csv, err := b.CSV(t.Context(), "SELECT n, [n] AS l FROM numbers ORDER BY n LIMIT 2")
	if err != nil {
		t.Fatal(err)
	}
	parquet, err := b.Parquet(t.Context(), "PIVOT numbers ON rest USING count(*)")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file *File
		want string
	}{"CSV": {csv, "n,l\n0,[0]\n1,[1]\n"}, "Parquet": {parquet, "PAR1"}} {
		if content, err := io.ReadAll(c.file); err != nil || !strings.HasPrefix(string(content), c.want) {
			t.Errorf("%s: %q, %v", name, content, err)
		}
		if err := c.file.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.file.path); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	for _, ask := range []func(context.Context, string) (*File, error){b.CSV, b.Parquet} {
		if _, err := ask(t.Context(), "FROM checkpoint()"); err == nil || !strings.Contains(err.Error(), "checkpoint() cannot") {
			t.Error(err)
		}
		if _, err := ask(t.Context(), "SELECT n, error('in the midst') FROM numbers"); err == nil || !strings.Contains(err.Error(), "in the midst") {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(b.process.directory); err != nil || len(left) > 0 {
		t.Errorf("%v is left of files that are not whole, %v", left, err)
	}
	wide := "SELECT " + strings.Repeat("NULL, ", 3500) + "1 FROM numbers"
	for _, large := range []string{"SELECT repeat('x', 20000000)", wide} {
		if _, err := b.Rows(t.Context(), large); err == nil || !strings.Contains(err.Error(), "larger than 16 MB; download it") {
			t.Errorf("%.60s: %v", large, err)
		}
	}
	drawn, err := b.Figure(t.Context(), figures.Request{Name: "skewness", Feature: -1}, "SELECT n::DOUBLE AS skewness FROM numbers")
	if err != nil || !strings.Contains(string(drawn), "Skewness of 1,000 features") {
		t.Errorf("a figure: %.300s, %v", drawn, err)
	}
	alive(t, b)
}
