package test

import (
	"bytes"
	"crypto/sha256"
	"debug/macho"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Load commands that debug/macho leaves as bytes, and the parts of a signature: Apple's
// <mach-o/loader.h> and <kern/cs_blobs.h>.
const (
	loadCodeSignature = 0x1d
	loadBuildVersion  = 0x32
	platformMacOS     = 1
	csEmbedded        = 0xfade0cc0
	csDirectory       = 0xfade0c02
	csAdhoc           = 0x2
	csSHA256          = 2
)

// macOSStubs are what the libraries of macOS have, as far as the link was made with it:
// zig's list of libSystem, and those of scripts/wheels/macos.
func macOSStubs(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob("../build/wheels/environment/lib/python*/site-packages/ziglang/lib/libc/darwin/libSystem.tbd")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for _, pattern := range []string{"*.tbd", "*.framework/*.tbd"} {
		more, err := filepath.Glob("../scripts/wheels/macos/" + pattern)
		if err != nil || len(more) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, more...)
	}
	install, name := regexp.MustCompile(`(?m)^install-name:\s*'(.*)'`), regexp.MustCompile(`[_$.A-Za-z][_$.A-Za-z0-9]*`)
	stubs := map[string]map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		library := install.FindSubmatch(text)
		if library == nil {
			t.Fatal(file, "names no library")
		}
		// A file of several documents has libraries that the first one exports again.
		names := map[string]bool{}
		for _, found := range name.FindAllString(string(text), -1) {
			names[found] = true
		}
		stubs[string(library[1])] = names
	}
	return stubs
}

// checkMachO holds a library or program for macOS to its processor, the oldest system of
// its tag, what that system's libraries have, and, where one is needed, its signature.
func checkMachO(t *testing.T, tag, what string, code []byte) {
	t.Helper()
	f, err := macho.NewFile(bytes.NewReader(code))
	if err != nil {
		t.Fatal(err)
	}
	arm64 := strings.HasSuffix(tag, "_arm64")
	if cpu := map[bool]macho.Cpu{true: macho.CpuArm64, false: macho.CpuAmd64}[arm64]; f.Cpu != cpu {
		t.Errorf("%s is for %v, expected %v", what, f.Cpu, cpu)
	}
	var oldest string
	var signature []byte
	for _, load := range f.Loads {
		raw := load.Raw()
		switch command := f.ByteOrder.Uint32(raw); command {
		case loadBuildVersion:
			minimum := f.ByteOrder.Uint32(raw[12:])
			oldest = fmt.Sprintf("%d of platform %d", minimum>>16, f.ByteOrder.Uint32(raw[8:]))
		case loadCodeSignature:
			offset, size := f.ByteOrder.Uint32(raw[8:]), f.ByteOrder.Uint32(raw[12:])
			signature = code[offset : offset+size]
		}
	}
	if want := fmt.Sprintf("%s of platform %d", strings.Split(tag, "_")[1], platformMacOS); oldest != want {
		t.Errorf("%s is for macOS %s, expected %s", what, oldest, want)
	}
	checkImports(t, what, f)
	// Processors of Intel run what is not signed.
	switch err := checkSignature(code, signature); {
	case signature == nil && arm64:
		t.Errorf("%s is not signed, and no Mac with Apple's processor would run it", what)
	case signature != nil && err != nil:
		t.Errorf("%s: its signature does not hold: %v", what, err)
	case signature != nil:
		code[4096] ^= 1
		if checkSignature(code, signature) == nil {
			t.Errorf("%s: its signature holds after a byte was changed", what)
		}
		code[4096] ^= 1
	}
}

// checkImports finds every undefined symbol in the stub of the library that it is bound to.
func checkImports(t *testing.T, what string, f *macho.File) {
	t.Helper()
	stubs := macOSStubs(t)
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if _, known := stubs[library]; !known {
			t.Errorf("%s asks for %s, expected of %q only", what, library, slices.Sorted(maps.Keys(stubs)))
		}
	}
	undefined := f.Symtab.Syms[f.Dysymtab.Iundefsym:][:f.Dysymtab.Nundefsym]
	if len(undefined) < 50 {
		t.Errorf("%s has %d undefined symbols, expected some of the C library", what, len(undefined))
	}
	for _, symbol := range undefined {
		ordinal := int(symbol.Desc >> 8) // two-level names: the library's number, from 1
		if ordinal < 1 || ordinal > len(libraries) {
			t.Errorf("%s: %s is bound to library %d of %d", what, symbol.Name, ordinal, len(libraries))
			continue
		}
		if library := libraries[ordinal-1]; !stubs[library][symbol.Name] {
			t.Errorf("%s asks %s for %s, which it has not", what, library, symbol.Name)
		}
	}
}

// checkSignature recomputes an ad-hoc signature: the SHA-256 of each page before it.
func checkSignature(code, signature []byte) error {
	u32 := func(b []byte, at int) int { return int(binary.BigEndian.Uint32(b[at:])) }
	if len(signature) < 20 || u32(signature, 0) != csEmbedded {
		return fmt.Errorf("it is %d bytes and none of Apple's", len(signature))
	}
	directory := signature[u32(signature, 16):]
	if u32(directory, 0) != csDirectory || u32(directory, 12)&csAdhoc == 0 || directory[36] != 32 || directory[37] != csSHA256 {
		return fmt.Errorf("expected an ad-hoc code directory of SHA-256, found % x", directory[:40])
	}
	hashes, slots, limit, page := u32(directory, 16), u32(directory, 28), u32(directory, 32), 1<<directory[39]
	if limit > len(code) || slots != (limit+page-1)/page {
		return fmt.Errorf("%d pages of %d bytes for %d bytes", slots, page, limit)
	}
	for i := range slots {
		if sum := sha256.Sum256(code[i*page : min(limit, (i+1)*page)]); !bytes.Equal(sum[:], directory[hashes+i*32:][:32]) {
			return fmt.Errorf("page %d of %d differs", i, slots)
		}
	}
	return nil
}
