# Strait: `make demo` and `make test` each do everything on a fresh Debian 12 machine.
# Variables: JOBS=N (parallel jobs), CI=1 (warnings are errors), BUILD=DIR (default build/release),
# PREFIX=DIR (of make install, default /usr/local).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell env -u OMP_NUM_THREADS nproc)
BUILD ?= build/release
DEMO ?= build/demo
PREFIX ?= /usr/local
WERROR := $(if $(CI),ON,OFF)
LAUNCHER = $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
CONFIGURE = -DSTRAIT_WERROR=$(WERROR) $(LAUNCHER)
FULL = $(CONFIGURE) -DSTRAIT_BUILD_PYTHON=ON

TRAIN := $(BUILD)/training/strait-train
RD := $(BUILD)/bench/strait-rd
SOURCES = $(shell git ls-files '*.cc' '*.h')

.PHONY: help deps build test runtime-check install package demo asan tsan format clean

help:  ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

deps:  ## install missing Debian packages (cmake/packages.txt)
	@cmake/install_packages.sh

build: deps  ## configure and build everything
	cmake --preset release -B $(BUILD) $(FULL)
	cmake --build $(BUILD) -j $(JOBS)

test: build runtime-check  ## build and run every test
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) --timeout 600

# The runtime must configure, build, link and start where LibTorch and OpenCV are not to be found.
runtime-check: deps  ## build the runtime alone and check what it links
	cmake --preset runtime-only -B build/runtime-check $(CONFIGURE) -DSTRAIT_BUILD_TESTS=OFF -DSTRAIT_BUILD_BENCH=OFF --no-warn-unused-cli \
	  -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON -DCMAKE_DISABLE_FIND_PACKAGE_OpenCV=ON
	cmake --build build/runtime-check -j $(JOBS)
	build/runtime-check/codec/strait --version
	@readelf -d build/runtime-check/codec/strait > build/runtime-check/needed.txt
	@if grep -E 'torch|opencv' build/runtime-check/needed.txt; then \
	  echo 'runtime-check: strait links what the runtime must not' >&2; exit 1; fi

install: build  ## install everything to PREFIX
	cmake --install $(BUILD) --prefix $(PREFIX)

package: build  ## build the Debian packages in BUILD
	cd $(BUILD) && cpack -G DEB

demo: build  ## train a small network and a unit on shapes, print and plot the rate-distortion curve
	@mkdir -p $(DEMO)
	@rm -rf $(DEMO)/strait
	@test -s $(DEMO)/backbone.pt || $(TRAIN) backbone --out $(DEMO)/backbone.pt
	$(TRAIN) run training/recipes/shapes.toml --set backbone.file=$(DEMO)/backbone.pt --out $(DEMO)/strait
	$(RD) $(DEMO)/strait --baselines raw,f16,u8,jpeg,webp --csv $(DEMO)/rd.csv --plot $(DEMO)/rd.svg
	@echo "table: $(DEMO)/rd.csv; plot: $(DEMO)/rd.svg and $(DEMO)/rd.png; model: $(DEMO)/strait/model.strait"

asan: deps  ## build the runtime and its tests with sanitizers and run them
	cmake --preset asan-ubsan $(CONFIGURE)
	cmake --build --preset asan-ubsan -j $(JOBS)
	ctest --preset asan-ubsan -j $(JOBS)

tsan: deps  ## build the runtime and its tests with ThreadSanitizer and run them
	cmake --preset tsan $(CONFIGURE)
	cmake --build --preset tsan -j $(JOBS)
	ctest --preset tsan -j $(JOBS)

format:  ## run clang-format over all sources
	clang-format -i $(SOURCES)

clean:  ## remove everything that was built, trained networks of the demo included
	rm -rf build
