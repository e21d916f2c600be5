#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: check.sh PROGRAM
# Runs the program under valgrind, which is to find nothing. 77, skipped: there is no valgrind.
set -euo pipefail

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: skipped"
    exit 77
fi
exec valgrind -q --error-exitcode=99 --fair-sched=yes --leak-check=full \
    --errors-for-leak-kinds=definite,indirect,possible "$1"
