#!/usr/bin/env bash
# Installs the wheels of this machine and of the example into a fresh Debian of another
# release, in a chroot with Python alone and its oldest DuckDB there, and runs the demo.
# Needs root, debootstrap, and make wheels before.
# Usage: scripts/wheels-chroot.sh [SUITE], bullseye (glibc 2.31) by default
set -eu
cd "$(dirname "$0")/.."
suite=${1:-bullseye}
root=$PWD/build/wheels/$suite
site=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/\?$')
if [ ! -e "$root/.complete" ]; then
	rm -rf "$root"
	debootstrap --variant=minbase --include=python3,python3-venv "$suite" "$root" "$site"
	touch "$root/.complete"
fi
rm -rf "$root/wheels" "$root/try"
mkdir "$root/wheels" "$root/try"
cp build/wheels/out/saedb-*"$(uname -m)".whl build/wheels/out/saedb_example-*.whl "$root/wheels/"
version=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$root/wheels" \
	--python-version "$version" --platform "manylinux_2_28_$(uname -m)" --platform "manylinux2014_$(uname -m)" duckdb
chroot "$root" sh -eu -c '
	cd /try
	ldd --version | head -1
	python3 -m venv venv
	unset PIP_FIND_LINKS
	venv/bin/python -m pip install --quiet --no-index --find-links /wheels saedb saedb-example
	venv/bin/saedb version
	venv/bin/saedb demo
	venv/bin/python -c "import duckdb, saedb; print(duckdb.__version__, saedb.connect(\"demo.db\").sql(\"SELECT count(*) FROM features\").fetchall())"
	test -s demo-report.html'
echo "wheels-chroot: the wheels work on Debian $suite"
