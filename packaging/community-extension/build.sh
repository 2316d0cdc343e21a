#!/usr/bin/env bash
# Builds the extension for the platform that DUCKDB_PLATFORM names, or for this one.
# Usage: build.sh OUTPUT
set -eu
cd "$(dirname "$0")/../.."
output=$1
go=packaging/community-extension/go.sh
mkdir -p "$(dirname "$output")"
target=(CGO_ENABLED=1)
# Macs with Intel's processor are built for on one with Apple's.
if [ "${DUCKDB_PLATFORM:-}" = osx_amd64 ]; then
	target+=(GOARCH=amd64 "CC=clang -arch x86_64")
fi
linker=""
[ "$(uname -s)" != Linux ] || linker="-extldflags=-Wl,-Bsymbolic"
library=$(dirname "$output")/library
env "${target[@]}" "$go" build -tags saedb_extension -trimpath -buildvcs=false -buildmode=c-shared \
	-ldflags "-s -w $linker" -o "$library" ./extension
"$go" run ./extension/footer -library "$library" -output "$output" ${DUCKDB_PLATFORM:+-platform "$DUCKDB_PLATFORM"}
rm -f "$library" "$library.h"
