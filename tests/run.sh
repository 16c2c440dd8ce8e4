#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs, builds and runs the tests. One command, from a fresh clone, Debian 12 packages only.
# Usage: tests/run.sh                 all tests on the release build: lint, unit, integration, e2e
#        tests/run.sh asan | tsan     unit and integration tests under the sanitizers
#        tests/run.sh fuzz [SECONDS]  every fuzz target (60 s each)
#        tests/run.sh tidy            clang-tidy over all sources
#        tests/run.sh full            e2e tests in their long form
#        tests/run.sh bench [OUT] [OPTION...]
#                                     every benchmark; table and plots into OUT, build/bench-results
#                                     by default. --update-readme puts them into README.md as well;
#                                     other options go to framelock-bench, e.g. --quick
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=${1:-all}

case $mode in
  all)
    examples/install.sh --with-tests
    echo "== compiling every header alone"
    cmake --preset release -DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON >/dev/null
    cmake --build --preset release --target all_verify_interface_header_sets
    ctest --preset release
    ;;
  full)
    examples/install.sh --with-tests
    FRAMELOCK_E2E_LONG=1 ctest --preset release -L e2e --timeout 1800
    ;;
  asan | tsan)
    examples/install.sh --with-tests --packages-only
    cmake --preset "$mode"
    cmake --build --preset "$mode"
    ctest --preset "$mode"
    ;;
  tidy)
    examples/install.sh --with-tests --packages-only
    cmake --preset dev
    # A finding is an error (.clang-tidy), and xargs ends with 123 after one.
    git ls-files 'pipeline/*.cc' 'plugins/*.cc' 'trickle/*.cc' 'workers/*.cc' 'api/*.cc' |
      xargs -P "$(nproc)" -n 1 timeout 600 clang-tidy-14 -p build/dev --quiet \
        2> >(grep -vE '^[0-9]+ warnings generated\.$' >&2)
    echo "clang-tidy: clean"
    ;;
  fuzz)
    seconds=${2:-60}
    examples/install.sh --with-tests --packages-only
    cmake --preset fuzz
    cmake --build --preset fuzz
    mkdir -p build/fuzz/corpus
    fuzz() {
      target=$1
      seconds=$2
      name=$(basename "$target")
      mkdir -p "build/fuzz/corpus/$name"
      folders=("build/fuzz/corpus/$name")
      if [ -d "tests/fuzz/corpus/$name" ]; then folders+=("tests/fuzz/corpus/$name"); fi
      verdict=clean
      "$target" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/corpus/$name-" "${folders[@]}" >"build/fuzz/$name.log" 2>&1 ||
        verdict=FOUND
      runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
      echo "$name: $verdict, $runs runs in $seconds s"
      if [ $verdict = FOUND ]; then tail -n 40 "build/fuzz/$name.log"; return 1; fi
    }
    export -f fuzz
    printf '%s\n' build/fuzz/bin/fuzz/*_fuzzer |
      xargs -P "$(nproc)" -I{} bash -c 'fuzz "$@"' fuzz {} "$seconds"
    ;;
  bench)
    shift
    out=build/bench-results
    if [ $# -gt 0 ] && [[ $1 != -* ]]; then out=$1 && shift; fi
    options=()
    readme=()
    for option in "$@"; do
      case $option in
        --update-readme) readme=(--update-readme README.md --readme-plots tests/bench/results) ;;
        *) options+=("$option") ;;
      esac
    done
    examples/install.sh --with-tests --with-bench
    export GST_PLUGIN_PATH=$PWD/build/release/lib/gstreamer-1.0
    measured=0
    build/release/bin/framelock-bench all --out "$out" --commit "$(git describe --always --dirty)" \
      ${options[@]+"${options[@]}"} || measured=$?
    /usr/bin/python3 -B tests/bench/render_results.py "$out" ${readme[@]+"${readme[@]}"}
    exit $measured
    ;;
  *)
    sed -n '3,12p' "$0"
    exit 2
    ;;
esac
