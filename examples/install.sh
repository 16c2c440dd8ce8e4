#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what Framelock needs from Debian 12's packages and builds the release preset.
# Idempotent: a second run changes nothing and takes seconds.
# Usage: examples/install.sh [--packages-only] [--with-tests] [--with-bench]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run_packages=(
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x
  fonts-dejavu-core curl ca-certificates)
build_packages=(
  g++ cmake ninja-build ccache pkg-config
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libboost-dev libcurl4-openssl-dev
  libwebsockets-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libcli11-dev libpng-dev)
test_packages=(
  git libgtest-dev libgmock-dev libbenchmark-dev clang-14 clang-format-14 clang-tidy-14
  libclang-rt-14-dev binutils procps python3 python3-websockets ffmpeg strace)
bench_packages=(python3-matplotlib)

packages_only=false
with_tests=false
with_bench=false
for argument in "$@"; do
  case $argument in
    --packages-only) packages_only=true ;;
    --with-tests) with_tests=true ;;
    --with-bench) with_bench=true ;;
    *) echo "usage: examples/install.sh [--packages-only] [--with-tests] [--with-bench]" >&2; exit 2 ;;
  esac
done

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

packages=("${run_packages[@]}" "${build_packages[@]}")
if $with_tests; then packages+=("${test_packages[@]}"); fi
if $with_bench; then packages+=("${bench_packages[@]}"); fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { echo "need root or sudo to install packages" >&2; exit 1; }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
else
  say "all packages are installed"
fi
if $packages_only; then exit 0; fi

say "building build/release (a first build takes some minutes)"
options=(-DFRAMELOCK_BUILD_TESTS=OFF)
if $with_tests; then options=(-DFRAMELOCK_BUILD_TESTS=ON); fi
configured=$(cmake --preset release "${options[@]}" 2>&1) || { echo "$configured"; exit 1; }
NINJA_STATUS='[%f/%t %es] ' cmake --build --preset release
