#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each public header compiles alone, and twice, as strict C17 and as C++17, without a warning;
# version.h says the version that CMake says (in $VERSION).
set -euo pipefail

include=$(realpath "$(dirname "$0")/../../include")
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only -I "$include")
status=0

cd "$include"
for header in sillon/*.h; do
    twice="#include <$header>"$'\n'"#include <$header>"$'\n'"int not_empty;"
    "${CC:-cc}" -std=c17 "${warnings[@]}" -Wstrict-prototypes -x c - <<<"$twice" ||
        { echo "$header: not C17 by itself"; status=1; }
    "${CXX:-c++}" -std=c++17 "${warnings[@]}" -x c++ - <<<"$twice" ||
        { echo "$header: not C++17 by itself"; status=1; }
done

macros=(SIL_VERSION_MAJOR SIL_VERSION_MINOR SIL_VERSION_PATCH)
written=$(for macro in "${macros[@]}"; do
    sed -nE "s/^#define $macro ([0-9]+)$/\1/p" sillon/version.h
done | paste -sd.)
if [[ $written != "$VERSION" ]]; then
    echo "include/sillon/version.h says $written, CMakeLists.txt says $VERSION"
    status=1
fi
exit $status
