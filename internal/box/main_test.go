package box

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb"
)

// holdBox is the variable by which this program opens a Box of a database and waits, for
// TestEndsWithItsParent.
const holdBox = "SAEDB_TEST_HOLD_BOX"

func TestMain(m *testing.M) {
	Serve()
	if path := os.Getenv(holdBox); path != "" {
		b, err := Open(context.Background(), Options{Path: path, Time: time.Minute})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(b.process.command.Process.Pid)
		time.Sleep(time.Minute)
	}
	os.Exit(m.Run())
}

// database makes a database with statements in it, and returns its path.
func database(t *testing.T, statements ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "strangers.db")
	db, err := saedb.Open(t.Context(), path, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range append([]string{
		"CREATE TABLE numbers AS SELECT range AS n, range % 3 AS rest FROM range(1000)",
		"CREATE VIEW few AS FROM numbers LIMIT 10",
		`CREATE VIEW "odd AS name" ("a AS b", c) AS SELECT n, rest FROM numbers WHERE n % 2 = 1`,
		"CREATE VIEW pivoted AS FROM (PIVOT numbers ON rest IN (0, 1) USING count(*))",
		"CREATE MACRO plus(a, b := 1) AS a + b",
		"CREATE MACRO first_of(k) AS TABLE SELECT n FROM few ORDER BY n LIMIT k",
	}, statements...) {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, o Options) *Box {
	t.Helper()
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(b.directory); err == nil {
			t.Errorf("%s is still there", b.directory)
		}
	})
	return b
}

// alive makes sure that the box answers still.
func alive(t *testing.T, b *Box) {
	t.Helper()
	if answer, err := b.Rows(t.Context(), "SELECT sum(n) FROM numbers"); err != nil || !strings.Contains(string(answer), `"rows":[["499500"]]`) {
		t.Errorf("afterwards a query says %s, %v", answer, err)
	}
}
