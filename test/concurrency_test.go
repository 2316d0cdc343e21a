package test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb"
)

// shell is the program running statements as they are written to it, with the
// database open all the while.
type shell struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func openShell(t *testing.T, args ...string) *shell {
	t.Helper()
	s := &shell{command: exec.Command(program, args...)}
	var err error
	if s.in, err = s.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.in.Close(); s.command.Process.Kill() })
	return s
}

// ask runs a statement and returns the line of its result.
func (s *shell) ask(t *testing.T, statement string) string {
	t.Helper()
	if _, err := io.WriteString(s.in, statement+";\n"); err != nil {
		t.Fatal(err)
	}
	var line string
	for range 2 { // the column's name, and the value
		var err error
		if line, err = s.out.ReadString('\n'); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return strings.TrimSpace(line)
}

func (s *shell) close(t *testing.T) {
	t.Helper()
	s.in.Close()
	io.Copy(io.Discard, s.out)
	if err := s.command.Wait(); err != nil {
		t.Error(err)
	}
}

// writers and readers are commands that open a database to write, and to read only.
var (
	writers = [][]string{{"compute"}, {"load", "sets", "--family", "regex"}, {"sql", "--write", "SELECT 1"}, {"upgrade"}, {"load", "directions", "--sql", "SELECT [1]", "--name", "x"}}
	readers = [][]string{
		{"info"}, {"check", "--sample", "0"}, {"sets"}, {"sql", "--read-only", "SELECT count(*) FROM features"}, {"sql", "SELECT count(*) FROM features"},
		{"sql", "BEGIN; CREATE TEMP TABLE few AS FROM features LIMIT 3; UPDATE few SET layer = 7; SET threads = 1; COMMIT; EXPLAIN FROM few"},
	}
)

// fileReaders are commands that read a database and write files into dir.
func fileReaders(dir string) [][]string {
	in := func(name string) string { return filepath.Join(dir, name) }
	return [][]string{
		{"plot", "skewness", "--out", in("p.svg")}, {"report", "--out", in("r.html")}, {"export", "--to", in("results"), "--replace"},
		{"sets", "--model", "small", "--gmt", in("sets.gmt")}, {"sql", "COPY (FROM features) TO '" + in("f.parquet") + "'"},
		{"sql", "ATTACH '" + in("other.db") + "' AS other; CREATE OR REPLACE TABLE other.mine AS FROM features"},
	}
}

// TestOneWriter: while one program writes, no other opens the database, to write or to
// read, and is told who has it, the rule and what to do. What the first does is not
// disturbed, and when it ends the others work.
func TestOneWriter(t *testing.T) {
	db := smallDatabase(t)
	first := openShell(t, "--db", db, "sql", "--write", "--format", "csv")
	if found := first.ask(t, "SELECT count(*) AS n FROM stored_decoders"); found != "48" {
		t.Fatalf("it has %s features", found)
	}
	for _, args := range slices.Concat(writers, readers, fileReaders(t.TempDir()), [][]string{{"serve", "--listen", "127.0.0.1:0"}}) {
		r := saedbRun(t, "", append([]string{"--db", db}, args...)...)
		expectFailure(t, r, 1, fmt.Sprintf("open database: %s: process %d (", db, first.command.Process.Pid), " has it open to write (wait until it is done, or close it there: ")
		if runtime.GOOS == "linux" && !strings.Contains(r.stderr, "--db "+db+" sql --write --format csv)") {
			t.Errorf("%q does not say how the process was started", r.stderr)
		}
	}
	if found := first.ask(t, "SELECT count(*) AS n FROM features"); found != "48" {
		t.Errorf("the first finds %q", found)
	}
	first.close(t)
	for _, args := range slices.Concat(readers, writers[:2], [][]string{{"check", "--all"}}) {
		mustRun(t, append([]string{"--db", db}, args...)...)
	}
}

// TestManyReaders: programs that only read share a database, the explorer among them;
// while they do, none may write, and is told so.
func TestManyReaders(t *testing.T) {
	db := smallDatabase(t)
	before := hash(t, db)
	reading := openShell(t, "--db", db, "sql", "--format", "csv")
	reading.ask(t, "SELECT 1 AS n")
	address := exploreDatabase(t, db)
	for _, args := range slices.Concat(readers, fileReaders(t.TempDir())) {
		mustRun(t, append([]string{"--db", db}, args...)...)
	}
	for _, args := range append(writers, []string{"sql", "SELECT 1; CREATE TABLE mine(i INTEGER)"}) {
		expectFailure(t, saedbRun(t, "", append([]string{"--db", db}, args...)...), 1, "open database: "+db+": process ", " has it open to read (close it there to write: ")
	}
	if status, body := request(t, "GET", address+"/api/overview"); status != 200 {
		t.Errorf("%d: %s", status, body)
	}
	if found := reading.ask(t, "SELECT count(*) AS n FROM features"); found != "48" {
		t.Errorf("the reader finds %s features", found)
	}
	reading.close(t)
	if hash(t, db) != before {
		t.Error("reading changed the file")
	}
}

// TestWriteWhileOthersRead: a database that is looked at cannot be written to while
// others read it, stays open to be read, and is written to when they have gone; what is
// on the connection stays through all of that.
func TestWriteWhileOthersRead(t *testing.T) {
	path := smallDatabase(t)
	reading := openShell(t, "--db", path, "sql", "--format", "csv")
	reading.ask(t, "SELECT 1 AS n")
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "CREATE TEMP TABLE few AS FROM features LIMIT 3"); err != nil {
		t.Fatal(err)
	}
	asked := func(query string) (n int) {
		t.Helper()
		if err := conn.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		return n
	}
	_, err = db.Write(t.Context(), conn)
	if want := fmt.Sprintf("open database: %s: process %d (", path, reading.command.Process.Pid); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "has it open to read (close it there to write") {
		t.Errorf("it said %v", err)
	}
	if n := asked("SELECT count(*) FROM features JOIN few USING (sae, feature)"); n != 3 {
		t.Errorf("it finds %d features", n)
	}
	mustRun(t, "--db", path, "info")

	reading.close(t)
	if changed, err := db.Write(t.Context(), conn); err != nil || changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if _, err := conn.ExecContext(t.Context(), "CREATE TABLE mine AS FROM few"); err != nil {
		t.Error(err)
	}
	if n := asked("SELECT count(*) FROM mine, (SELECT logit_stats(w_dec, model) FROM decoder_directions LIMIT 2)"); n != 6 {
		t.Errorf("it finds %d rows", n)
	}
	if r := saedbRun(t, "", "--db", path, "info"); r.code != 1 || !strings.Contains(r.stderr, "has it open to write (wait") {
		t.Errorf("exit %d, %q", r.code, r.stderr)
	}
}

// TestReadAfterKill: what a writer that was killed had committed is read from the log
// that it left, by several at once, and the log stays for the next one who writes.
func TestReadAfterKill(t *testing.T) {
	db := smallDatabase(t)
	writing := openShell(t, "--db", db, "sql", "--write", "--format", "csv")
	if found := writing.ask(t, "INSERT INTO user_token_sets VALUES ('small', 'x', 7) RETURNING token_id"); found != "7" {
		t.Fatalf("it inserted %q", found)
	}
	writing.command.Process.Kill()
	writing.command.Wait()
	before, log := hash(t, db), hash(t, db+".wal")
	const query = "SELECT count(*) AS n FROM user_token_sets"
	reading := openShell(t, "--db", db, "sql", "--format", "csv")
	if found := reading.ask(t, query); found != "1" {
		t.Errorf("%s rows", found)
	}
	exploreDatabase(t, db)
	for _, args := range readers {
		mustRun(t, append([]string{"--db", db}, args...)...)
	}
	reading.close(t)
	if hash(t, db) != before || hash(t, db+".wal") != log {
		t.Error("reading changed the file or its log")
	}
}

// TestNamesOfFiles: a file is looked at, and written to, under any name, those that
// DuckDB has itself included.
func TestNamesOfFiles(t *testing.T) {
	small := smallDatabase(t)
	for _, name := range []string{"memory.db", "temp.db", "system.db", "main.db", "a b.db", "it's.x.db", `"q".db`, "ü", "100%?.db"} {
		db := filepath.Join(t.TempDir(), name)
		copyFile(t, small, db)
		const script = "SELECT count(*) AS n FROM r.features; CREATE TABLE mine AS SELECT count(*) AS n FROM features; FROM mine"
		if said := mustRun(t, "--db", db, "sql", "--format", "csv", script); said != "n\n48\nn\n48\n" {
			t.Errorf("%s: %q", name, said)
		}
	}
}

// TestManyClients: what the explorer answers many at once is what it answers one alone.
func TestManyClients(t *testing.T) {
	address := explore(t)
	var pages []string
	for _, layer := range []int{4, 14, 29} {
		sae := fmt.Sprintf("sae=smollm2-demo/blocks.%d.hook_resid_pre&feature=%d", layer, 3*layer)
		pages = append(pages, fmt.Sprintf("/api/features?layer=%d", layer), "/api/feature?"+sae, "/api/similar?"+sae)
	}
	pages = append(pages, "/", "/api/overview", "/api/sets", "/api/set?model=smollm2-135m&set=boy_names")
	alone := map[string]string{}
	for _, page := range pages {
		status, body := request(t, "GET", address+page)
		if status != 200 {
			t.Fatalf("%s: %d %s", page, status, body)
		}
		alone[page] = body
	}
	var clients sync.WaitGroup
	for client := range 12 {
		clients.Go(func() {
			for i := range pages {
				page := pages[(i+client)%len(pages)]
				if status, body := request(t, "GET", address+page); status != 200 || body != alone[page] {
					t.Errorf("client %d, %s: %d, %d bytes, expected %d", client, page, status, len(body), len(alone[page]))
				}
			}
		})
	}
	clients.Wait()
}

// interrupted stops a step with Ctrl-C's signal after delay. It ends soon, with exit
// code 130 and one line, or has ended already, and leaves what a kill may leave.
func (s *killedStep) interrupted(t *testing.T, dir string, delay time.Duration) (stopped bool) {
	t.Helper()
	db := s.fresh(t, dir)
	code, stderr, _ := stopAfter(t, syscall.SIGINT, delay, append([]string{"--db", db}, s.args...)...)
	stderr = strings.TrimPrefix(stderr, s.said(db))
	stopped = code == 130 && stderr == "saedb: interrupted; what was finished is kept\n"
	// Before the program minds the signal, it ends the program.
	if begun := code == -1 && stderr == ""; !stopped && !begun && (code != 0 || stderr != "") {
		t.Errorf("%s interrupted after %v: exit %d, %q", s.name, delay, code, stderr)
	}
	stateAfter(t, db, s)
	s.finish(t, db)
	if now := s.state(t, db); !maps.Equal(now, s.after) {
		t.Errorf("%s: finished after an interrupt after %v it is\n%v\nundisturbed it is\n%v", s.name, delay, now, s.after)
	}
	return stopped
}
