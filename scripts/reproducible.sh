#!/usr/bin/env bash
# Builds what make dist builds of a platform twice, from two clones of the last commit in two
# directories, each with Go's, zig's and pip's work of its own, and holds every file of one
# against the other's: wheels, sdist, archives, extension, bill of materials.
# Usage: scripts/reproducible.sh [PLATFORM], linux-amd64 by default
set -eu
cd "$(dirname "$0")/.."
platform=${1:-linux-amd64}
commit=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH GOFLAGS=
scripts/chart-library.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for clone in "$work/one" "$work/another/place"; do
	git clone --quiet --no-checkout . "$clone"
	git -C "$clone" checkout --quiet --detach "$commit" # not one that is made meanwhile
	mkdir -p "$clone/build"
	cp -r internal/figures/assets/echarts "$clone/internal/figures/assets/"
	cp -r internal/web/assets/umap "$clone/internal/web/assets/"
	cp build/chart-library.stamp "$clone/build/"
	GOCACHE=$clone/build/go "$clone/scripts/wheels.sh" dist "$platform"
done
for file in "$work"/one/build/dist/*; do
	cmp "$file" "$work/another/place/build/dist/$(basename "$file")"
done
(cd "$work/one/build/dist" && ls) >"$work/files"
(cd "$work/another/place/build/dist" && ls) | diff "$work/files" -
echo "reproducible: $(wc -l <"$work/files") files of $platform are equal, byte for byte"
