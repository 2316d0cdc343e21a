#!/usr/bin/env bash
# Builds build/lib/libtokenizers.a, the Rust half of github.com/daulet/tokenizers,
# from the source that the Go module carries.
#
# The module pins tiktoken-rs to a branch of a git fork; crates.io's release takes
# its place, so that the build needs no git server and scripts/libtokenizers.Cargo.lock
# fixes every crate. After a change of module version, make that lock file again:
#
#	scripts/libtokenizers.sh --update-lock
#
# With --copy-source DIRECTORY it only lays out what it would build.
set -euo pipefail

tiktoken_version=0.9.1
module=github.com/daulet/tokenizers

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lock_file=$root/scripts/libtokenizers.Cargo.lock
library=$root/build/lib/libtokenizers.a
stamp=$root/build/lib/libtokenizers.stamp

fail() {
	echo "libtokenizers: $*" >&2
	exit 1
}

# go.mod is read with awk, and not with go list, because a run that finds the
# library up to date should take milliseconds.
version=$(awk -v module="$module" '
	$1 == module { print $2; exit }
	$1 == "require" && $2 == module { print $3; exit }' "$root/go.mod")
[ -n "$version" ] || fail "go.mod does not require $module"
[ -f "$lock_file" ] || [ "${1:-}" = --update-lock ] ||
	fail "scripts/libtokenizers.Cargo.lock is missing; make it with scripts/libtokenizers.sh --update-lock"

# The stamp names everything that the library depends on.
wanted="$module $version tiktoken-rs $tiktoken_version lock $(cksum <"$lock_file" 2>/dev/null || true) $(uname -s) $(uname -m)"
if [ $# = 0 ] && [ -f "$library" ] && [ -f "$stamp" ] && [ "$(<"$stamp")" = "$wanted" ]; then
	exit 0
fi

for tool in go cargo cc c++ strip; do
	command -v "$tool" >/dev/null ||
		fail "$tool is needed to build the tokenizer library and is not on PATH; Rust and cargo come from https://rustup.rs or the system's packages, cc and c++ from gcc or clang, strip from binutils"
done

# copy_source lays out the crate in a directory that cargo may write to:
# the module cache is read-only.
copy_source() {
	local source
	(cd "$root" && go mod download "$module@$version")
	source=$(cd "$root" && go list -m -f '{{.Dir}}' "$module")
	[ -d "$source/src" ] || fail "$module $version has no Rust source at $source"
	cp -R "$source/src" "$source/benches" "$work/" # the manifest names a bench, so cargo wants it to exist
	chmod -R u+w "$work/src" "$work/benches"
	sed "s/^tiktoken-rs *=.*/tiktoken-rs = \"=$tiktoken_version\"/" "$source/Cargo.toml" >"$work/Cargo.toml"
	grep -q "^tiktoken-rs = \"=$tiktoken_version\"" "$work/Cargo.toml" ||
		fail "Cargo.toml of $module $version does not name tiktoken-rs; see whether this script is still needed"
	if [ "${1:-}" = --update-lock ]; then
		install -m 644 "$source/Cargo.lock" "$work/Cargo.lock"
	else
		install -m 644 "$lock_file" "$work/Cargo.lock"
	fi
}

if [ "${1:-}" = --copy-source ]; then
	work=$2
	copy_source
	exit 0
fi

# A directory of its own for each run: two may build at the same time, and
# an interrupted one leaves nothing that a later one could trip over.
mkdir -p "$(dirname "$library")"
work=$(mktemp -d "$root/build/libtokenizers.XXXXXX")
partial=$library.$$
trap 'rm -rf "$work" "$partial" "$stamp.$$"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
copy_source "${1:-}"

if [ "${1:-}" = --update-lock ]; then
	# Keeps the module's own choice of versions and resolves only what the replaced line brings.
	(cd "$work" && cargo metadata --format-version 1 >/dev/null)
	cp "$work/Cargo.lock" "$lock_file"
	echo "libtokenizers: wrote scripts/libtokenizers.Cargo.lock"
	exit 0
fi

echo "libtokenizers: building $module $version from source; this takes about two minutes"
(cd "$work" && CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --lib --locked)

# The library appears under its name complete or not at all, and the stamp only after it.
cp "$work/target/release/libtokenizers.a" "$partial"
case $(uname -s) in
Darwin) strip -S "$partial" ;;
*) strip -g "$partial" ;;
esac
rm -f "$stamp"
mv "$partial" "$library"
printf '%s\n' "$wanted" >"$stamp.$$"
mv "$stamp.$$" "$stamp"
