#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every public function has a comment of its own, with a line that says from which threads it may
# be called (@threads).
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

missing=$(sources 'h' include | xargs -r awk '
    FNR == 1 { comment = "" }
    /^\/\*\*/ { comment = ""; inside = 1 }
    inside { comment = comment $0 "\n"; if (/\*\//) inside = 0; next }
    /^SIL_API / {
        if (comment !~ /@threads /)
            print FILENAME ":" FNR ": no @threads in the comment above: " $0
        comment = ""
    }')
[[ -z $missing ]] || { echo "$missing"; exit 1; }
