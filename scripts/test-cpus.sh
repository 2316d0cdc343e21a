#!/usr/bin/env bash
# Runs the tests of the kernels and of the ranks on processors that this machine is not,
# under qemu: x86-64 without AVX, x86-64 with AVX2 and not AVX-512, and 64-bit ARM.
# What is not installed is left out, and said so.
# On Debian: apt-get install qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross
# The program's demo is not among it: DuckDB's part takes an emulator minutes, computing the
# example more than eight. In its place "documents" runs the commands of the documents on
# every kernel of this processor, whose output they show in digits that all kernels share.
# Usage: scripts/test-cpus.sh [NAME ...], of nehalem, haswell, arm64 and documents; the
# first three by default.
# With AUDIT=DURATION it runs the audit of the numbers there instead, for that long each.
set -eu
cd "$(dirname "$0")/.."
build=$PWD/build/cpus
mkdir -p "$build"
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}

# What takes an emulator minutes and tests no more of a kernel is left out: golden figures,
# wide shapes, large vocabularies.
compute='^TestSuite$/^(avx2|neon|portable)$/(12[789]|257|huge|denormal|zero|padding|equal|parallel|one_dimension|577)'
compute+='|^(TestFusedProducts|TestVisitChangesNothing|TestNativeShortlists|TestWeighEqualsDot)$|^TestNativeSums$/.*/one'
enrichment='^(TestMatrix|TestMember|TestScores|TestLeadingEdge|TestComplement|TestTies|TestAudit)|^TestRankIsAStableDescendingSort$/^[^o]'

# emulate EMULATOR CPU SUFFIX KERNEL runs both packages' tests, the audit with one kernel.
# qemu warns of features that it does not emulate and no test uses.
emulate() {
	local emulator=$1 cpu=$2 suffix=$3 kernel=$4
	if [ -n "${AUDIT:-}" ]; then
		(cd internal/enrichment && SAEDB_KERNEL=$kernel SAEDB_AUDIT=$AUDIT "$emulator" -cpu "$cpu" \
			"$build/enrichment$suffix" -test.timeout 0 -test.run '^TestAudit$' -test.v)
		return
	fi
	(cd internal/compute && "$emulator" -cpu "$cpu" "$build/compute$suffix" -test.timeout 20m -test.short -test.run "$compute")
	(cd internal/enrichment && SAEDB_KERNEL=$kernel "$emulator" -cpu "$cpu" "$build/enrichment$suffix" \
		-test.timeout 20m -test.short -test.run "$enrichment")
}

# missing NAME TOOL ... tells of tools that are not installed.
missing() {
	local name=$1 tool
	shift
	for tool; do
		if ! command -v "$tool" >/dev/null; then
			echo "test-cpus: $name skipped: $tool is not installed"
			return 0
		fi
	done
	return 1
}

x86() {
	local name=$1 cpu=$2 kernel=$3 suffix=-amd64.test
	if [ "$(go env GOARCH)" != amd64 ]; then
		echo "test-cpus: $name skipped: this machine compiles for $(go env GOARCH)"
		return
	fi
	! missing "$name" qemu-x86_64-static || return 0
	for package in compute enrichment; do
		go test -c -o "$build/$package$suffix" "./internal/$package"
	done
	echo "test-cpus: $name"
	emulate qemu-x86_64-static "$cpu" "$suffix" "$kernel"
}

arm64() {
	local suffix=-arm64.test
	! missing arm64 "$compiler" qemu-aarch64-static || return 0
	for package in compute enrichment; do
		GOOS=linux GOARCH=arm64 CGO_ENABLED=1 CC=$compiler go test -c \
			-ldflags '-linkmode external -extldflags -static' -o "$build/$package$suffix" "./internal/$package"
	done
	echo "test-cpus: arm64"
	emulate qemu-aarch64-static cortex-a72 "$suffix" neon
}

documents() {
	local kernel kernels='avx2 portable gonum'
	! grep -qw amx_bf16 /proc/cpuinfo || kernels="amx $kernels"
	for kernel in $kernels; do
		echo "test-cpus: documents on $kernel"
		SAEDB_KERNEL=$kernel go test ./test -count=1 -run '^TestReadme$'
	done
}

if [ $# = 0 ]; then
	set -- nehalem haswell arm64
fi
for name; do
	case $name in
	nehalem) x86 nehalem Nehalem portable ;;
	haswell) x86 haswell Haswell avx2 ;;
	arm64) arm64 ;;
	documents) documents ;;
	*)
		echo "test-cpus: expected nehalem, haswell, arm64 or documents, found $name" >&2
		exit 2
		;;
	esac
done
