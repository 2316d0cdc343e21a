#!/usr/bin/env bash
# Installs Chromium, which the tests drive the pages with, where continuous
# integration runs as root on Debian and has none. Elsewhere the tests that need it
# are skipped when it is missing, and say so.
set -eu
for name in chromium chromium-browser google-chrome; do
	command -v "$name" >/dev/null && exit 0
done
if [ "${CI:-}" != true ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "browser: no Chromium on PATH: the tests that drive pages will be skipped" >&2
	exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null
