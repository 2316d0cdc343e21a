#!/usr/bin/env bash
# Fetches the chart library of the HTML figures, Apache ECharts, with its licences
# into internal/figures/assets/echarts/, where the program embeds it from.
#
# scripts/chart-library/package-lock.json fixes its version and its SHA-512, which
# npm checks. After a change of version in package.json, make that file again:
#
#	cd scripts/chart-library && npm install --package-lock-only --omit-lockfile-registry-resolved
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lock=$root/scripts/chart-library
target=$root/internal/figures/assets/echarts
stamp=$root/build/chart-library.stamp

wanted="chart library $(cat "$lock/package.json" "$lock/package-lock.json" "${BASH_SOURCE[0]}" | cksum)"
if [ -f "$target/echarts.min.js" ] && [ -f "$target/LICENSES.txt" ] && [ -f "$stamp" ] && [ "$(<"$stamp")" = "$wanted" ]; then
	exit 0
fi
command -v npm >/dev/null || {
	echo "chart library: npm is needed to fetch Apache ECharts and is not on PATH; it comes with Node.js, or as npm from the system's packages" >&2
	exit 1
}

mkdir -p "$root/build" "$target"
work=$(mktemp -d "$root/build/chart-library.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp "$lock/package.json" "$lock/package-lock.json" "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)

modules=$work/node_modules
{
	printf 'Apache ECharts\n\n' && cat "$modules/echarts/NOTICE" && printf '\n\n' && cat "$modules/echarts/LICENSE"
	printf '\n\nd3, parts of which are in Apache ECharts\n\n' && cat "$modules/echarts/licenses/LICENSE-d3"
	printf '\n\nZRender, which is in Apache ECharts\n\n' && cat "$modules/zrender/LICENSE"
	printf '\n\ntslib, which is in Apache ECharts\n\n' && cat "$modules/tslib/LICENSE.txt"
} >"$work/LICENSES.txt"
for file in "$modules/echarts/dist/echarts.min.js" "$work/LICENSES.txt"; do
	cp "$file" "$target/.partial" && mv "$target/.partial" "$target/$(basename "$file")"
done
printf '%s\n' "$wanted" >"$stamp"
