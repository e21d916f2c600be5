#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: install_deps.sh build|check|coverage|model|bench|bench-all
# Installs the Debian packages that a purpose needs and that are missing, saying so first. Silent
# when nothing is missing. Packages that are only wished for (the peers of the benchmarks) may fail
# to install: then it goes on without them.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkgconf libuv1-dev libboost-context-dev libssl-dev
    libcurl4-openssl-dev libpopt-dev libjansson-dev libmicrohttpd-dev ca-certificates)
check=("${build[@]}" g++ gdb valgrind binutils libcmocka-dev clang-format clang-tidy universal-ctags
    shellcheck tmux)
coverage=("${check[@]}" gcovr)
model=(gcc libc6-dev spin)
bench=(gcc g++ libc6-dev cmake ninja-build pkgconf python3)
peers=(libtbb-dev libglib2.0-dev libuv1-dev cthreadpool-dev libthread-pool-dev libboost-dev clang
    libomp-dev python3-pebble golang-go python3-uvloop
    libssl-dev libcurl4-openssl-dev libpopt-dev libjansson-dev
    parallel aria2 curl python3-requests nginx-light make findutils openssl)
all_peers=("${peers[@]}" default-jdk-headless librust-rayon-dev librust-tokio-dev)
command -v cargo >/dev/null || [[ -x ~/.cargo/bin/cargo ]] || all_peers+=(cargo rustc)

wished=()
case ${1:-} in
build) wanted=("${build[@]}") ;;
check) wanted=("${check[@]}") ;;
coverage) wanted=("${coverage[@]}") ;;
model) wanted=("${model[@]}") ;;
bench) wanted=("${bench[@]}"); wished=("${peers[@]}") ;;
bench-all) wanted=("${bench[@]}"); wished=("${all_peers[@]}") ;;
*) echo "usage: $0 build|check|coverage|model|bench|bench-all" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: please see that these are here, by your system's names:"
    echo "    ${wanted[*]}"
    [[ ${#wished[@]} == 0 ]] || echo "and, as far as you like: ${wished[*]}"
    exit 0
fi

# missing PACKAGE...   those of them that are not installed
missing() {
    local package state
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [[ $state == installed* ]] || echo "$package"
    done
}

mapfile -t needed < <(missing "${wanted[@]}")
mapfile -t optional < <(missing "${wished[@]}")
[[ ${#needed[@]} -gt 0 || ${#optional[@]} -gt 0 ]] || exit 0

install=(apt-get install -y --no-install-recommends)
if [[ $(id -u) == 0 ]]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
    echo "Packages are missing, and only root can install them. Please run this, then try again:"
    echo "    sudo apt-get update && sudo ${install[*]} ${needed[*]} ${optional[*]}"
    [[ ${#needed[@]} -gt 0 ]] && exit 1
    exit 0 # goes without those that are only wished for
fi

# get PACKAGE...   once as things are, and once more with fresh lists
get() {
    local lists
    lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' 2>/dev/null | head -1)
    [[ $lists ]] && "${as_root[@]}" "${install[@]}" "$@" && return
    "${as_root[@]}" apt-get update && "${as_root[@]}" "${install[@]}" "$@"
}

if [[ ${#needed[@]} -gt 0 ]]; then
    echo "Installing what is missing: ${needed[*]}"
    get "${needed[@]}"
fi
if [[ ${#optional[@]} -gt 0 ]]; then
    echo "Installing peers to measure against: ${optional[*]}"
    get "${optional[@]}" || for package in "${optional[@]}"; do
        "${as_root[@]}" "${install[@]}" "$package" || echo "$package cannot be had: left out"
    done
fi
