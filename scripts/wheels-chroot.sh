#!/usr/bin/env bash
# Installs the wheels of this machine and of the example into a fresh Debian of another
# release, in a chroot with Python alone and its newest DuckDB there, and runs the demo.
# Needs root, debootstrap, and make wheels before.
# Usage: scripts/wheels-chroot.sh [SUITE], bullseye by default (glibc 2.31, the oldest that
# Debian's archive still has)
set -eu
cd "$(dirname "$0")/.."
suite=${1:-bullseye}
machine=$(uname -m)
root=$PWD/build/wheels/$suite
site=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/\?$')
if [ ! -e "$root/.complete" ]; then
	rm -rf "$root"
	debootstrap --variant=minbase --include=python3,python3-venv "$suite" "$root" "$site"
	touch "$root/.complete"
fi
rm -rf "$root/wheels" "$root/try"
mkdir "$root/wheels" "$root/try"
cp build/wheels/out/saedb-*-manylinux*_"$machine".whl build/wheels/out/saedb_example-*.whl "$root/wheels/"
version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$root/wheels" \
	--python-version "$version" --platform "manylinux_2_28_$machine" --platform "manylinux2014_$machine" duckdb
(cd "$root/wheels" && du --bytes --total -- *.whl)
start=$SECONDS
chroot "$root" sh -eu -c '
	cd /try
	ldd --version | head -1
	python3 -m venv venv
	unset PIP_FIND_LINKS
	venv/bin/python -m pip install --quiet --no-index --find-links /wheels saedb saedb-example
	venv/bin/saedb version
	venv/bin/saedb demo
	venv/bin/python -c "import duckdb, saedb; con = saedb.connect(\"demo.db\"); print(duckdb.__version__, con.sql(\"SELECT count(*) FROM features\").fetchall())"
	test -s demo-report.html'
echo "wheels-chroot: the wheels work on Debian $suite, $((SECONDS - start)) s from an empty machine to the report"
