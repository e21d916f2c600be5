# SPDX-License-Identifier: MIT
# A thin face over the CMake presets: each target is a few commands you could type yourself.
.POSIX:
.PHONY: all check demo model bench bench-all lint format install coverage clean help

PREFIX = /usr/local
URLS =
BENCH =

## all: build the library, the command and the examples in build/release (the default)
all:
	@scripts/install_deps.sh build
	@cmake --preset release -DSILLON_TESTS=OFF >/dev/null
	@cmake --build --preset release -- --quiet

## check: every lint and every test, under the sanitizers too
check:
	@scripts/install_deps.sh check
	@scripts/check.sh

## demo: downloads 200 files at once and one by one, maps a command over them, draws a bench; URLS=file uses your list
demo: all
	@URLS="$(URLS)" SILLON=build/release/cli/sillon \
	    TEST_HTTP_SERVER=build/release/tests/test_http_server scripts/demo.sh

## model: check the models of the hard part, see model/README.md (2 minutes, 3 GiB)
model:
	@scripts/install_deps.sh model
	@scripts/model.sh

## bench: measure beside C and C++ peers and programs, in alternating runs (some 17 minutes); BENCH=options
bench:
	@scripts/install_deps.sh bench
	@scripts/bench.sh $(BENCH)

## bench-all: the same with Java, Rust, Go and Python too (some 25 minutes)
bench-all:
	@scripts/install_deps.sh bench-all
	@scripts/bench.sh --all $(BENCH)

## lint: the lints alone
lint:
	@scripts/install_deps.sh check
	@scripts/lint.sh

## format: lay out the code as clang-format would
format:
	@scripts/install_deps.sh check
	@scripts/format.sh

## install: install the release build under PREFIX (DESTDIR is honoured)
install: all
	@cmake --install build/release --prefix "$(PREFIX)"

## coverage: run the tests and write build/coverage/report/index.html
coverage:
	@scripts/install_deps.sh coverage
	@scripts/coverage.sh

## clean: remove build/
clean:
	@rm -rf build

## help: this list
help:
	@sed -n 's/^## /make /p' Makefile
