#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks every tracked text file: SPDX line, no tabs in C++, no trailing blanks, no invisible
# Unicode, no path of a machine; sources and headers within their sizes; only the agreed top level.
# Usage: text.sh REPOSITORY
cd "$1" || exit 2
git rev-parse --git-dir >/dev/null 2>&1 || { echo "not a git checkout: skipped"; exit 77; }
failed=0
fail() { echo "$1"; failed=1; }

code=$(git ls-files '*.c' '*.cc' '*.h' '*.cu' '*.py' '*.sh' '*.cmake' '*CMakeLists.txt' .clang-format .clang-tidy .ci/run)
for file in $code; do
  head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || fail "$file: no SPDX line"
done
for file in $(git ls-files '*.c' '*.cc' '*.h' '*.cu'); do
  lines=$(wc -l <"$file")
  case $file in
    tests/*) limit=1000 ;;
    *.h) limit=150 ;;
    *) limit=500 ;;
  esac
  [ "$lines" -le "$limit" ] || fail "$file: $lines lines, at most $limit"
done
tab=$(printf '\t')
found=$(git grep -nI "$tab" -- '*.c' '*.cc' '*.h' '*.cu' '*.cmake' '*.py'); [ -z "$found" ] || fail "tabs: $found"
found=$(git grep -nIE '[[:space:]]+$' -- $code '*.md' '*.yaml' | head -n 5); [ -z "$found" ] || fail "trailing blanks: $found"
found=$(git grep -nIP '[\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}\x{FEFF}]' -- . ':!tests/golden' | head -n 5); [ -z "$found" ] || fail "invisible Unicode: $found"
found=$(git grep -nIE '(^|[^[:alnum:]])/(home|root|work|Users)/' -- . ':!tests/lint/text.sh' | head -n 5); [ -z "$found" ] || fail "path of a machine: $found"
extra=$(git ls-files | cut -d/ -f1 | sort -u | grep -vxE 'CMakeLists\.txt|CMakePresets\.json|LICENSE|README\.md|pipeline|plugins|trickle|workers|api|examples|tests|\..*')
[ -z "$extra" ] || fail "not agreed at top level: $extra"
exit $failed
