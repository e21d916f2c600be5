#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who may include whom: src/ by src/LAYERS; everything that stands for a user of the library
# (include, cli, examples, bench, tests/contract, tests/cxx) no header of src/; nobody a .c file.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

# "file line header", for each include written with quotes
quoted_includes() {
    sources 'c|h|cpp' "$@" |
        xargs -r awk 'match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
            split($0, part, "\""); print FILENAME, FNR, part[2] }'
}

findings() {
    sources 'c|h' src | awk -F/ '
        FILENAME == "src/LAYERS" { if (/^[a-z]+:/) known[substr($0, 1, index($0, ":") - 1)]; next }
        NF < 3 || !($2 in known) { print $0 ": not in a folder that src/LAYERS names" }' src/LAYERS -

    quoted_includes src | awk '
        FILENAME == "src/LAYERS" {
            if (/^[a-z]+:/) {
                layer = $1; sub(":", "", layer)
                may[layer, layer]
                for (i = 2; i <= NF; i++) may[layer, $i]
            }
            next
        }
        {
            split($1, from, "/"); where = $1 ":" $2 ": "
            if (split($3, to, "/") != 2)
                print where "write \"layer/file.h\", not \"" $3 "\""
            else if (!((from[2], to[1]) in may))
                print where "src/LAYERS does not let " from[2] " include " to[1]
        }' src/LAYERS -

    # A user's own headers stand beside the user's own code: in its folder or at its top.
    quoted_includes include cli examples bench tests/contract tests/cxx |
        while read -r file line header; do
            case $file in
            tests/*) tops="${file%/*} tests tests/support" ;;
            *) tops="${file%/*} ${file%%/*}" ;;
            esac
            found=
            for top in $tops; do
                [[ $header != *..* && -f $top/$header ]] && found=yes
            done
            [[ $found ]] || echo "$file:$line: \"$header\" is not its own; use <sillon/...>"
        done

    quoted_includes "${code[@]}" | awk '$3 ~ /\.c$/ { print $1 ":" $2 ": includes a .c file" }'
}

found=$(findings)
[[ -z $found ]] || { echo "$found"; exit 1; }
