#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each lint lets a good small tree pass and catches the fault it is there for.
set -euo pipefail

lints=$(realpath "$(dirname "$0")/../../scripts/lint")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LINT_ROOT=$work
status=0

# put FILE LINE...   a file that opens as it should, then these lines
put() {
    local file=$work/$1 opening='/* SPDX-License-Identifier: MIT */'
    shift
    case $file in
    *.sh) opening=$'#!/usr/bin/env bash\n# SPDX-License-Identifier: MIT' ;;
    */LAYERS) opening='# SPDX-License-Identifier: MIT' ;;
    esac
    mkdir -p "${file%/*}"
    printf '%s\n' "$opening" "$@" >"$file"
}

# What the parity lint looks at: the counts, and a row.
rows_of_1=('| rows | covered | different | n/a |' '|---|---|---|---|' '| 1 | 1 | 0 | 0 |')
row='| `test_a` | A. | `tests/unit/low/test_x.c: test_is_there` |'

good_tree() {
    rm -rf "${work:?}"/*
    put src/LAYERS 'low:' 'high: low' 'other: low'
    put include/sillon/x.h '/** @threads any */' 'SIL_API int sil_x(void);'
    put src/low/x.h 'int sil__low(void);'
    put src/high/x.c '#include <sillon/x.h>' '' '#include "low/x.h"'
    put tests/support/gate.h 'void gate(void);'
    put tests/unit/low/test_x.c 'SCENARIO(is_there)' '{' '}'
    put docs/asyncio-parity.md "${rows_of_1[@]}" "$row"
    put tests/contract/x.c '#include "support/gate.h"'
    put scripts/x.sh 'set -euo pipefail' 'true'
}

# catches LINT WHAT FILE LINE...   after the good tree gets this file, the lint fails and names it
catches() {
    local lint=$1 what=$2 file=$3 output
    shift 3
    good_tree
    if ! output=$("$lints/$lint.sh" 2>&1); then
        echo "$lint does not let a good tree pass: $output"
        status=1
    fi
    put "$file" "$@"
    if output=$("$lints/$lint.sh" 2>&1); then
        echo "$lint does not catch: $what"
        status=1
    elif [[ $output != *"${file##*/}"* ]]; then
        echo "$lint catches $what, but does not name $file: $output"
        status=1
    fi
}

catches layers "a low layer that includes a high one" src/low/x.c '#include "high/x.h"'
catches layers "two engines that include each other" src/other/x.c '#include "high/x.h"'
catches layers "an include without its layer" src/high/y.c '#include "x.h"'
catches layers "a folder that LAYERS does not name" src/elsewhere/x.c 'int x;'
catches layers "a source outside the layers" src/x.c 'int x;'
catches layers "a .c file included" src/high/y.c '#include "low/x.c"'
catches layers "the command that looks inside" cli/main.c '#include "low/x.h"'
catches layers "a public header that looks inside" include/sillon/y.h '#include "low/x.h"'
catches layers "a contract test that looks inside" tests/contract/y.c '#include "../../src/low/x.h"'

mapfile -t lines < <(yes 'int x;' | head -600)
catches size "a file of 601 lines" src/low/long.c "${lines[@]}"
catches size "an example of 61 lines" examples/01_long.c "${lines[@]:0:60}"
mapfile -t lines < <(yes '    x();' | head -59)
catches size "a function of 62 lines" src/low/long.c 'void f(void)' '{' "${lines[@]}" '}'

catches docs "a function without a comment" include/sillon/y.h 'SIL_API int sil_y(void);'
catches docs "a comment without @threads" include/sillon/y.h '/** Y. */' 'SIL_API int sil_y(void);'
catches docs "one comment for two functions" include/sillon/y.h '/** @threads any */' \
    'SIL_API int sil_y(void);' 'SIL_API int sil_z(void);'

parity=docs/asyncio-parity.md
catches parity "a test that is not there" $parity "${rows_of_1[@]}" "${row/is_there/is_gone}"
catches parity "a file that is not there" $parity "${rows_of_1[@]}" "${row/test_x/test_y}"
catches parity "a row that is not counted" $parity "${rows_of_1[@]}" "$row" "$row"
catches parity "a row of another kind" $parity "${rows_of_1[@]}" '| `test_b` | B. | n/a: no B |'

catches sleep "a test that sleeps" tests/unit/low/test_x.c 'void f(void) { usleep(10); }'
catches format "a line laid out badly" src/low/y.c 'int  f( void );'
catches shell "a word that splits" scripts/y.sh 'set -euo pipefail' 'rm $HOME/$1'
catches shell "a script that goes on after a failure" scripts/y.sh 'true'

good_tree
echo 'int x;' >"$work/src/low/bare.c"
if "$lints/spdx.sh" >/dev/null; then
    echo "spdx does not catch a file without a licence"
    status=1
fi
exit $status
