// Command footer makes a loadable extension of a shared library: it writes the
// library followed by the 512 bytes by which DuckDB knows an extension.
//
//	footer -library FILE -output FILE [-version VERSION] [-platform PLATFORM]
//
// Source: the description of extension metadata in DuckDB's
// src/main/extension/extension_load.cpp and src/include/duckdb/main/extension.hpp.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/saedb/saedb/internal/version"
)

const (
	abi             = "C_STRUCT" // functions come in a struct: no C++ of DuckDB's is linked
	capiVersion     = "v1.2.0"   // the oldest C API that has them all
	metadataVersion = "4"
	fieldBytes      = 32
	signatureBytes  = 256 // zeros: not signed
)

// platforms are DuckDB's names of the platforms that saedb is built for.
var platforms = map[string]string{
	"linux/amd64": "linux_amd64", "linux/arm64": "linux_arm64",
	"darwin/amd64": "osx_amd64", "darwin/arm64": "osx_arm64",
	"windows/amd64": "windows_amd64",
}

func main() {
	library := flag.String("library", "", "the shared library")
	output := flag.String("output", "", "the extension to write")
	number := flag.String("version", version.Number, "version of the extension")
	platform := flag.String("platform", platforms[runtime.GOOS+"/"+runtime.GOARCH],
		"DuckDB's name of the platform; linux_amd64_gcc4 is for DuckDB before 1.3 from PyPI")
	flag.Parse()
	if err := write(*library, *output, *number, *platform); err != nil {
		fmt.Fprintln(os.Stderr, "footer:", err)
		os.Exit(1)
	}
}

func write(library, output, number, platform string) error {
	footer, err := footer(number, platform)
	if err != nil {
		return err
	}
	code, err := os.ReadFile(library)
	if err != nil {
		return err
	}
	// Renamed into place: a process that has an older one loaded keeps it.
	part := output + ".part"
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(part, append(code, footer...), 0o644); err != nil {
		return err
	}
	return os.Rename(part, output)
}

// footer is eight fields of 32 bytes, padded with zeros, the last first, and the
// place of a signature.
func footer(number, platform string) ([]byte, error) {
	if number == "" || platform == "" {
		return nil, errors.New("a version and a platform must be given")
	}
	all := make([]byte, 0, 8*fieldBytes+signatureBytes)
	for _, text := range []string{"", "", "", abi, number, capiVersion, platform, metadataVersion} {
		if len(text) > fieldBytes {
			return nil, fmt.Errorf("%q is longer than the %d bytes of a field", text, fieldBytes)
		}
		all = append(all, text...)
		all = append(all, make([]byte, fieldBytes-len(text))...)
	}
	return append(all, make([]byte, signatureBytes)...), nil
}
