#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything that must hold before a change is handed in, in this order: the lints, then build and
# tests under each preset. Stops at the first step that fails and says which.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    local name=$1 started=$SECONDS
    shift
    echo "== $name"
    "$@" || { echo "== $name: FAILED after $((SECONDS - started)) s"; exit 1; }
    summary+="$name $((SECONDS - started)) s, "
    echo "== $name: ok, $((SECONDS - started)) s"
}
summary=

configure() {
    cmake --preset "$1" >/dev/null # errors go to stderr
}

step "lint" scripts/lint.sh
for preset in dev tsan release; do
    step "$preset: configure" configure "$preset"
    step "$preset: build" cmake --build --preset "$preset" -- --quiet
    [[ $preset == release ]] || step "$preset: test" ctest --preset "$preset"
done

# Last, with nothing printed after it, so that the output ends with CTest's own summary.
echo "== so far: ${summary%, }"
echo "== release: test"
ctest --preset release || { echo "== release: test: FAILED"; exit 1; }
