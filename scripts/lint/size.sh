#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No file over 600 lines, no function over 60, no example over 60.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

findings() {
    { sources 'c|h|cpp' "${code[@]}"; sources 'go|java|py|rs' bench; } | xargs -r awk '
        FNR == 601 { print FILENAME ": more than 600 lines" }
        FNR == 61 && FILENAME ~ /^examples\// { print FILENAME ": an example of more than 60 lines" }'
    sources 'c|h|cpp' "${code[@]}" |
        xargs -r ctags -x --c-kinds=f --c++-kinds=f --_xformat='%{end} %n %F %N' |
        awk '$1 - $2 + 1 > 60 { print $3 ":" $2 ": " $4 " has " $1 - $2 + 1 " lines, 60 are allowed" }'
}

found=$(findings)
[[ -z $found ]] || { echo "$found"; exit 1; }
