#!/usr/bin/env bash
# Runs the tests of internal/compute for 64-bit ARM under qemu, and with them the
# NEON kernel. Without a cross compiler or qemu it says so and succeeds.
# On Debian: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
# Usage: scripts/test-neon.sh [-test.run REGEXP ...]
set -eu
cd "$(dirname "$0")/.."
compiler=${AARCH64_CC:-aarch64-linux-gnu-gcc}
for tool in "$compiler" qemu-aarch64-static; do
	if ! command -v "$tool" >/dev/null; then
		echo "test-neon: skipped: $tool is not installed"
		exit 0
	fi
done
program=build/compute-arm64.test
mkdir -p build
GOOS=linux GOARCH=arm64 CGO_ENABLED=1 CC=$compiler go test -c \
	-ldflags '-linkmode external -extldflags -static' -o "$program" ./internal/compute
cd internal/compute
# The golden figures take the emulator many minutes, and test no more of the kernel.
exec qemu-aarch64-static "../../$program" -test.timeout 20m -test.skip '^TestGolden$' "$@"
