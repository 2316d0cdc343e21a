#!/usr/bin/env bash
# Tries the wheel for 64-bit ARM under an emulator: the program loads a layer of the example,
# and DuckDB's own shell for ARM loads the extension and computes a feature of it. Needs make
# wheels before, and Debian's qemu-user-static, libc6-dev-arm64-cross and libstdc++6-arm64-cross.
# Usage: scripts/wheels-arm64.sh
set -eu
cd "$(dirname "$0")/.."
example=$PWD/examples/smollm2-135m
try=$PWD/build/wheels/arm64
rm -rf "$try"
mkdir -p "$try"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --platform manylinux2014_aarch64 \
	--dest "$try" duckdb-cli==1.5.6
for wheel in "$try"/duckdb_cli-*.whl build/wheels/out/saedb-*-manylinux*_aarch64.whl; do
	python3 -m zipfile -e "$wheel" "$try"
done
cd "$try"
chmod +x duckdb_cli/duckdb saedb_program/bin/saedb
emulated() { qemu-aarch64-static -L /usr/aarch64-linux-gnu "$@"; }
saedb() { emulated saedb_program/bin/saedb --db arm.db "$@"; }
saedb version
saedb load model "$example/SmolLM2-135M-Instruct.unembedding.gguf" --name smollm2-135m
saedb load sae "$example/saes/blocks.29.hook_resid_pre" --release smollm2-demo
emulated duckdb_cli/duckdb -csv -noheader -unsigned -readonly arm.db -c "LOAD 'saedb/saedb.duckdb_extension'" \
	-c "SELECT kernel, feature, round((logit_stats(w_dec, 'smollm2-135m')).skewness, 2) FROM decoder_directions, saedb_about() WHERE feature = 1328" |
	tee answer.csv
grep -q '^neon,1328,4.21' answer.csv
echo "wheels-arm64: the wheel for 64-bit ARM works under QEMU"
