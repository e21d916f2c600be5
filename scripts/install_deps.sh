#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: install_deps.sh build|check|coverage
# Installs the Debian packages that a purpose needs and that are missing, saying so first. Silent
# when nothing is missing.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkgconf libcurl4-openssl-dev libpopt-dev libmicrohttpd-dev
    ca-certificates)
check=("${build[@]}" g++ binutils libcmocka-dev clang-format clang-tidy universal-ctags shellcheck)
coverage=("${check[@]}" gcovr)

case ${1:-} in
build) wanted=("${build[@]}") ;;
check) wanted=("${check[@]}") ;;
coverage) wanted=("${coverage[@]}") ;;
*) echo "usage: $0 build|check|coverage" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: please see that these are here, by your system's names:"
    echo "    ${wanted[*]}"
    exit 0
fi

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $state == installed* ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [[ $(id -u) == 0 ]]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
    echo "Packages are missing, and only root can install them. Please run this, then try again:"
    echo "    sudo apt-get update && sudo ${install[*]}"
    exit 1
fi

echo "Installing what is missing: ${missing[*]}"
lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' 2>/dev/null | head -1)
if [[ -z $lists ]] || ! "${as_root[@]}" "${install[@]}"; then
    "${as_root[@]}" apt-get update
    "${as_root[@]}" "${install[@]}"
fi
