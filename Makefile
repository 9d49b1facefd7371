# Thin names over the CMake presets and tools/: demo, test, check, bench, canaries, chaos, format.
.PHONY: help demo test check bench install deb canaries chaos format
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
MILLRACE := build/release/bin/millrace
ARGS ?=
PREFIX ?= /usr/local

help:
	@echo 'make demo      build the program and replay a day of Wikipedia edits (ARGS="--ui off")'
	@echo 'make test      build the tests and run them'
	@echo 'make check     the deep checks: sanitizers, simulation, page, canaries'
	@echo 'make bench     the benchmarks (ARGS="hashtags --json")'
	@echo 'make install   install the program, headers and libraries (PREFIX=/usr/local)'
	@echo 'make deb       make the Debian packages'
	@echo 'make canaries  plant each fault and see it caught'
	@echo 'make chaos     kill and damage the program for minutes; a table of what was lost (nothing)'
	@echo 'make format    format the C++ sources'

# The program alone: no tests, no Node. Ctrl-C ends the program, and make with it in peace.
demo: release
	@tools/foreground $(MILLRACE) demo $(ARGS)

bench: release
	@$(MILLRACE) bench $(ARGS)

.PHONY: release
release:
	@tools/bootstrap build
	@cmake --preset release > /dev/null
	@cmake --build --preset release -j $(JOBS) --target millrace_app

install: release
	@cmake --install build/release --prefix "$(PREFIX)" > build/install.log 2>&1 || { \
	  tail -n 2 build/install.log; echo 'To install for yourself alone: make install PREFIX=$$HOME/.local'; exit 1; }
	@echo "Millrace is installed under $(PREFIX)"

deb: release
	@cpack --config build/release/CPackConfig.cmake

test:
	@tools/bootstrap test
	@MILLRACE_JOBS=$(JOBS) tools/run_tests dev

check:
	@tools/bootstrap check
	@MILLRACE_JOBS=$(JOBS) tools/check/run

canaries:
	@tools/bootstrap test
	@MILLRACE_JOBS=$(JOBS) tools/canaries

chaos: release
	@tools/bootstrap check
	@MILLRACE_BIN=build/release/bin python3 tests/rig/rig.py --full $(ARGS)

format:
	@git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format-19 -i
