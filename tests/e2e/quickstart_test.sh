#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first command of the README, with --once: exits 0 only if every frame matched.
set -eu
cd "$(dirname "$0")/../.."
sheet=$(mktemp -d)
trap 'rm -rf "$sheet"' EXIT
FRAMELOCK_BIN=${FRAMELOCK_BIN:-} examples/quickstart.sh --once --no-install --sheet "$sheet/sheet.png"
test -s "$sheet/sheet.png"
