#!/usr/bin/env bash
# Installs Chromium and Firefox, which the tests drive the pages with, where continuous
# integration runs as root on Debian and lacks them. Elsewhere the tests that need one
# are skipped when it is missing, and say so.
set -eu

# installed tells whether a program of one of these names is on PATH.
installed() {
	for name in "$@"; do
		command -v "$name" >/dev/null && return
	done
	return 1
}

missing=()
installed chromium chromium-browser google-chrome || missing+=(chromium)
installed firefox-esr firefox || missing+=(firefox-esr)
[ ${#missing[@]} != 0 ] || exit 0
if [ "${CI:-}" != true ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "browser: not on PATH: ${missing[*]}; the tests that drive pages with it will be skipped" >&2
	exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" fonts-dejavu-core >/dev/null
