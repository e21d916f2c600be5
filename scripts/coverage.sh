#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests counting which lines of the library and the command they reach.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset coverage >/dev/null
cmake --build --preset coverage
find build/coverage -name '*.gcda' -delete # what an earlier run counted
ctest --preset coverage
mkdir -p build/coverage/report
gcovr --root . --filter src/ --filter cli/ --exclude-unreachable-branches \
    --html-details build/coverage/report/index.html --print-summary build/coverage
