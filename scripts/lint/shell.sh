#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Our scripts give shellcheck nothing to say, and each stops at the first failing command.
set -euo pipefail
# shellcheck source=scripts/lint/common.sh
. "$(dirname "$0")/common.sh"

mapfile -t scripts < <(sources 'sh' scripts cmake "${code[@]}"; find .ci -name run 2>/dev/null)
[[ ${#scripts[@]} -gt 0 ]] || exit 0
shellcheck --source-path="$repository" "${scripts[@]}"

lax=$(grep -L 'set -euo pipefail' "${scripts[@]}" | grep -v 'lint/common.sh$' || true)
[[ -z $lax ]] || { echo "without set -euo pipefail: $lax"; exit 1; }
