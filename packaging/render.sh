#!/usr/bin/env bash
# Writes the Homebrew formula and the conda recipe of a release, with the version and the
# hash of its sdist, which both build from.
# Usage: packaging/render.sh DIRECTORY/saedb-VERSION.tar.gz OUTPUT_DIRECTORY
set -euo pipefail
sdist=$1 output=$2
name=$(basename "$sdist" .tar.gz)
version=${name#saedb-}
sum=$(sha256sum "$sdist" | cut -d' ' -f1)
here=$(dirname "$0")
mkdir -p "$output"
for template in "$here"/homebrew/saedb.rb.in "$here"/conda/recipe.yaml.in; do
	rendered=$output/$(basename "$template" .in)
	sed "s/@VERSION@/$version/g; s/@SHA256@/$sum/g" "$template" >"$rendered"
	if grep -n '@[A-Z0-9]*@' "$rendered"; then
		echo "render: $rendered still has a placeholder" >&2
		exit 1
	fi
done
