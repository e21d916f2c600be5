#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: check.sh BUILD_DIR
# Installs the build into an empty prefix and builds a program of another project against it in
# every way that users have: pkg-config and CMake, shared and static, C and C++; and one with TLS and
# one with HTTP, if these were built. Runs each.
set -euo pipefail

build=$1
here=$(realpath "$(dirname "$0")")
cmake=${CMAKE:-cmake}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() {
    echo "-- $1"
    shift
    "$@" || { echo "failed: $*"; exit 1; }
}

# The program must say so, and must need libsillon.so exactly when it was linked with it.
runs() {
    local kind=$1 program=$2
    [[ $("$program") == 144 ]] || { echo "$program does not print 144"; return 1; }
    local needs=static
    if readelf -d "$program" | grep -q 'NEEDED.*libsillon\.so\.0'; then
        needs=shared
    fi
    [[ $needs == "$kind" ]] || { echo "$program is $needs, not $kind"; return 1; }
}

# A moved prefix: nothing may depend on where the tree was installed first.
"$cmake" --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/prefix"
pc=$(find "$work/prefix" -name sillon.pc)
libdir=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*} LD_LIBRARY_PATH=$libdir
unset ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

read -ra shared_flags <<<"$(pkg-config --cflags --libs sillon)"
read -ra static_flags <<<"$(pkg-config --static --cflags --libs sillon)"
step "pkg-config, shared" "${CC:-cc}" -o "$work/pc-shared" "$here/consumer.c" "${shared_flags[@]}"
runs shared "$work/pc-shared"
step "pkg-config, static" "${CC:-cc}" -static -o "$work/pc-static" "$here/consumer.c" \
    "${static_flags[@]}"
runs static "$work/pc-static"
step "pkg-config, C++" "${CXX:-c++}" -std=c++17 -o "$work/pc-cxx" "$here/consumer.cpp" \
    "${shared_flags[@]}"
runs shared "$work/pc-cxx"
if readelf -d "$libdir/libsillon.so" | grep 'NEEDED.*lib\(ssl\|crypto\|curl\)'; then
    echo "libsillon needs OpenSSL or libcurl"
    exit 1
fi

tls=
if [[ -f ${pc%.pc}-tls.pc ]]; then
    tls=yes
    read -ra shared_flags <<<"$(pkg-config --cflags --libs sillon-tls)"
    read -ra static_flags <<<"$(pkg-config --static --cflags --libs sillon-tls)"
    step "pkg-config, TLS, shared" "${CC:-cc}" -o "$work/pc-tls-shared" "$here/consumer_tls.c" \
        "${shared_flags[@]}"
    runs shared "$work/pc-tls-shared"
    # The linker's warnings: what a static OpenSSL looks up at run time needs a shared glibc.
    step "pkg-config, TLS, static" "${CC:-cc}" -static -o "$work/pc-tls-static" \
        "$here/consumer_tls.c" "${static_flags[@]}"
    runs static "$work/pc-tls-static"
fi

http=
if [[ -f ${pc%.pc}-http.pc ]]; then
    http=yes
    read -ra shared_flags <<<"$(pkg-config --cflags --libs sillon-http)"
    step "pkg-config, HTTP, shared" "${CC:-cc}" -o "$work/pc-http-shared" "$here/consumer_http.c" \
        "${shared_flags[@]}"
    runs shared "$work/pc-http-shared"
    # Only ours: not all that Debian's libcurl is linked with is there for static programs.
    read -ra static_flags <<<"$(pkg-config --static --libs sillon | tr ' ' '\n' |
        grep -v -- '-lsillon' | tr '\n' ' ') $(pkg-config --cflags --libs libcurl)"
    step "pkg-config, HTTP, static" "${CC:-cc}" -o "$work/pc-http-static" "$here/consumer_http.c" \
        "-I$work/prefix/include" "$libdir/libsillon-http.a" "$libdir/libsillon.a" \
        "${static_flags[@]}"
    runs static "$work/pc-http-static"
fi

unset PKG_CONFIG_PATH LD_LIBRARY_PATH
step "find_package: configure" "$cmake" -S "$here" -B "$work/cmake" \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="${CC:-cc}" \
    -DCMAKE_CXX_COMPILER="${CXX:-c++}" >/dev/null
step "find_package: build" "$cmake" --build "$work/cmake" >/dev/null
runs shared "$work/cmake/consumer_shared"
runs static "$work/cmake/consumer_static"
runs shared "$work/cmake/consumer_cxx"
if [[ $tls ]]; then
    runs shared "$work/cmake/consumer_tls_shared"
    runs static "$work/cmake/consumer_tls_static"
fi
if [[ $http ]]; then
    runs shared "$work/cmake/consumer_http_shared"
    runs static "$work/cmake/consumer_http_static"
fi

if [[ -x $work/prefix/bin/sillon ]]; then
    step "the installed command finds its library" "$work/prefix/bin/sillon" --version
fi
