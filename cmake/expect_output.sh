#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: expect_output.sh EXPECTED COMMAND...    Fails unless COMMAND ends with 0 and prints EXPECTED.
set -euo pipefail

expected=$1
shift
actual=$(mktemp)
trap 'rm -f "$actual"' EXIT

"$@" >"$actual"
diff -u --label expected --label printed "$expected" "$actual"
