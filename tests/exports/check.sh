#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: check.sh LIBSILLON.SO LIBSILLON.A
#        check.sh LIBSILLON-TLS.SO LIBSILLON-TLS.A tls.h
#        check.sh LIBSILLON-HTTP.SO LIBSILLON-HTTP.A http.h
# The shared library exports exactly what its headers declare with SIL_API, all of it sil_ and
# never sil__; libsillon __libc_start_main, too, by which it takes programs over
# (src/process/takeover.h). The static library defines no global name outside sil_.
set -euo pipefail

shared=$1
static=$2
header=${3:-}
include=$(realpath "$(dirname "$0")/../../include")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# With comments and directives gone and a line for what stands between two of ; { }, a declaration
# is what follows SIL_API, and its name the first sil_word before a parenthesis.
for file in "$include/sillon/"${header:-*.h}; do
    [[ ! $header && $file == */@(tls|http).h ]] && continue # another library's
    "${CC:-cc}" -fpreprocessed -w -E -P "$file" | sed '/^ *#/d' | tr '\n' ' ' | tr ';{}' '\n' |
        awk 'sub(/.*SIL_API /, "") && match($0, /sil_[a-z0-9_]+ *\(/) {
                 name = substr($0, RSTART, RLENGTH - 1); sub(/ +$/, "", name); print name }'
done | LC_ALL=C sort >"$work/declared"

"${NM:-nm}" -D --defined-only "$shared" | awk '{print $NF}' | LC_ALL=C sort >"$work/all"
if [[ ! $header ]] && ! grep -qx __libc_start_main "$work/all"; then
    echo "__libc_start_main is not exported"
    status=1
fi
grep -vx __libc_start_main "$work/all" >"$work/exported" || true

if ! diff -u "$work/declared" "$work/exported"; then
    echo "above: - declared with SIL_API but not exported, + exported but not declared"
    status=1
fi
if grep -vE '^sil_[a-z]' "$work/exported"; then
    echo "above: exported, but not a public sil_ name"
    status=1
fi
if [[ ! -s $work/exported ]]; then
    echo "nothing is exported"
    status=1
fi
if "${NM:-nm}" -g --defined-only "$static" | awk 'NF == 3 && $3 !~ /^sil_/ {print $3; bad = 1}
                                                END {exit !bad}'; then
    echo "above: global in the static library, but not sil_ or sil__"
    status=1
fi
exit $status
