#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: readme_check.sh BUILD_DIR
# The code that the documents show is code that runs. Checks that
#   - the first C block of README.md is examples/01_hello.c without its head comment, compiles as
#     printed against the library in BUILD_DIR, and prints the block that follows it;
#   - every other C block of README.md and docs/guide.md stands in an example, word for word but
#     for the indentation.
set -euo pipefail

[[ $# -eq 1 && -f ${1:-}/CMakeCache.txt ]] || { echo "usage: $0 BUILD_DIR" >&2; exit 2; }
build=$(realpath "$1")
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "readme_check: $*" >&2
    exit 1
}

cached() {
    sed -nE "s/^$1:[A-Z]+=//p" "$build/CMakeCache.txt"
}

# blocks LANGUAGE FILE PREFIX   writes each fenced block of that language to PREFIX1, PREFIX2...
blocks() {
    awk -v opening="\`\`\`$1" -v prefix="$3" '
        $0 == "```" && inside { inside = 0; close(file); next }
        inside { print > file }
        $0 == opening && !inside { inside = 1; file = prefix (++count); printf "" > file }' "$2"
}

# Without indentation, all on one line: a block shown by itself stands further left.
flat() {
    sed -E 's/^[[:space:]]+//' "$@" | tr '\n' '\1'
}

blocks c README.md "$scratch/readme."
blocks text README.md "$scratch/output."
[[ -f $scratch/readme.1 && -f $scratch/output.1 ]] ||
    fail "README.md needs a C block and a text block with its output"

awk 'body; /^ \*\/$/ { body = 1 }' examples/01_hello.c | diff -u - "$scratch/readme.1" ||
    fail "the first C block of README.md is not the text of examples/01_hello.c"

compile=("$(cached CMAKE_C_COMPILER)" -std=c17 -Wall -Wextra -Werror -Iinclude -x c)
sanitizer=$(cached SILLON_SANITIZE)
[[ -z $sanitizer ]] || compile+=("-fsanitize=$sanitizer")
"${compile[@]}" "$scratch/readme.1" -o "$scratch/readme" \
    -L"$build/src" -Wl,-rpath,"$build/src" -lsillon
"$scratch/readme" | diff -u "$scratch/output.1" - ||
    fail "the program in README.md does not print what README.md says"

if [[ -f docs/guide.md ]]; then
    blocks c docs/guide.md "$scratch/guide."
fi
for example in examples/*.c; do
    flat "$example" >"$scratch/$(basename "$example").flat"
done
for block in "$scratch"/readme.[0-9]* "$scratch"/guide.[0-9]*; do
    [[ -f $block && $block != "$scratch/readme.1" ]] || continue
    found=
    for example in "$scratch"/*.flat; do
        [[ $(<"$example") != *"$(flat "$block")"* ]] || found=yes
    done
    [[ -n $found ]] || fail "this block stands in no example:"$'\n'"$(<"$block")"
done
