#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Lays out all code as clang-format would.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/lint/common.sh"

sources 'c|h|cpp' "${code[@]}" | xargs -r clang-format --style=file -i
