#!/usr/bin/env bash
# Builds wheels, and with dist archives, for every platform on one Linux machine:
# scripts/wheels/build.py, in an environment of what it needs, pinned with hashes.
# Usage: scripts/wheels.sh wheels|dist [PLATFORM ...]
set -eu
cd "$(dirname "$0")/.."
environment=build/wheels/environment
requirements=scripts/wheels/requirements.txt
if ! cmp -s "$requirements" "$environment/.complete"; then
	rm -rf "$environment"
	"${PYTHON:-python3}" -m venv "$environment"
	"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
		--require-hashes -r "$requirements"
	cp "$requirements" "$environment/.complete"
fi
exec "$environment/bin/python" scripts/wheels/build.py "$@"
