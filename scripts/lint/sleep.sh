#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests wait for what they wait for, by gates and the fake clock; they never sleep and hope.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

sources 'c|h|cpp' tests/unit tests/contract tests/stress tests/fault tests/cxx |
    xargs -r awk '/(^|[^A-Za-z0-9_])(u|nano|clock_nano|thrd_)?sleep *\(/ {
        print FILENAME ":" FNR ": sleeps: " $0; bad = 1 } END { exit bad }'
