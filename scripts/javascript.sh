#!/usr/bin/env bash
# Checks the format of the JavaScript, style sheets and pages, and lints them, with Biome;
# scripts/javascript.sh --write formats them. Lines have at most 120 characters.
#
# internal/web/package-lock.json fixes the versions of Biome, and of what test/pages drives
# browsers with, and their SHA-512, which npm checks. After a change of version in package.json, make
# that file again:
#
#	cd internal/web && npm install --package-lock-only --omit-lockfile-registry-resolved
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pages=$(git ls-files --cached --others --exclude-standard 'internal/*.js' 'internal/*.css' 'internal/web/*.html' 'examples/*.mjs' 'test/pages/*.mjs')
long=$(awk 'length > 120 { print FILENAME ":" FNR ": " length " characters in a line, expected at most 120" }' \
	$pages $(git ls-files 'internal/figures/assets/*.html'))
[ -z "$long" ] || {
	echo "$long" >&2
	exit 1
}
command -v npm >/dev/null || {
	echo "javascript: format and lint are not checked, npm is not on PATH" >&2
	exit 0
}

tool=build/javascript
wanted=$(cat internal/web/package-lock.json)
if [ ! -x $tool/node_modules/.bin/biome ] || [ "$(cat $tool/installed.json 2>/dev/null)" != "$wanted" ]; then
	mkdir -p $tool
	cp internal/web/package.json internal/web/package-lock.json $tool/
	(cd $tool && npm ci --ignore-scripts --no-audit --no-fund --silent)
	cp internal/web/package-lock.json $tool/installed.json
fi
if [ "${1:-}" = --write ]; then
	exec $tool/node_modules/.bin/biome check --write $pages
fi
exec $tool/node_modules/.bin/biome ci $pages
