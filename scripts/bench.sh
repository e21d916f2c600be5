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

command=OFF # without what it needs, its tables are left out
pkg-config --exists popt jansson && command=ON

echo "building sillon and the C and C++ peers in $build ..."
cmake --preset release -B "$build" -DSILLON_TESTS=OFF "-DSILLON_CLI=$command" \
    -DSILLON_EXAMPLES=OFF -DSILLON_WERROR=OFF -DSILLON_BENCH=ON \
    "-DCMAKE_INSTALL_PREFIX=$(realpath -m "$build")/installed" >/dev/null
if ! cmake --build "$build" -- --quiet -k 0; then
    [[ -x $build/bench/bench_sillon ]] || { echo "bench: our own program does not build"; exit 1; }
    echo "some peers did not build; going on without them"
fi
# The command is measured as it is delivered.
cmake --install "$build" >/dev/null ||
    echo "it cannot be installed; going on without the command"

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
