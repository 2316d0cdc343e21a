package torch

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	// maxDirectoryBytes bounds what is read to list the members: enough for some
	// 100,000 tensors.
	maxDirectoryBytes = 16 << 20
	// maxPickleBytes bounds the pickle. It holds names and shapes, about 150
	// bytes a tensor, and no values.
	maxPickleBytes = 64 << 20
	pickleName     = "data.pkl"
)

// archive is the zip archive that torch.save writes.
type archive struct {
	file    io.ReaderAt
	size    int64
	root    string // directory of all members
	members map[string]*zip.File
}

// openArchive lists the members of a file of size bytes. Their names are only
// looked up, never used as paths.
func openArchive(file io.ReaderAt, size int64) (*archive, error) {
	reader, err := tensor.OpenZip(file, size, maxDirectoryBytes)
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return nil, err
	case err != nil:
		return nil, notArchive(file, size, err)
	}
	a := &archive{file: file, size: size, members: make(map[string]*zip.File, len(reader.File))}
	for _, member := range reader.File {
		if a.members[member.Name] != nil {
			return nil, &fault.Error{Problem: fmt.Sprintf("member %q is there twice", member.Name), Hint: "the file is damaged"}
		}
		a.members[member.Name] = member
	}
	if err := a.findRoot(reader.File); err != nil {
		return nil, err
	}
	if err := a.checkOverlap(reader.File); err != nil {
		return nil, err
	}
	return a, a.checkByteOrder()
}

// findRoot finds the one directory that holds the pickle. It has the name that the
// file had when it was written.
func (a *archive) findRoot(members []*zip.File) error {
	for _, member := range members {
		dir, name := path.Split(member.Name)
		if name != pickleName || strings.Count(dir, "/") != 1 {
			continue
		}
		if a.root != "" {
			return &fault.Error{Problem: fmt.Sprintf("two pickles, in %q and %q", a.root, dir), Expected: "one"}
		}
		a.root = dir
	}
	if a.root == "" {
		return &fault.Error{Expected: "a file of torch.save", Found: "a zip archive without " + pickleName}
	}
	if a.members[a.root+"constants.pkl"] != nil {
		return &fault.Error{
			Expected: "a file of torch.save", Found: "a TorchScript archive", Hint: "save the state_dict of the module with torch.save",
		}
	}
	return nil
}

// checkOverlap returns an error when two members share bytes: then one of them is
// not what was saved.
func (a *archive) checkOverlap(members []*zip.File) error {
	type extent struct {
		name       string
		begin, end int64
	}
	extents := make([]extent, 0, len(members))
	for _, member := range members {
		begin, err := member.DataOffset()
		if err != nil {
			return damaged(member.Name, err)
		}
		if member.CompressedSize64 > uint64(a.size) || begin > a.size-int64(member.CompressedSize64) {
			return damaged(member.Name, errors.New("ends beyond the file"))
		}
		if member.CompressedSize64 > 0 {
			extents = append(extents, extent{member.Name, begin, begin + int64(member.CompressedSize64)})
		}
	}
	slices.SortFunc(extents, func(a, b extent) int { return cmp.Compare(a.begin, b.begin) })
	for i := 1; i < len(extents); i++ {
		if extents[i].begin < extents[i-1].end {
			return damaged(extents[i].name, fmt.Errorf("overlaps member %q", extents[i-1].name))
		}
	}
	return nil
}

// checkByteOrder refuses values of the other byte order. Files from before
// PyTorch 2.1 do not say theirs, which is that of their machine: little endian
// wherever models are trained.
func (a *archive) checkByteOrder() error {
	member := a.members[a.root+"byteorder"]
	if member == nil {
		return nil
	}
	order, err := readMember(member, 16)
	if err != nil {
		return err
	}
	if string(order) != "little" {
		return &fault.Error{
			Problem: "byte order", Expected: "little", Found: fmt.Sprintf("%.20q", order),
			Hint: "load it and save it again with torch.save on a little-endian machine",
		}
	}
	return nil
}

// pickle returns the pickle of the saved object.
func (a *archive) pickle() ([]byte, error) {
	return readMember(a.members[a.root+pickleName], maxPickleBytes)
}

// readMember reads a whole member of at most most bytes, compressed or not.
func readMember(member *zip.File, most int64) ([]byte, error) {
	reader, err := member.Open()
	if err != nil {
		return nil, damaged(member.Name, err)
	}
	defer reader.Close()
	// The size that the directory declares is no reason to allocate that much.
	content, err := io.ReadAll(io.LimitReader(reader, most+1))
	if int64(len(content)) > most {
		return nil, &fault.Error{Problem: fmt.Sprintf("member %q", member.Name), Expected: fmt.Sprintf("at most %d bytes", most), Found: "more"}
	}
	if err != nil {
		return nil, damaged(member.Name, err)
	}
	return content, nil
}

// storage finds the values of a storage of numel values of type t.
func (a *archive) storage(t storageType, key string, numel int64) (*storage, error) {
	member := a.members[a.root+"data/"+key]
	problem := fmt.Sprintf("storage %.40q", key)
	if member == nil {
		return nil, &fault.Error{Problem: problem + " is not in the archive", Hint: "the file is damaged"}
	}
	if member.Method != zip.Store {
		return nil, &fault.Error{
			Problem: problem, Expected: "values that are not compressed", Found: fmt.Sprintf("compression method %d", member.Method),
			Hint: "torch.save never compresses: unpack the archive and pack it again without compression (zip -0)",
		}
	}
	if member.CompressedSize64 != member.UncompressedSize64 || member.Flags&1 != 0 {
		return nil, damaged(member.Name, errors.New("is encrypted or of two sizes"))
	}
	size := int64(member.CompressedSize64) // checkOverlap held it against the file's
	if numel < 0 || numel > size/int64(t.width) || numel*int64(t.width) != size {
		return nil, &fault.Error{
			Problem: problem, Expected: fmt.Sprintf("%d values of %d bytes", numel, t.width), Found: fmt.Sprintf("%d bytes", size),
			Hint: "the file is damaged",
		}
	}
	offset, err := member.DataOffset()
	if err != nil {
		return nil, damaged(member.Name, err)
	}
	return &storage{source: a.file, offset: offset, bytes: size, storageType: t}, nil
}

func damaged(name string, err error) error {
	return &fault.Error{Problem: fmt.Sprintf("member %.80q", name), Err: err, Hint: "the file is damaged"}
}

// notArchive says what a file that is no zip archive is instead.
func notArchive(file io.ReaderAt, size int64, cause error) error {
	first := make([]byte, min(size, 512))
	if n, err := file.ReadAt(first, 0); n < len(first) {
		return err
	}
	e := &fault.Error{Expected: "a file of torch.save", Found: "something else"}
	switch {
	case tensor.PointerHint(first) != "":
		e.Hint = tensor.PointerHint(first)
	case bytes.HasPrefix(first, []byte("PK")):
		e.Problem, e.Expected, e.Found, e.Err = "directory of the zip archive", "", "", cause
		e.Hint = "was it downloaded whole?"
	case len(first) > 262 && string(first[257:262]) == "ustar":
		e.Found, e.Hint = "the tar format from before PyTorch 0.1.10", "load it with torch.load(…, weights_only=True) and save it again with torch.save of PyTorch 1.6 or later"
	case bytes.HasPrefix(first, []byte{opProtocol}):
		e.Found, e.Hint = "a plain pickle", "save it with torch.save"
	}
	return e
}
