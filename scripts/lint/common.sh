# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Read by every lint: stands them in the tree to look at, and finds its files.
# $LINT_ROOT names another tree than this one; the tests of the lints use that.

repository=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
cd "${LINT_ROOT:-$repository}" || exit

# shellcheck disable=SC2034 # used by those that read this file
code=(include src cli examples bench tests)

# sources 'c|h' FOLDER...   our files with these endings, in those of the folders that exist
sources() {
    local endings=$1 folder folders=()
    shift
    for folder in "$@"; do
        [[ -d $folder ]] && folders+=("$folder")
    done
    [[ ${#folders[@]} -gt 0 ]] || return 0
    find "${folders[@]}" -type f -regextype posix-extended -regex ".*\.($endings)" | LC_ALL=C sort
}
