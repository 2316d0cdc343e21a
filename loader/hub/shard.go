package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
)

// shard is one safetensors file of a model, of which all or some is to be local.
type shard struct {
	of       *modelDirectory
	name     string
	whole    bool // the shared cache has all of it
	record   record
	spans    []safetensors.Span // of the remote file
	metadata map[string]string
}

// record is NAME.saedb.json: what the small file of that name is a part of.
type record struct {
	Repo    string      `json:"repo"`
	Commit  string      `json:"commit"`
	File    string      `json:"file"`
	ETag    string      `json:"etag"`
	Size    int64       `json:"size"`
	Header  string      `json:"header"` // the remote file's, as it is there
	Tensors []byteRange `json:"tensors"`
}

// byteRange is the range of the remote file that a tensor is.
type byteRange struct {
	Name  string `json:"name"`
	Begin int64  `json:"begin"`
	End   int64  `json:"end"`
}

func (s *shard) path() string { return s.of.local(s.name) }

func (s *shard) recordPath() string { return s.path() + ".saedb.json" }

// openShard finds out what the remote file holds: from the whole file when the
// cache has it, from the record of an earlier part, or from the remote header.
func (m *modelDirectory) openShard(ctx context.Context, name string) (*shard, error) {
	s := &shard{of: m, name: name}
	at := m.remote(name)
	if cached := m.client.repository(at.Repo).cached(at.Revision, at.Path); cached != "" {
		return s, s.useWhole(ctx)
	}
	if s.readRecord() {
		return s, nil
	}
	if m.client.offline {
		return nil, offlineError(at.String())
	}
	meta, err := m.client.head(ctx, at, 0)
	if err != nil {
		return nil, err
	}
	s.record = record{Repo: at.Repo, Commit: at.Revision, File: at.Path, ETag: meta.etag, Size: meta.size}
	header, err := m.client.remoteHeader(ctx, at, meta)
	if errors.Is(err, errNoRanges) || meta.size < 0 {
		return s, s.useWhole(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.record.Header = string(header)
	if s.spans, s.metadata, err = safetensors.Layout(header, meta.size); err != nil {
		return nil, fault.At(opModel, at.String(), err)
	}
	return s, nil
}

// useWhole downloads the whole file, unless it is cached, and links it.
func (s *shard) useWhole(ctx context.Context) error {
	if err := s.of.share(ctx, s.name); err != nil {
		return err
	}
	os.Remove(s.recordPath())
	file, err := safetensors.Open(s.path())
	if err != nil {
		return err
	}
	defer file.Close()
	s.whole, s.spans = true, nil
	for _, name := range file.Names() {
		s.spans = append(s.spans, safetensors.Span{Name: name})
	}
	return nil
}

// readRecord takes what the remote file holds from the record of a part of it.
func (s *shard) readRecord() bool {
	raw, err := files.Read(s.recordPath(), maxIndexBytes)
	if err != nil || json.Unmarshal(raw, &s.record) != nil {
		return false
	}
	at := s.of.remote(s.name)
	if s.record.Repo != at.Repo || s.record.Commit != at.Revision || s.record.File != at.Path {
		return false
	}
	s.spans, s.metadata, err = safetensors.Layout([]byte(s.record.Header), s.record.Size)
	return err == nil
}

func (s *shard) names() []string {
	names := make([]string, len(s.spans))
	for i, span := range s.spans {
		names[i] = span.Name
	}
	slices.Sort(names)
	return names
}

// provide makes the shard's local file hold the tensors needed, and those that it
// had.
func (s *shard) provide(ctx context.Context, needed []string) error {
	for _, name := range needed {
		if !slices.Contains(s.names(), name) {
			return &fault.Error{Subject: s.of.remote(s.name).String(), Expected: "tensor " + name, Found: "none of that name"}
		}
	}
	if s.whole {
		return nil
	}
	held := s.held()
	var wanted []safetensors.Span
	var size int64
	missing := false
	for _, span := range s.spans {
		has := held[span.Name]
		if has || slices.Contains(needed, span.Name) {
			wanted = append(wanted, span)
			size += span.Bytes()
			missing = missing || !has
		}
	}
	if !missing {
		return nil
	}
	if size*2 >= s.record.Size && !s.of.client.offline {
		return s.useWhole(ctx)
	}
	return s.writePart(ctx, wanted, held)
}

// held tells which tensors the local part has, which is none when it is not what
// the record says.
func (s *shard) held() map[string]bool {
	held := map[string]bool{}
	file, err := safetensors.Open(s.path())
	if err != nil {
		return held
	}
	defer file.Close()
	for _, span := range s.spans {
		if file.Has(span.Name) && slices.Contains(s.record.Tensors, byteRange{span.Name, span.Begin, span.End}) {
			held[span.Name] = true
		}
	}
	return held
}

// writePart writes the local file anew, with the tensors that it held and those
// that are downloaded. Each of the latter waits in a file of its own, so that a
// stopped download continues in the next run.
func (s *shard) writePart(ctx context.Context, wanted []safetensors.Span, held map[string]bool) error {
	subject := s.of.remote(s.name).String()
	unlock, err := s.of.client.repository(s.of.at.Repo).lock(ctx, s.record.ETag+".part")
	if err != nil {
		return full(subject, err)
	}
	defer unlock()
	parts := map[string]string{}
	for _, span := range wanted {
		if held[span.Name] {
			continue
		}
		part, err := s.download(ctx, span)
		if err != nil {
			return err
		}
		parts[span.Name] = part
	}
	temporary := files.Beside(s.path())
	err = s.write(temporary, wanted, parts)
	if err == nil {
		err = s.writeRecord(wanted, temporary)
	}
	if err != nil {
		os.Remove(temporary)
		return full(subject, err)
	}
	for _, part := range parts {
		(&transfer{part: part}).discard()
	}
	return nil
}

// download brings one tensor's bytes into a file of their own.
func (s *shard) download(ctx context.Context, span safetensors.Span) (string, error) {
	at := s.of.remote(s.name)
	part := fmt.Sprintf("%s.%d-%d.incomplete", s.path(), span.Begin, span.End)
	if err := os.MkdirAll(filepath.Dir(part), 0o777); err != nil {
		return "", full(at.String(), err)
	}
	t := &transfer{at: at, from: span.Begin, size: span.Bytes(), total: s.record.Size, part: part}
	if s.of.client.offline {
		return "", offlineError(at.String())
	}
	if err := s.of.client.receive(ctx, t); err != nil {
		return "", err
	}
	return part, nil
}

// write writes the tensors, from their parts or from the file that is there.
func (s *shard) write(to string, wanted []safetensors.Span, parts map[string]string) (err error) {
	header, err := safetensors.Header(wanted, s.metadata)
	if err != nil {
		return err
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(header); err != nil {
		return err
	}
	for _, span := range wanted {
		if part, ok := parts[span.Name]; ok {
			err = appendFile(file, part, span.Bytes())
		} else {
			err = s.appendHeld(file, span)
		}
		if err != nil {
			return err
		}
	}
	return file.Sync()
}

func appendFile(file *os.File, part string, size int64) error {
	source, err := os.Open(part)
	if err != nil {
		return err
	}
	defer source.Close()
	n, err := io.Copy(file, source)
	if err == nil && n != size {
		err = &fault.Error{Subject: part, Expected: fmt.Sprintf("%d bytes", size), Found: fmt.Sprint(n)}
	}
	return err
}

// appendHeld copies a tensor from the local file as it is.
func (s *shard) appendHeld(file *os.File, span safetensors.Span) error {
	held, err := safetensors.Open(s.path())
	if err != nil {
		return err
	}
	defer held.Close()
	t, err := held.Tensor(span.Name)
	if err != nil {
		return err
	}
	if t.DType != span.DType || !slices.Equal(t.Shape, tensor.Shape(span.Shape)) {
		return &fault.Error{Subject: t.Subject, Expected: fmt.Sprint(span.DType, span.Shape), Found: fmt.Sprint(t.DType, t.Shape)}
	}
	_, err = io.CopyN(file, io.NewSectionReader(t.Source, t.Offset, span.Bytes()), span.Bytes())
	return err
}

// writeRecord puts the file in its place, the record after it: a file without a
// matching record counts for nothing.
func (s *shard) writeRecord(wanted []safetensors.Span, temporary string) error {
	s.record.Tensors = nil
	for _, span := range wanted {
		s.record.Tensors = append(s.record.Tensors, byteRange{span.Name, span.Begin, span.End})
	}
	raw, err := json.MarshalIndent(s.record, "", "\t")
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, s.path()); err != nil {
		return err
	}
	return writeWhole(s.recordPath(), append(raw, '\n'))
}

// remoteHeader reads the JSON header of a remote safetensors file by ranges: its
// length, and then itself.
func (c *Client) remoteHeader(ctx context.Context, at Reference, m metadata) ([]byte, error) {
	prefix, err := c.readRange(ctx, at, 0, safetensors.LengthBytes, m.size)
	if err != nil {
		return nil, err
	}
	length, err := safetensors.HeaderLength(prefix, m.size)
	if err != nil {
		return nil, fault.At(opModel, at.String(), err)
	}
	return c.readRange(ctx, at, safetensors.LengthBytes, length, m.size)
}

// readRange reads a short range of a remote file into memory, through a file that
// is thrown away.
func (c *Client) readRange(ctx context.Context, at Reference, from, size, total int64) ([]byte, error) {
	if from+size > total {
		return nil, &fault.Error{Op: opModel, Subject: at.String(), Expected: "a safetensors file", Found: fmt.Sprintf("%d bytes", total)}
	}
	temporary, err := files.TemporaryDirectory()
	if err != nil {
		return nil, fault.At(opModel, temporary, err)
	}
	dir, err := os.MkdirTemp(temporary, "saedb-range")
	if err != nil {
		return nil, fault.At(opModel, temporary, err)
	}
	defer os.RemoveAll(dir)
	quiet := *c
	quiet.Progress = nil
	t := &transfer{at: at, from: from, size: size, total: total, part: filepath.Join(dir, "range")}
	if err := quiet.receive(ctx, t); err != nil {
		return nil, err
	}
	return os.ReadFile(t.part)
}
