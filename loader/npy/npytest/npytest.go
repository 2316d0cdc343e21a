// Package npytest writes .npy files and .npz archives for tests.
package npytest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strings"
	"testing"
)

// Array is an array to write.
type Array struct {
	Name    string
	Descr   string // type, as NumPy names it
	Fortran bool
	Shape   []int
	Data    []byte
}

// Floats makes an array of float32 in row-major order.
func Floats(name string, shape []int, values ...float32) Array {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Array{Name: name, Descr: "<f4", Shape: shape, Data: data}
}

// Fortran makes a matrix of float32 [rows, cols], given in row-major order, that is
// stored column by column.
func Fortran(name string, rows, cols int, values ...float32) Array {
	a := Floats(name, []int{rows, cols})
	a.Fortran = true
	for c := range cols {
		for r := range rows {
			a.Data = binary.LittleEndian.AppendUint32(a.Data, math.Float32bits(values[r*cols+c]))
		}
	}
	return a
}

// Bytes returns a as a file of version 1, as NumPy writes it.
func Bytes(a Array) []byte {
	shape := strings.TrimSuffix(strings.Join(strings.Fields(fmt.Sprint(a.Shape)), ", "), "]")[1:]
	if len(a.Shape) == 1 {
		shape += ","
	}
	order := "False"
	if a.Fortran {
		order = "True"
	}
	return Raw(1, fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }", a.Descr, order, shape), a.Data)
}

// Raw returns a file with a header that need not be one, padded so that the
// values begin at a multiple of 64.
func Raw(version byte, header string, data []byte) []byte {
	width := 2
	if version > 1 {
		width = 4
	}
	padding := -(8 + width + len(header) + 1) & 63
	header += strings.Repeat(" ", padding) + "\n"
	file := append([]byte("\x93NUMPY"), version, 0)
	if width == 2 {
		file = binary.LittleEndian.AppendUint16(file, uint16(len(header)))
	} else {
		file = binary.LittleEndian.AppendUint32(file, uint32(len(header)))
	}
	return append(append(file, header...), data...)
}

// Archive returns an archive of arrays, each stored or deflated.
func Archive(method uint16, arrays ...Array) []byte {
	var members []Member
	for _, a := range arrays {
		members = append(members, NewMember(a.Name+".npy", method, Bytes(a)))
	}
	return Zip(members...)
}

// Member is a member of a zip archive; its header need not agree with its bytes.
type Member struct {
	zip.FileHeader
	Stored []byte
}

// NewMember returns a member that holds content.
func NewMember(name string, method uint16, content []byte) Member {
	m := Member{Stored: content}
	if method == zip.Deflate {
		m.Stored = Deflate(content)
	}
	m.FileHeader = zip.FileHeader{
		Name: name, Method: method, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: uint64(len(m.Stored)), UncompressedSize64: uint64(len(content)),
	}
	return m
}

// Deflate returns content, compressed.
func Deflate(content []byte) []byte {
	var compressed bytes.Buffer
	w, err := flate.NewWriter(&compressed, flate.DefaultCompression)
	must(err)
	_, err = w.Write(content)
	must(err)
	must(w.Close())
	return compressed.Bytes()
}

// Zip returns an archive of members.
func Zip(members ...Member) []byte {
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, m := range members {
		to, err := w.CreateRaw(&m.FileHeader)
		must(err)
		_, err = to.Write(m.Stored)
		must(err)
	}
	must(w.Close())
	return file.Bytes()
}

// Write writes content to a new file at path.
func Write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
