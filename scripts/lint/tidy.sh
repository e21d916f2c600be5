#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-tidy over the library and the command, compiled as in the dev preset (by gcc, some of
# whose warning options clang does not know).
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

cmake --preset dev >/dev/null
sources 'c' src cli | xargs -r -P 2 -n 2 clang-tidy --quiet -p build/dev \
    --warnings-as-errors='*' --extra-arg=-Wno-unknown-warning-option \
    2> >(grep -vE '^[0-9]+ warnings? generated\.$' >&2)
