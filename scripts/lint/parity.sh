#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docs/asyncio-parity.md names tests as `file: function`: each of them exists, and the counts at the
# top are those of its rows.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

document=docs/asyncio-parity.md
[[ -f $document ]] || exit 0

# The functions of a file, also those that a macro makes of SCENARIO(name).
tests_of() {
    [[ -f $1 ]] || return 0
    tr -d ' \n' <"$1" | grep -oE 'voidtest_\w+\(|SCENARIO\(\w+\)' |
        sed -E 's/^void(\w+)\($/\1/; s/^SCENARIO\((\w+)\)$/test_\1/'
}

missing() {
    grep -oE '`[a-z/_]+\.c: test_\w+`' "$document" | tr -d '`' | LC_ALL=C sort -u |
        while IFS=': ' read -r file name; do
            [[ $file == "${last:-}" ]] || known=$(tests_of "$file") last=$file
            grep -qx "$name" <<<"$known" || echo "$document: no $name in $file"
        done
}

# | `test_x` | behaviour | ours |   against   | rows | covered | different | n/a |
miscounted() {
    awk -F ' *[|] *' '
        told && told++ == 2 { stated = $2 " " $3 " " $4 " " $5 }
        /^\| rows / { told = 1 }
        /^\| `test_/ { rows++; kind[$4 ~ /^n\/a/ ? "n" : $4 ~ /^different/ ? "d" : $4 ~ /^`/ ? "c" : "?"]++ }
        END {
            counted = rows + 0 " " kind["c"] + 0 " " kind["d"] + 0 " " kind["n"] + 0
            if (counted != stated)
                print FILENAME ": it says " stated ", its rows are " counted
        }' "$document"
}

found=$(missing; miscounted)
[[ -z $found ]] || { echo "$found"; exit 1; }
