#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: lint.sh [NAME...]    Runs the lints named (all of them without a name) and shows what
# each finds. A lint is a file of scripts/lint/ that prints what is wrong and then fails.
set -euo pipefail
cd "$(dirname "$0")/.."

names=("$@")
[[ $# -gt 0 ]] || names=(spdx layers docs size sleep parity shell format tidy)

failed=()
for name in "${names[@]}"; do
    if output=$("scripts/lint/$name.sh" 2>&1); then
        echo "lint $name: ok"
    else
        failed+=("$name")
        echo "lint $name: FAILED"
        echo "    ${output//$'\n'/$'\n'    }"
    fi
done
[[ ${#failed[@]} -eq 0 ]] || { echo "lint failed: ${failed[*]}"; exit 1; }
