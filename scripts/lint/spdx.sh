#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every source file and script opens with its licence: in the first line, or in the second after
# a line that only a tool reads.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

opening() {
    sed -nE -e '1{/^#!|^# shellcheck/!{p;q}}' -e '2p' -e '2q' "$1"
}

{
    sources 'c|h|cpp|sh|cmake|cmake\.in|py|pml' "${code[@]}" scripts cmake python model
    sources 'go|java|rs|toml' bench
    find . -name build -prune -o -name CMakeLists.txt -print
    find Makefile .ci/run src/LAYERS .clang-format .clang-tidy 2>/dev/null || true
} | {
    status=0
    while read -r file; do
        [[ $(opening "$file") == *"SPDX-License-Identifier: MIT"* ]] ||
            { echo "$file: does not open with SPDX-License-Identifier: MIT"; status=1; }
    done
    exit $status
}
