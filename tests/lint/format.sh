#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C and C++ file as clang-format writes it. Usage: format.sh REPOSITORY CLANG_FORMAT
cd "$1" || exit 2
files=$(git ls-files '*.c' '*.cc' '*.h' '*.cu' 2>/dev/null)
[ -n "$files" ] || { echo "not a git checkout: skipped"; exit 77; }
echo "$files" | xargs "$2" --dry-run -Werror
