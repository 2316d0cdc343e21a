#!/usr/bin/env bash
# Installs into build/clients the DuckDB clients that examples/clients is for, beside
# those for Python (scripts/python-clients.sh): for Node.js from npm, for Java from
# Maven, and DuckDB's own shell from PyPI. A JDK and Maven come from Debian where
# continuous integration runs as root and has none; elsewhere the Java example is not
# tested when they are missing.
# Usage: scripts/clients.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}

# fresh TARGET FILE... says whether TARGET was installed from these very files.
fresh() {
	local target=$1
	shift
	[ -e "$target/.complete" ] && [ "$(<"$target/.complete")" = "$(cat "$@" | cksum)" ]
}

node=build/clients/node
if ! fresh $node examples/clients/node/package-lock.json; then
	echo "installing DuckDB for Node.js into $node"
	rm -rf $node
	mkdir -p $node
	cp examples/clients/node/package.json examples/clients/node/package-lock.json $node/
	(cd $node && npm ci --no-audit --no-fund --silent)
	cksum <examples/clients/node/package-lock.json >$node/.complete
fi

shell=build/clients/shell
if ! fresh $shell "$0"; then
	echo "installing DuckDB's shell into $shell"
	rm -rf $shell
	"$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --target $shell duckdb-cli==1.5.6
	cksum <"$0" >$shell/.complete
fi

java=build/clients/java
if ! fresh $java examples/clients/java/pom.xml; then
	if ! { command -v javac && command -v mvn; } >/dev/null; then
		if [ "${CI:-}" != true ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
			echo "clients: no JDK or no Maven on PATH: the Java example will not be tested" >&2
			exit 0
		fi
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends default-jdk-headless maven >/dev/null
	fi
	echo "installing DuckDB for Java into $java"
	rm -rf $java
	mvn --quiet --batch-mode --file examples/clients/java/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$java"
	cksum <examples/clients/java/pom.xml >$java/.complete
fi
