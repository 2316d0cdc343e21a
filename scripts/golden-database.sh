#!/usr/bin/env bash
# Makes a small database, with everything computed, by saedb as it was at a revision or as
# it is now, and keeps it as test/testdata/databases/schema-N.db.gz, N being the version of
# its schema: what that saedb wrote must be read for ever. Run it when a version of the
# schema is released, and not again.
# Usage: scripts/golden-database.sh [REVISION]
set -eu
cd "$(dirname "$0")/.."
top=$PWD
# A database records where its files were: a path that says nothing of this machine.
files=/tmp/saedb-golden
work=$(mktemp -d)
trap 'rm -rf "$work" "$files"' EXIT
source=$top
if [ $# -gt 0 ]; then
	source=$work/source
	mkdir -p "$source/build"
	git archive "$1" | tar -x -C "$source"
	ln -s "$top/build/lib" "$source/build/lib"
fi
(cd "$source" && go build -o "$work/saedb" ./cmd/saedb)
go run ./bench/shape -out "$files" -d-model 16 -vocab 300 -features 40
saedb() { "$work/saedb" --db "$work/new.db" "$@"; }
saedb load model "$files/model" --name small
known=
if saedb load sae --help | grep -q neuronpedia-id; then
	known="--neuronpedia-id gpt2-shape/8-res"
fi
# shellcheck disable=SC2086
saedb load sae "$files/blocks.8.hook_resid_pre" --release golden $known
saedb load sets --family regex
if saedb load --help | grep -q explanations; then
	echo '{"modelId":"gpt2-shape","layer":"8-res","index":"3","description":"threes","explanationModelName":"by hand","typeName":"test"}' >"$files/explanations.jsonl"
	saedb load explanations "$files/explanations.jsonl"
	saedb sql "INSERT INTO user_token_sets SELECT 'small', 'a third', range FROM range(0, 300, 3)"
fi
saedb compute
version=$(saedb sql --format csv "SELECT version FROM stored_schema" | tail -1)
gzip -9n <"$work/new.db" >"test/testdata/databases/schema-$version.db.gz"
ls -l "test/testdata/databases/schema-$version.db.gz"
