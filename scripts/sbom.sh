#!/usr/bin/env bash
# Writes what saedb is made of: build/sbom/saedb.cdx.json, a software bill of materials in
# CycloneDX's format, and docs/dependencies.md, the same for people.
#
# The Go modules are those that are linked into the program, as it says itself, with
# licences as cyclonedx-gomod finds them; the crates are those of the tokenizer library,
# as cargo does; the packages of the chart library are those of its lock file.
# Usage: scripts/sbom.sh PROGRAM
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/sbom
mkdir -p "$out"
go mod download
go build -modfile=tools/go.mod -o "$out/cyclonedx-gomod" github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
# Everything is in the module cache now. Without a version, saedb itself would be looked for
# together with the first modules, and their licences not be found.
version=$("$1" version | awk 'NR == 1 { print $2 }')
GOPROXY=off "$out/cyclonedx-gomod" bin -licenses -json -noserial -version "$version" -output "$out/go.cdx.json" "$1" 2>"$out/log"

crate=$(mktemp -d)
trap 'rm -rf "$crate"' EXIT
scripts/libtokenizers.sh --copy-source "$crate"
(cd "$crate" && cargo tree --locked --quiet --edges normal --prefix none --format '{p}|{l}') >"$out/crates.txt"
python3 scripts/sbom.py "$out"
