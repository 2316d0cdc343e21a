package loader

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

// FuzzExport: any bytes are a file or an error, and a line that is found is in it.
func FuzzExport(f *testing.F) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte("{}\n\n{bad\n"))
	w.Close()
	f.Add(zipped.Bytes())
	f.Add(zipped.Bytes()[:20])
	f.Add([]byte("\n {\"a\": 1}\r\n[]\n"))
	f.Add([]byte(" [{}, {}]"))
	f.Add([]byte{0x1f, 0x8b})
	path := filepath.Join(f.TempDir(), "export")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := openExport(t.Context(), path)
		if err != nil {
			return
		}
		line, text := e.find(t.Context(), func(_ int, line []byte) bool { return line[0] != '{' })
		if line < 0 || line > 0 && (text == "" || text[0] == '{') {
			t.Errorf("line %d, %q", line, text)
		}
		if !e.gzip && line > bytes.Count(content, []byte("\n"))+1 {
			t.Errorf("line %d of %q", line, content)
		}
	})
}
