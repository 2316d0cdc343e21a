#!/usr/bin/env bash
# Installs the wheels of a processor and of the example into a fresh Debian of another release, in a
# chroot with Python alone and its newest DuckDB there, and without a network: the demo, the extension
# in that DuckDB, and in DuckDB's shell 1.5. Needs root, debootstrap, and make wheels before; for
# another processor than this machine's also Debian's qemu-user-static and binfmt-support.
# Usage: scripts/wheels-chroot.sh [SUITE [x86_64|aarch64]], by default bullseye (glibc 2.31, the oldest
# that Debian's archive still has) and this machine's processor
set -eu
cd "$(dirname "$0")/.."
suite=${1:-bullseye}
machine=${2:-$(uname -m)}
case $machine in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*)
	echo "wheels-chroot: expected x86_64 or aarch64, found $machine" >&2
	exit 2
	;;
esac
if [ "$machine" != "$(uname -m)" ] && [ ! -e "/proc/sys/fs/binfmt_misc/qemu-$machine" ]; then
	echo "wheels-chroot: programs of $machine do not run here: install qemu-user-static and binfmt-support" >&2
	exit 1
fi
root=$PWD/build/wheels/$suite-$machine
site=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/\?$')
if [ ! -e "$root/.complete" ]; then
	rm -rf "$root"
	debootstrap --arch "$architecture" --variant=minbase --include=python3,python3-venv "$suite" "$root" "$site"
	touch "$root/.complete"
fi
rm -rf "$root/wheels" "$root/try"
mkdir "$root/wheels" "$root/try"
cp build/wheels/out/saedb-*-manylinux*_"$machine".whl build/wheels/out/saedb_example-*.whl "$root/wheels/"
version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
fetch() {
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$root/wheels" \
		--python-version "$version" --platform "manylinux_2_28_$machine" --platform "manylinux2014_$machine" "$1"
}
fetch duckdb
(cd "$root/wheels" && du --bytes --total -- *.whl)
fetch duckdb-cli==1.5.6
start=$SECONDS
# Of the network's interfaces there is none but a loopback that is down.
unshare --net chroot "$root" sh -eu -c '
	cd /try
	ldd --version | head -1
	uname -m
	python3 -m venv venv
	unset PIP_FIND_LINKS
	venv/bin/python -m pip install --quiet --no-index --find-links /wheels saedb saedb-example
	venv/bin/saedb version
	venv/bin/saedb demo
	test -s demo-report.html'
echo "wheels-chroot: $((SECONDS - start)) s from an empty machine to the report"
unshare --net chroot "$root" sh -eu -c '
	cd /try
	venv/bin/python -m saedb version | head -1
	venv/bin/python -c "
import duckdb, saedb
con = saedb.connect(\"demo.db\", read_only=True)
found = con.sql(\"SELECT feature, round((logit_stats(w_dec, '\''smollm2-135m'\'')).skewness, 2) FROM decoder_directions WHERE layer = 29 AND feature = 1328\").fetchall()
print(\"DuckDB\", duckdb.__version__, found)
assert found == [(1328, 4.21)]"
	venv/bin/python -m pip install --quiet --no-index --find-links /wheels duckdb-cli
	venv/bin/duckdb -csv -noheader -unsigned -readonly demo.db \
		-c "LOAD '\''$(venv/bin/python -c "import saedb; print(saedb.extension_path())")'\''" \
		-c "SELECT version(), feature, round((logit_stats(w_dec, '\''smollm2-135m'\'')).skewness, 2) FROM decoder_directions WHERE layer = 29 AND feature = 1328" |
		tee answer.csv
	grep -q "^v1.5.6,1328,4.21$" answer.csv'
echo "wheels-chroot: the wheels for $machine work on Debian $suite"
