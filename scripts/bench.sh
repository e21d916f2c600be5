#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: bench.sh [--all] [OPTION...]      (make bench, make bench-all)
# Builds the benchmarks in build/bench ($BENCH_BUILD names another place), the library as the
# release preset does, and runs them: bench/run.py tells the options. A peer that is not installed,
# or does not build, is left out with a word.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${BENCH_BUILD:-build/bench}
started=$SECONDS

echo "building sillon and the C and C++ peers in $build ..."
cmake --preset release -B "$build" -DSILLON_TESTS=OFF -DSILLON_CLI=OFF -DSILLON_EXAMPLES=OFF \
    -DSILLON_WERROR=OFF -DSILLON_BENCH=ON >/dev/null
if ! cmake --build "$build" -- --quiet -k 0; then
    [[ -x $build/bench/bench_sillon ]] || { echo "bench: our own program does not build"; exit 1; }
    echo "some peers did not build; going on without them"
fi

if [[ " $* " == *" --all "* ]]; then
    targets=$(cmake --build "$build" --target help)
    for language in go java rust; do
        [[ $targets == *"bench_$language:"* ]] || continue
        echo "building the peers in $language ..."
        cmake --build "$build" --target "bench_$language" >"$build/bench_$language.log" 2>&1 ||
            { tail -5 "$build/bench_$language.log"; echo "it did not build; going on without"; }
    done
fi
echo "built in $((SECONDS - started)) s"

exec python3 bench/run.py --build "$build" "$@"
