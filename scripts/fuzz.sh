#!/usr/bin/env bash
# Runs every native fuzz target of the repository, one after the other, on one
# processor. What they find worth keeping stays in build/fuzz/corpus; an input that
# fails is written to the testdata/fuzz of its package, where go test runs it from then on.
# Usage: scripts/fuzz.sh [TIME a target, 30s by default] [TARGET...]
set -u
cd "$(dirname "$0")/.."
top=$PWD
each=${1:-30s}
shift $(($# ? 1 : 0))
mkdir -p build/fuzz/corpus
failed=0
targets=0
binary=
while IFS=: read -r file line; do
	target=${line#func }
	target=${target%%(*}
	package=$(dirname "$file")
	if [ $# -gt 0 ] && [[ " $* " != *" $target "* ]]; then
		continue
	fi
	if [ "$binary" != "$top/build/fuzz/${package//\//-}.test" ]; then
		binary=$top/build/fuzz/${package//\//-}.test
		go test -c -fuzz . -o "$binary" "./$package" || exit 1
	fi
	targets=$((targets + 1))
	times >build/fuzz/before
	# An input that is new is made small for a few runs only: a minute each, as is the
	# default, would be most of the time.
	if ! (cd "$package" && GOMAXPROCS=2 "$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$each" \
		-test.fuzzminimizetime 20x -test.parallel 1 -test.fuzzcachedir "$top/build/fuzz/corpus/$package") >build/fuzz/log 2>&1; then
		# On a busy machine a worker may be late at the end, which go takes for a failure.
		if grep -q 'context deadline exceeded' build/fuzz/log && ! grep -q 'Failing input' build/fuzz/log; then
			:
		else
			failed=$((failed + 1))
			cat build/fuzz/log
		fi
	fi
	times >build/fuzz/after
	# The second line is user and system time of children, as 0m0.000s.
	seconds=$(awk 'FNR == 2 { for (i = 1; i <= 2; i++) { split($i, t, "m"); s[FILENAME] += t[1] * 60 + t[2] } } END { print s[ARGV[2]] - s[ARGV[1]] }' build/fuzz/before build/fuzz/after)
	total=$(echo "${total:-0} $seconds" | awk '{ print $1 + $2 }')
	printf '%-28s %-20s %7.0f CPU s  %s\n' "$package" "$target" "$seconds" "$(grep -o 'execs: [0-9]*' build/fuzz/log | tail -1)"
done < <(git ls-files -co --exclude-standard '*_test.go' | sort | xargs grep -H '^func Fuzz')
printf '%d targets, %.0f CPU seconds, %d failed\n' "$targets" "${total:-0}" "$failed"
[ "$failed" = 0 ] && [ "$targets" -gt 0 ]
