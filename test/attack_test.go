package test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An attack is a statement that has hurt an explorer, or one like it. FOLDER stands for a
// directory that is to stay empty, DATABASE for the file that is served.
type attack struct {
	query string
	want  string // of the error; empty where a result is no harm
}

// anyError is what an attack ends with that is over its time or its memory, whichever a
// machine comes to first.
const anyError = `"error"`

// crashed is what one ends with that DuckDB does not survive.
const crashed = "ended the process that ran it"

const deepJSON = `repeat('{"a":', 20000) || '1' || repeat('}', 20000)`

var attacks = []attack{
	{"FROM enable_logging(storage='file', storage_path='FOLDER/x.csv', level='trace')", "enable_logging() cannot be used here"},
	{"FROM enable_logging(storage='stdout')", "enable_logging() cannot be used here"},
	{"FROM enable_logging(storage='memory', level='trace')", "enable_logging() cannot be used here"},
	{"FROM enable_profiling(format='json', save_location='FOLDER/p.json', coverage='all')", "enable_profiling() cannot be used here"},
	{"FROM enable_profiling(format='json', save_location='DATABASE', coverage='all')", "enable_profiling() cannot be used here"},
	{"SELECT * FROM checkpoint()", "checkpoint() cannot be used here"},
	{"SELECT * FROM force_checkpoint()", "force_checkpoint() cannot be used here"},
	{"WITH a AS (FROM enable_logging(storage='file', storage_path='FOLDER/x.csv')) FROM a", "enable_logging() cannot be used here"},
	{"FROM query('FROM checkpoint()')", "query() cannot be used here"},
	{"FROM query_table('features')", "query_table() cannot be used here"},
	{"FROM json_execute_serialized_sql(json_serialize_sql('FROM checkpoint()'))", "json_execute_serialized_sql() cannot be used here"},
	{"PIVOT (FROM enable_profiling(save_location='DATABASE')) ON success USING count(*)", "enable_profiling() cannot be used here"},
	{"COPY features TO 'FOLDER/x.csv'", "only SELECT"},
	{"FROM read_blob('/proc/self/environ')", "read_blob() cannot be used here"},
	{"FROM '/etc/passwd.csv'", "Permission Error"},
	{"SELECT json_structure(" + deepJSON + ") IS NULL", crashed},
	{"SELECT json_transform(" + deepJSON + ", '\"JSON\"') IS NULL", ""},
	{"SELECT from_json(repeat('[', 20000) || repeat(']', 20000), json_structure(repeat('[', 20000) || repeat(']', 20000))) IS NULL", crashed},
	{"SELECT len(range(300000000))", "Out of Memory"},
	{"SELECT list_sort(range(200000000))", anyError},
	{"SELECT unnest(range(1000000000))", "Out of Memory"},
	{"SELECT string_agg(repeat('x', 1000), '') FROM range(100000000)", anyError},
	{"SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b", "the query took longer than"},
	{"WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t", "the query took longer than"},
	{"SELECT sleep_ms(60000)", "the query took longer than"},
	{"SELECT repeat('x', 1000000000)", anyError},
	{"SELECT weighted_enrichment(w_dec, model, ['all_digits'], 1, 1000000) FROM decoder_directions", "the query took longer than"},
	{"SELECT sum(ks_log10_p(8000, 16384, 0.005 + range * 1e-12)) FROM range(1000000)", "the query took longer than"},
	{"SELECT (repeat('[', 1000000) || repeat(']', 1000000))::JSON::VARIANT IS NULL", crashed},
	{"SELECT json_extract(repeat('{\"a\":', 900) || '1' || repeat('}', 900), '$' || repeat('..a', 60))", "the query took longer than"},
	{"SELECT regexp_replace(repeat('a', 1000000), 'a', repeat('b', 10000), 'g')", anyError},
	{"SELECT error(repeat('x', 1000000000))", anyError},
	{"WITH RECURSIVE t(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM t) SELECT max(len(x)) FROM t", anyError},
	{"PIVOT (SELECT range AS r, 1 AS g FROM range(200000)) ON r USING count(*)", anyError},
	{"SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 5000), anyError},
	{doubled, "the query took longer than"},
	{"SELECT " + strings.Repeat("NULL, ", 10000) + "1 FROM features", anyError},
}

// doubled takes time to plan, in which DuckDB does not look whether it is interrupted.
var doubled = func() string {
	query := "WITH a0 AS (SELECT 1 AS x)"
	for i := range 16 {
		query += fmt.Sprintf(", a%d AS (FROM a%d p, a%d q)", i+1, i, i)
	}
	return query + " SELECT count(*) FROM a16"
}()

// pagesUnderAttack are asked for while queries attack.
var pagesUnderAttack = []string{
	"/", "/api/overview", "/api/features?sort=kurtosis", "/api/feature?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63", "/api/sets",
	"/api/set?set=all_digits", "/api/figure?name=skew-kurtosis&sae=smollm2-demo/blocks.29.hook_resid_pre",
}

// attackTime is what SAEDB_ATTACKTIME says, 0 where it says nothing.
func attackTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SAEDB_ATTACKTIME")
	if text == "" {
		return 0
	}
	lasting, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return lasting
}

// TestAttack serves a database and attacks it, with each attack once, or for as long as
// SAEDB_ATTACKTIME says, while pages are asked for. Afterwards the file is what it was,
// nothing was written elsewhere, every page answers, memory is within what the page of SQL
// says, and no process is left. make attack does it for ten minutes.
func TestAttack(t *testing.T) {
	lasting := attackTime(t)
	// A name that ends as the profiles' do has been one to overwrite.
	db := filepath.Join(t.TempDir(), "served.json")
	copyFile(t, example, db)
	before, folder := hashOf(t, db), t.TempDir()
	var limits struct{ Memory int64 }
	t.Run("served", func(t *testing.T) {
		address := exploreDatabase(t, db, "--query-time", "2s")
		limits = ask[struct{ Memory int64 }](t, address, "limits")
		watched := watchProcesses(t, db)
		stop := make(chan struct{})
		var asking sync.WaitGroup
		var pages, failed atomic.Int64
		for range 2 {
			asking.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
					pages.Add(1)
					if status, text := page(address + pagesUnderAttack[i%len(pagesUnderAttack)]); status != http.StatusOK {
						failed.Add(1)
						t.Errorf("%s: %d %.300s", pagesUnderAttack[i%len(pagesUnderAttack)], status, text)
					}
				}
			})
		}
		begun, done := time.Now(), 0
		for round := 0; round == 0 || time.Since(begun) < lasting; round++ {
			for _, a := range attacks {
				if round > 0 && time.Since(begun) > lasting {
					break
				}
				a.query = strings.NewReplacer("FOLDER", folder, "DATABASE", db).Replace(a.query)
				a.run(t, address)
				done++
			}
			stalledReader(t, address)
			done++
		}
		close(stop)
		asking.Wait()
		for _, path := range pagesUnderAttack {
			if status, text := page(address + path); status != http.StatusOK {
				t.Errorf("afterwards %s: %d %.300s", path, status, text)
			}
		}
		server, child := watched()
		t.Logf("%d attacks in %v, and %d pages, of which %d failed; the server held %d MB at most, a process for queries %d MB, of %d MB that a query may take",
			done, time.Since(begun).Round(time.Second), pages.Load(), failed.Load(), server>>20, child>>20, limits.Memory>>20)
		// Resident is also what a process has before the first query.
		const itself = 300 << 20
		if child > limits.Memory+itself {
			t.Errorf("a process for queries held %d MB, more than the %d MB that a query may take", child>>20, limits.Memory>>20)
		}
		if server > 2<<30 {
			t.Errorf("the server held %d MB", server>>20)
		}
	})
	if after := hashOf(t, db); after != before {
		t.Errorf("the database is another: %s, before %s", after, before)
	}
	for _, directory := range []string{folder, filepath.Dir(db)} {
		entries, err := os.ReadDir(directory)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if entry.Name() != filepath.Base(db) {
				t.Errorf("%s was written", filepath.Join(directory, entry.Name()))
			}
		}
	}
	if left := processesOf(db); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

func (a attack) run(t *testing.T, address string) {
	t.Helper()
	said := a.query[:min(len(a.query), 200)]
	begun := time.Now()
	status, text := page(query(address, "sql", a.query))
	took := time.Since(begun)
	// A busy machine may come to the end of the query's time before the end of its process.
	sooner := a.want == crashed && strings.Contains(text, "the query took longer than")
	if a.want != "" && (status < 400 || !strings.Contains(text, a.want) && !sooner) {
		t.Errorf("%s: expected %q, found %d %.300s", said, a.want, status, text)
	}
	// The process that takes its place may be on its way, on a machine that does more.
	if took > 10*time.Second {
		t.Errorf("%s took %v", said, took)
	}
	if status, text := page(query(address, "sql", "SELECT count(*) FROM features")); status != http.StatusOK || !strings.Contains(text, `[["9216"]]`) {
		t.Errorf("after %s: %d %.300s", said, status, text)
	}
}

// stalledReader asks for downloads, reads ten bytes, and then nothing; others are served
// meanwhile.
func stalledReader(t *testing.T, address string) {
	t.Helper()
	host := strings.TrimPrefix(address, "http://")
	for range 2 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprintf(c, "GET /api/sql.csv?%s HTTP/1.1\r\nHost: %s\r\n\r\n", url.Values{"q": {"SELECT repeat('x', 1000) FROM range(50000)"}}.Encode(), host)
		if _, err := io.ReadFull(c, make([]byte, 10)); err != nil {
			t.Errorf("a download that stalls: %v", err)
		}
		if status, text := page(query(address, "sql", "SELECT 1 AS x")); status != http.StatusOK {
			t.Errorf("beside a download that stalls: %d %.300s", status, text)
		}
	}
	if status, text := page(query(address, "sql.csv", "SELECT 1 AS x")); status != http.StatusOK || text != "x\n1\n" {
		t.Errorf("a download beside two that stall: %d %.300s", status, text)
	}
}

// page asks for one, on a connection of its own.
func page(address string) (status int, text string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	answer, err := client.Get(address)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(content)
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// processesOf are those whose command line names a file: numbers, and their parents'.
// Linux only; elsewhere there are none.
func processesOf(path string) map[int]int {
	found := map[int]int{}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		content, err := os.ReadFile(line)
		if err != nil || !strings.Contains(string(content), path) {
			continue
		}
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(line)))
		found[number] = int(statusOf(number, "PPid"))
	}
	return found
}

// statusOf is a number of a process's status; 0 where there is none.
func statusOf(process int, name string) int64 {
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		return 0
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+":"); found {
			number, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return number
		}
	}
	return 0
}

// watchProcesses looks every few milliseconds how much memory the server of a database and
// its processes for queries hold. end says how much that was at most, in bytes.
func watchProcesses(t *testing.T, db string) (end func() (server, child int64)) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	var server, child int64
	go func() {
		defer close(stopped)
		for {
			processes := processesOf(db)
			for process, parent := range processes {
				resident := statusOf(process, "VmHWM") << 10
				if _, is := processes[parent]; is {
					child = max(child, resident)
				} else {
					server = max(server, resident)
				}
			}
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() (int64, int64) {
		close(stop)
		<-stopped
		if server == 0 || child == 0 {
			t.Log("this system does not say how much memory processes hold")
		}
		return server, child
	}
}
