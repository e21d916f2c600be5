#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Code is laid out as clang-format would: `make format` does it.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

sources 'c|h|cpp' "${code[@]}" |
    xargs -r clang-format --style="file:$repository/.clang-format" --dry-run -Werror 2>&1 |
    sed -n 's/: error: .*/: not laid out as `make format` does/p'
