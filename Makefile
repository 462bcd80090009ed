# The commands of this repository. `make demo` and `make test` also do the set-up that is missing on Debian 12 or 13.
# Everything is written below build/, .venv/ and the file polypath.db; tools/packages.txt lists what apt installs.
SHELL := /bin/bash
export CCACHE_DIR := $(CURDIR)/build/ccache

.DEFAULT_GOAL := help
.PHONY: help demo test build bench fuzz python clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo:  ## install what is missing, build, run the main job and show its result (first time: minutes)
	@tools/setup build
	@tools/build release polypath
	@tools/demo

test:  ## install what is missing, build, run every test; this is what CI runs
	@tools/setup build test
	@tools/test

build:  ## the release build, whole: build/release
	@tools/setup build
	@tools/build release

bench:  ## the benchmarks, with their figures
	@tools/setup build
	@tools/bench

fuzz:  ## the libFuzzer targets: build/fuzz
	@tools/setup build fuzz
	@tools/fuzz

python:  ## the Python package, as it lies here, and its pinned tools in .venv
	@tools/setup build python
	@tools/python

clean:  ## remove build/ (the installed packages and .venv stay)
	@rm -rf build
