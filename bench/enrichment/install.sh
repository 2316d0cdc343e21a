#!/usr/bin/env bash
# Installs what weighted enrichment is measured against, GSEApy and blitzGSEA, into
# the virtual environment build/gsea. A second run finds the stamp and does nothing.
# Usage: bench/enrichment/install.sh [PYTHON]
set -euo pipefail

packages=(
	gseapy==1.3.1
	blitzgsea==1.3.54
)

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${1:-python3}
environment=build/gsea
stamp=$environment/installed
wanted="${packages[*]} $("$python" --version)"
if [ -f "$stamp" ] && [ "$(<"$stamp")" = "$wanted" ]; then
	exit 0
fi

echo "installing ${packages[*]} into $environment"
rm -rf "$environment"
"$python" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
# Only after everything is there: an interrupted installation starts again.
"$environment/bin/python" -c 'import blitzgsea, gseapy'
printf '%s\n' "$wanted" >"$stamp"
