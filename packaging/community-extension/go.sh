#!/usr/bin/env bash
# Runs go of the version that go.mod asks for. From 1.21 on Go fetches it by itself; an older
# one (DuckDB's image for Linux has 1.20) is made to fetch the module that has it as a file,
# which is held against Go's checksum database and against the hash here.
# Usage: go.sh ARGUMENT ...
set -euo pipefail
cd "$(dirname "$0")/../.."
version=go1.26.8
declare -A sums=(
	[linux-amd64]=h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=
	[linux-arm64]=h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=
)
export GOFLAGS=
command -v go >/dev/null || {
	echo "saedb: Go is needed, and not on PATH: the description asks for the toolchain go" >&2
	exit 1
}
installed=$(cd / && go env GOVERSION) # outside of the module, whose go line an old Go does not read
if [[ $installed =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 21 ]; then
	exec go "$@"
fi

platform=$(cd / && go env GOOS)-$(cd / && go env GOARCH)
sum=${sums[$platform]:-}
if [ -z "$sum" ]; then
	echo "saedb: $installed is too old, and no newer one is pinned for $platform: install Go 1.21 or newer" >&2
	exit 1
fi
download=$(cd / && go mod download -json "golang.org/toolchain@v0.0.1-$version.$platform")
field() { sed -n "s/^\t\"$1\": \"\(.*\)\",\?$/\1/p" <<<"$download"; }
if [ "$(field Sum)" != "$sum" ]; then
	echo "saedb: golang.org/toolchain $version.$platform has the hash $(field Sum), expected $sum" >&2
	exit 1
fi
# A module's files have no modes.
goroot=$(field Dir)
[ -x "$goroot/bin/go" ] || chmod -R u+w,a+x "$goroot/bin" "$goroot/pkg/tool"
GOROOT=$goroot GOTOOLCHAIN=local exec "$goroot/bin/go" "$@"
