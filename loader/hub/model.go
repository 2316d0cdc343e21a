package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/plaintext"
	"github.com/saedb/saedb/internal/pyjson"
	"github.com/saedb/saedb/loader/safetensors"
)

const (
	opModel       = "download model"
	configFile    = "config.json"
	tokenizerFile = "tokenizer.json"
	// maxIndexBytes bounds config.json and the index, which are read whole.
	maxIndexBytes = 64 << 20
)

// smallFiles are what a model's directory has beside weights, where it has them.
var smallFiles = []string{
	configFile, tokenizerFile, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
	"tokenizer.model", "vocab.json", "merges.txt", "vocab.txt", "generation_config.json",
}

// otherTokenizers are the names of the files that a vocabulary may be in where there is no
// tokenizer.json: those of vocab.FileNames, which a test holds against them.
var otherTokenizers = []string{"tokenizer.model", "vocab.json", "vocab.txt", "*.tiktoken", "tiktoken.model", "tekken*.json", "tokenizer.model.v*"}

func isOtherTokenizer(name string) bool {
	return slices.ContainsFunc(otherTokenizers, func(pattern string) bool {
		matches, _ := path.Match(pattern, name)
		return matches
	})
}

// Need chooses the tensors to download from the names of all that a checkpoint
// has, given its config.json.
type Need func(config []byte, names []string) ([]string, error)

// Model downloads what need asks for of a model in safetensors files, and returns
// the reference at its commit and a directory that reads as a checkpoint with just
// these tensors:
//
//	{HF_HOME}/saedb/models--org--name/{commit}/[path/]
//
// Its config.json, tokenizer files and index are links into the shared cache. So is
// a shard of which half or more is needed, or which the cache has. Of others it has
// a small file of the same name with the same metadata, and beside that
// NAME.saedb.json, which says of which file, ETag and bytes it is. Such a part has
// no hash that the Hub could vouch for: its length, the header's consistency and
// the commit are what it is held against, and TLS is what protects it on its way.
// Asking for more tensors later downloads only those.
func (c *Client) Model(ctx context.Context, r Reference, need Need) (Reference, string, error) {
	r, err := c.Resolve(ctx, r)
	if err != nil {
		return r, "", err
	}
	m := &modelDirectory{
		client: c, at: r,
		dir: filepath.Join(c.home, "saedb", filepath.Base(c.repository(r.Repo).dir), r.Revision, filepath.FromSlash(r.Path)),
	}
	if err := m.assemble(ctx, need); err != nil {
		return r, "", fault.At(opModel, r.String(), err)
	}
	return r, m.dir, nil
}

// modelDirectory is one model's own directory beside the cache.
type modelDirectory struct {
	client *Client
	at     Reference
	dir    string
}

func (m *modelDirectory) remote(name string) Reference { return m.at.At(path.Join(m.at.Path, name)) }

func (m *modelDirectory) local(name string) string {
	return filepath.Join(m.dir, filepath.FromSlash(name))
}

func (m *modelDirectory) assemble(ctx context.Context, need Need) error {
	present, err := m.list(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.dir, 0o777); err != nil {
		return full(m.at.String(), err)
	}
	for _, name := range slices.Sorted(maps.Keys(present)) {
		if slices.Contains(smallFiles, name) || !present[tokenizerFile] && isOtherTokenizer(name) {
			if err := m.share(ctx, name); err != nil {
				return err
			}
		}
	}
	config, err := files.Read(m.local(configFile), maxIndexBytes)
	if err != nil {
		return err
	}
	// Of both, transformers reads the single file.
	if present[safetensors.WeightsFile] {
		return m.single(ctx, config, need)
	}
	return m.sharded(ctx, config, need)
}

// list tells which files the directory has, and refuses one that is no model in
// safetensors files.
func (m *modelDirectory) list(ctx context.Context) (map[string]bool, error) {
	entries, err := m.client.List(ctx, m.at, false)
	if err != nil && errors.Is(err, errUnreachable) {
		return m.listCached(err)
	}
	if err != nil {
		return nil, err
	}
	present := map[string]bool{}
	for _, e := range entries {
		if !e.Directory {
			present[path.Base(e.Path)] = true
		}
	}
	return present, m.checkList(present)
}

// listCached is list by what the cache has, and what an earlier run left here.
func (m *modelDirectory) listCached(unreachable error) (map[string]bool, error) {
	present := map[string]bool{}
	for _, cached := range m.client.cachedBelow(m.at) {
		if dir, name := path.Split(cached); path.Clean(dir) == path.Clean(m.at.Path) {
			present[name] = true
		}
	}
	entries, _ := os.ReadDir(m.dir) // none in the first run
	for _, e := range entries {
		present[e.Name()] = true
	}
	if m.checkList(present) != nil {
		return nil, unreachable
	}
	return present, nil
}

func (m *modelDirectory) checkList(present map[string]bool) error {
	if present[configFile] && (present[safetensors.WeightsFile] || present[safetensors.IndexFile]) {
		return nil
	}
	names := slices.Sorted(maps.Keys(present))
	e := &fault.Error{
		Expected: configFile + " and " + safetensors.WeightsFile + ", single or sharded", Found: plaintext.Shortened(names),
	}
	for _, name := range names {
		switch path.Ext(name) {
		case ".gguf":
			e.Hint = "name one of its GGUF files: " + m.remote(name).String()
			return e
		case ".bin":
			e.Hint = "weights in PyTorch's *.bin files are not read; the revision refs/pr/1 or another repository may have safetensors"
		}
	}
	return e
}

// share links a file of the shared cache into the directory.
func (m *modelDirectory) share(ctx context.Context, name string) error {
	cached, err := m.client.File(ctx, m.remote(name))
	if err != nil {
		return err
	}
	target := m.local(name)
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return full(m.at.String(), err)
	}
	if same(cached, target) {
		return nil
	}
	linked, err := linkAt(cached, target)
	if !linked {
		err = copyWhole(cached, target)
	}
	return full(m.at.String(), err)
}

// same reports whether b is a, or a copy as long as a. Content at a commit does not
// change.
func same(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && (os.SameFile(first, second) || second.Mode().IsRegular() && first.Size() == second.Size())
}

func (m *modelDirectory) single(ctx context.Context, config []byte, need Need) error {
	s, err := m.openShard(ctx, safetensors.WeightsFile)
	if err != nil {
		return err
	}
	needed, err := need(config, s.names())
	if err != nil {
		return err
	}
	return s.provide(ctx, needed)
}

func (m *modelDirectory) sharded(ctx context.Context, config []byte, need Need) error {
	if err := m.share(ctx, safetensors.IndexFile); err != nil {
		return err
	}
	raw, err := files.Read(m.local(safetensors.IndexFile), maxIndexBytes)
	if err != nil {
		return err
	}
	holder, err := parseIndex(raw)
	if err != nil {
		return fault.At(opModel, m.remote(safetensors.IndexFile).String(), err)
	}
	needed, err := need(config, slices.Sorted(maps.Keys(holder)))
	if err != nil {
		return err
	}
	shards := map[string][]string{}
	for _, name := range needed {
		shard, known := holder[name]
		if !known {
			return &fault.Error{Subject: m.remote(safetensors.IndexFile).String(), Expected: "tensor " + name, Found: "none of that name"}
		}
		shards[shard] = append(shards[shard], name)
	}
	for _, shard := range slices.Sorted(maps.Keys(shards)) {
		s, err := m.openShard(ctx, shard)
		if err != nil {
			return err
		}
		if err := s.provide(ctx, shards[shard]); err != nil {
			return err
		}
	}
	return nil
}

// parseIndex reads which shard holds which tensor. Shards are files of the index's
// directory or below it.
func parseIndex(raw []byte) (map[string]string, error) {
	var stored struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := pyjson.Unmarshal(raw, &stored); err != nil {
		return nil, &fault.Error{Expected: "an index of safetensors files", Found: "something else", Err: err}
	}
	if len(stored.WeightMap) == 0 {
		return nil, &fault.Error{Problem: "has no weight_map"}
	}
	for name, shard := range stored.WeightMap {
		if !isLocal(shard) || path.Ext(shard) != ".safetensors" {
			return nil, &fault.Error{
				Problem: "tensor " + oneLine(name), Expected: "a safetensors file of the same directory", Found: fmt.Sprintf("%q", oneLine(shard)),
			}
		}
	}
	return stored.WeightMap, nil
}
