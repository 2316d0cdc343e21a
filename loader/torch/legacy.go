package torch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/saedb/saedb/internal/fault"
)

// legacyMagic is the number 0x1950a86a20f9469cfc6c as a pickle has it, with which files of the
// format from before PyTorch 1.6 begin, after the mark of the pickle's protocol. torch.save
// still writes it with _use_new_zipfile_serialization=False.
var legacyMagic = []byte("\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")

// maxLegacyMark bounds what stands before legacyMagic: the protocol, and a frame's length.
const maxLegacyMark = 11

// legacyVersion is the only version of the format.
const legacyVersion = 1001

// isLegacy tells a file of the earlier format by its first bytes.
func isLegacy(first []byte) bool {
	at := bytes.Index(first, legacyMagic)
	return len(first) > 0 && first[0] == opProtocol && at >= 2 && at <= maxLegacyMark
}

// legacy is a file of the earlier format: five pickles, of a magic number, a version, what
// machine wrote it, the saved object, and the keys of its storages, and then the storages in
// the order of the keys, each after the number of its values. Source: _legacy_save of
// torch/serialization.py of PyTorch.
type legacy struct {
	file     io.ReaderAt
	size     int64
	storages map[string]*storage // by key
	values   map[string]int64    // how many each has
}

// readLegacy reads the object that a file of size bytes holds.
func readLegacy(file io.ReaderAt, size int64) (root any, err error) {
	// The pickles are small beside the values, and their length is known at their end.
	for most := int64(1 << 20); ; most *= 8 {
		most = min(most, size, maxPickleBytes)
		data := make([]byte, most)
		if n, err := file.ReadAt(data, 0); n < len(data) {
			return nil, err
		}
		l := &legacy{file: file, size: size, storages: map[string]*storage{}, values: map[string]int64{}}
		root, err := l.read(data)
		if err == errEnds && most < min(size, maxPickleBytes) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return root, nil
	}
}

// read reads the pickles at the beginning of the file, of which data is as much as they take, or
// more, and finds the values of the storages behind them. It returns errEnds itself where data
// ends before them.
func (l *legacy) read(data []byte) (root any, err error) {
	m := &machine{data: data}
	pickles := make([]any, 5)
	for i := range pickles {
		m.stack, m.marks, m.memo = nil, nil, map[uint64]any{}
		m.storage = l.storage
		if i != 3 {
			m.storage = func(storageType, string, int64) (*storage, error) { return nil, errStack }
		}
		if pickles[i], err = m.run(); err != nil {
			if err == errEnds {
				return nil, err
			}
			return nil, m.failed(fmt.Sprintf("pickle %d", i+1), err)
		}
	}
	if version, _ := pickles[1].(int64); version != legacyVersion {
		return nil, &fault.Error{Problem: "version of the format", Expected: fmt.Sprint(legacyVersion), Found: fmt.Sprint(pickles[1])}
	}
	if machine, ok := pickles[2].(*dict); !ok || machine.get("little_endian") != true {
		return nil, &fault.Error{
			Problem: "byte order", Expected: "little", Found: "another",
			Hint: "load it and save it again with torch.save on a little-endian machine",
		}
	}
	keys, ok := pickles[4].(*list)
	if !ok {
		return nil, &fault.Error{Expected: "a list of storages behind the saved object", Found: kind(pickles[4]), Hint: "the file is damaged"}
	}
	return pickles[3], l.place(int64(m.at), keys.items)
}

// storage is the storage of a key, whose place in the file is not known yet.
func (l *legacy) storage(t storageType, key string, numel int64) (*storage, error) {
	if numel < 0 || numel > l.size/int64(t.width) {
		return nil, &fault.Error{
			Problem: fmt.Sprintf("storage %.40q", key), Expected: fmt.Sprintf("at most the %d bytes of the file", l.size),
			Found: fmt.Sprintf("%d values of %d bytes", numel, t.width), Hint: "was it downloaded whole?",
		}
	}
	if known := l.storages[key]; known != nil {
		if known.storageType != t || l.values[key] != numel {
			return nil, &fault.Error{Problem: fmt.Sprintf("storage %.40q is there with two sizes or types", key), Hint: "the file is damaged"}
		}
		return known, nil
	}
	l.storages[key] = &storage{source: l.file, bytes: numel * int64(t.width), storageType: t}
	l.values[key] = numel
	return l.storages[key], nil
}

// place finds the values of all storages, whose keys are in the order of the file, from an
// offset on.
func (l *legacy) place(offset int64, keys []any) error {
	placed := map[string]bool{}
	for _, item := range keys {
		key, _ := item.(string)
		s := l.storages[key]
		if s == nil || placed[key] {
			return &fault.Error{Problem: fmt.Sprintf("storage %.40q", key), Expected: "one that the saved object has, once", Hint: "the file is damaged"}
		}
		placed[key] = true
		var count [8]byte
		if n, err := l.file.ReadAt(count[:], offset); n < len(count) {
			return shorter(key, err)
		}
		if found := int64(binary.LittleEndian.Uint64(count[:])); found != l.values[key] {
			return &fault.Error{
				Problem: fmt.Sprintf("storage %.40q", key), Expected: fmt.Sprintf("%d values", l.values[key]), Found: fmt.Sprint(found),
				Hint: "the file is damaged",
			}
		}
		s.offset = offset + int64(len(count))
		if s.bytes > l.size-s.offset {
			return shorter(key, nil)
		}
		offset = s.offset + s.bytes
	}
	for key := range l.storages {
		if !placed[key] {
			return &fault.Error{Problem: fmt.Sprintf("storage %.40q is not in the file", key), Hint: "the file is damaged"}
		}
	}
	return nil
}

// shorter is the error of a storage that ends beyond the file.
func shorter(key string, err error) error {
	return &fault.Error{Problem: fmt.Sprintf("storage %.40q ends beyond the file", key), Err: err, Hint: "was it downloaded whole?"}
}
