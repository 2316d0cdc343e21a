#!/usr/bin/env bash
# Builds, vets and tests a fresh clone as somebody does who has Go and a C compiler, and
# neither make nor cargo nor npm: no library that make fetches is there.
# Usage: scripts/test-clone.sh [TEST PATTERN], of ./test; a few by default.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet . "$work/saedb"
cd "$work/saedb"

# A PATH of just what is needed: the compilers, git, and a shell for cgo and tests.
mkdir "$work/bin"
for tool in go gcc cc g++ c++ clang ld as ar ranlib pkg-config git sh bash env cat ls rm mkdir uname; do
	found=$(command -v "$tool") && ln -s "$found" "$work/bin/$tool"
done
export PATH=$work/bin GOFLAGS= CGO_ENABLED=1 GOBIN=$work/installed
go build ./...
go vet ./...
go install ./cmd/saedb
[ -x "$GOBIN/saedb" ]
go test ./cmd/... ./loader ./loader/vocab/... ./internal/figures
go test ./test -count=1 -run "${1:-^(TestPlotWritesByTheEnding|TestLoadSetsFiles|TestManyReaders|TestReadme)$}"
status=$(git status --porcelain)
[ -z "$status" ] || {
	printf 'test-clone: building and testing left in the tree:\n%s\n' "$status" >&2
	exit 1
}
echo "test-clone: a clone builds and passes with Go and a C compiler alone"
