#!/usr/bin/env bash
# Writes what saedb is made of: build/sbom/saedb.cdx.json, a software bill of materials in
# CycloneDX's format, and docs/dependencies.md, the same for people.
#
# The Go modules are those that are linked into the program, as it says itself, with
# licences as cyclonedx-gomod finds them; the crates are those of the tokenizer library,
# as cargo does; the libraries of pages are those of their lock file.
#
# With a second argument it writes no page, and the bill of a program without the tokenizer
# library, of any platform, to that file: make dist does so.
# Usage: scripts/sbom.sh PROGRAM [FILE]
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/sbom
export GOFLAGS= # the tools need no tokenizer library
mkdir -p "$out"
# By version, which leaves in the cache what go build does not need and the tool does.
go version -m "$1" | awk '$1 == "dep" { print $2 "@" $3 }' | xargs go mod download
go build -modfile=tools/go.mod -o "$out/cyclonedx-gomod" github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
# All of them are in the module cache now, held against go.sum. Without a version, saedb itself
# would be looked for together with the first modules, and their licences not be found. The
# platform is the program's.
version=$(sed -n 's/.*Number = "\(.*\)"/\1/p' internal/version/version.go)
platform=$(go version -m "$1" | awk '$1 == "build" && $2 ~ /^GO(OS|ARCH)=/ { print $2 }')
env $platform GOPROXY=off GOSUMDB=off "$out/cyclonedx-gomod" bin -licenses -json -noserial -version "$version" \
	-output "$out/go.cdx.json" "$1" 2>"$out/log"

if [ $# -gt 1 ]; then
	python3 scripts/sbom.py "$out" "$2"
	exit
fi
crate=$(mktemp -d)
trap 'rm -rf "$crate"' EXIT
scripts/libtokenizers.sh --copy-source "$crate"
(cd "$crate" && cargo tree --locked --quiet --edges normal --prefix none --format '{p}|{l}') >"$out/crates.txt"
python3 scripts/sbom.py "$out"
