#!/usr/bin/env bash
# Tries the wheel for Windows under Wine, of a Debian of its own in a chroot: the program
# runs the demo, and DuckDB's shell for Windows loads the extension and asks it of what
# the demo has loaded. Needs root, debootstrap, and make wheels before. Wine before 9
# lacks a library that Go needs (bcryptprimitives.dll), and Debian has 10 from trixie on.
# Usage: scripts/wheels-wine.sh [SUITE], trixie by default
set -eu
cd "$(dirname "$0")/.."
suite=${1:-trixie}
root=$PWD/build/wheels/wine-$suite
site=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/\?$')
if [ ! -e "$root/.complete" ]; then
	rm -rf "$root"
	debootstrap --variant=minbase --include=wine64 "$suite" "$root" "$site"
	touch "$root/.complete"
fi
rm -rf "$root/try"
mkdir "$root/try"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --platform win_amd64 \
	--dest "$root/try" duckdb-cli==1.5.6
for wheel in "$root"/try/duckdb_cli-*.whl build/wheels/out/saedb-*-win_amd64.whl build/wheels/out/saedb_example-*.whl; do
	python3 -m zipfile -e "$wheel" "$root/try"
done
# With the machine's processes, or wine waits for its server for ever.
unshare --mount --pid --fork --kill-child chroot "$root" sh -eu -c '
	mount -t proc proc /proc
	cd /try
	export HOME=/try WINEPREFIX=/try/prefix WINEDEBUG=-all
	wine=/usr/lib/wine/wine64
	$wine wineboot --init >/dev/null 2>&1
	$wine saedb_program/bin/saedb.exe version
	$wine saedb_program/bin/saedb.exe demo --example saedb_example/smollm2-135m
	test -s demo-report.html
	$wine duckdb_cli/duckdb.exe -csv -noheader -unsigned demo.db -c "LOAD '\''saedb/saedb.duckdb_extension'\''" \
		-c "SELECT feature, round((logit_stats(w_dec, '\''smollm2-135m'\'')).skewness, 2) FROM decoder_directions WHERE layer = 29 AND feature = 1328" |
		tee answer.csv
	grep -q "^1328,4.21" answer.csv'
echo "wheels-wine: the wheel for Windows works under Wine of Debian $suite"
