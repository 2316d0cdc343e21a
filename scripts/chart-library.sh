#!/usr/bin/env bash
# Fetches what pages are drawn with, where the program embeds it from, with the licences: the
# chart library of the HTML figures, Apache ECharts, into internal/figures/assets/echarts/, and
# umap-js, which lays out the explorer's map, into internal/web/assets/umap/.
#
# scripts/chart-library/package-lock.json fixes their versions and their SHA-512, which npm checks;
# the overrides in package.json are the versions of what umap-js's own bundle has in it, as its
# lock file and the text of the bundle have them. After a change in package.json, make that file again:
#
#	cd scripts/chart-library && npm install --package-lock-only --omit-lockfile-registry-resolved
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lock=$root/scripts/chart-library
charts=$root/internal/figures/assets/echarts
layouts=$root/internal/web/assets/umap
stamp=$root/build/chart-library.stamp

wanted="chart library $(cat "$lock/package.json" "$lock/package-lock.json" "${BASH_SOURCE[0]}" | cksum)"
there=true
for file in "$charts/echarts.min.js" "$charts/LICENSES.txt" "$layouts/umap-js.min.js" "$layouts/LICENSES.txt" "$stamp"; do
	[ -f "$file" ] || there=false
done
if $there && [ "$(<"$stamp")" = "$wanted" ]; then
	exit 0
fi
command -v npm >/dev/null || {
	echo "chart library: npm is needed to fetch Apache ECharts and umap-js and is not on PATH; it comes with Node.js, or as npm from the system's packages" >&2
	exit 1
}

mkdir -p "$root/build" "$charts" "$layouts"
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
} >"$work/charts.txt"
{
	printf 'umap-js\n\n' && cat "$modules/umap-js/LICENSE"
	for part in ml-levenberg-marquardt ml-matrix ml-array-rescale ml-array-max ml-array-min is-any-array; do
		printf '\n\n%s, which is in umap-js\n\n' "$part" && cat "$modules/$part/LICENSE"
	done
} >"$work/layouts.txt"
# place puts a file where it is embedded from, whole or not at all.
place() {
	cp "$1" "$2.partial" && mv "$2.partial" "$2"
}
place "$modules/echarts/dist/echarts.min.js" "$charts/echarts.min.js"
place "$work/charts.txt" "$charts/LICENSES.txt"
place "$modules/umap-js/lib/umap-js.min.js" "$layouts/umap-js.min.js"
place "$work/layouts.txt" "$layouts/LICENSES.txt"
printf '%s\n' "$wanted" >"$stamp"
