#!/usr/bin/env bash
# Draws pages of the explorer and the report as an older commit had them and as they are now, side
# by side, of the example, into docs/figures/before-after-*.png. Needs a clone with its history,
# Chromium, and what make build needs. Usage: scripts/before-after.sh [COMMIT]
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commit=${1:-ce97bbe} # the pages before they were made again
work=$PWD/build/before-after
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
	echo "before-after: no Chromium on PATH; Debian's package chromium has it" >&2
	exit 1
}
mkdir -p "$work"
servers=()
# What is built and computed stays in build/before-after, for the next time.
trap 'for s in "${servers[@]}"; do kill "$s"; done 2>/dev/null' EXIT

if [ ! -e "$work/before/.git" ]; then
	git worktree prune
	git worktree add --force --detach "$work/before" "$commit"
	mkdir -p "$work/before/build"
	cp -a build/lib "$work/before/build/" # the tokenizer library, which takes minutes to make
fi
git -C "$work/before" checkout --quiet --detach "$commit"
(cd "$work/before" && make build && { [ -e demo.db ] || make demo; })
make build
[ -e "$work/demo.db" ] || bin/saedb --db "$work/demo.db" demo --example examples/smollm2-135m

# serve PROGRAM DATABASE [ARGUMENTS] starts the explorer and leaves its address in $address.
serve() {
	local log=$work/serve.log
	: >"$log"
	"$1" --db "$2" serve --listen 127.0.0.1:0 "${@:3}" >"$log" 2>&1 &
	servers+=($!)
	for _ in $(seq 100); do
		address=$(grep -o 'http://127.0.0.1:[0-9]*' "$log") && return
		sleep 0.1
	done
	echo "before-after: $1 did not begin to serve: $(cat "$log")" >&2
	exit 1
}
serve "$work/before/bin/saedb" "$work/before/demo.db"
before=$address
serve bin/saedb "$work/demo.db" --no-notes
after=$address

shoot() { # FILE SIZE ADDRESS
	"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$2" --virtual-time-budget=20000 \
		--user-data-dir="$work/profile" --screenshot="$1" "$3" 2>"$work/chromium.log" || {
		cat "$work/chromium.log" >&2
		exit 1
	}
}
pair() { # NAME SIZE BEFORE AFTER
	shoot "$work/left.png" "$2" "$3"
	shoot "$work/right.png" "$2" "$4"
	go run ./scripts/beside "$work/left.png" "$work/right.png" "docs/figures/before-after-$1.png"
}
sae=smollm2-demo/blocks.29.hook_resid_pre
pair feature 1000,1300 "$before/#/feature?release=${sae%/*}&sae=${sae#*/}&feature=1328" "$after/#/feature?sae=$sae&feature=1328"
# The token ")", to which its link in a feature's page led: by its text before, by its id now.
pair token 1000,800 "$before/#/features?token=)" "$after/#/token?id=25"
pair set 1000,800 "$before/#/set?set=letter_g" "$after/#/set?set=letter_g"
pair phone 500,900 "$before/#/features" "$after/#/features"
pair report 1000,1300 "file://$work/before/demo-report.html" "file://$work/demo-report.html"
