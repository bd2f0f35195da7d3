# The front door. `make help` lists what can be asked for.
#
# A target that lacks Debian packages lists them, and then installs them with apt-get when it runs as root. Otherwise it prints the command.

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
export SWIFT

# Where Xen's source, its build and the dom0 are kept; absolute, because tests run elsewhere.
XSPLICE_RIG_CACHE ?= .cache
override XSPLICE_RIG_CACHE := $(abspath $(XSPLICE_RIG_CACHE))
export XSPLICE_RIG_CACHE

# Debian packages: to build the program; to get, build and boot a Xen; to check payloads with other people's tools.
BUILD_PACKAGES := gcc g++ libc6-dev make pkg-config git ca-certificates libelf-dev libdw-dev libgit2-dev zlib1g-dev libzydis-dev
RIG_PACKAGES := gcc make binutils flex bison bc patch python3 dpkg-dev xz-utils gzip qemu-system-x86
# The cross-compilers are for objects of ARM; the browser and the validator for the pages.
TEST_PACKAGES := cpio elfutils gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf chromium fonts-dejavu-core tidy netpbm poppler-utils
# Another compiler than the one that Debian 12 builds with, which a payload must not be built by; what else hypervisors are built with; what
# boots a Xen for ARM; a cluster of compilers; what makes system calls fail.
TEST_ALL_PACKAGES := gcc-11 clang-19 patchelf qemu-system-arm distcc strace
# What shows a terminal as a page.
PICTURE_PACKAGES := aha bsdutils
# What the program's own store of objects is measured beside.
BENCH_PACKAGES := ccache

# The program that people install, without any Swift library beside it.
RELEASE := $(SWIFT) build -c release --static-swift-stdlib

.DEFAULT_GOAL := all
# Each step uses all processors by itself, and two apt-get at once get in each other's way.
.NOTPARALLEL:
.PHONY: all help xsplice-build xen-rig install demo fmt lint check unit bench fuzz golden golden-update pictures reproduce torture headers test test-all check-installed clean packages-build packages-rig packages-bench packages-test packages-test-all

all: xsplice-build ## Build ./xsplice-build (the default)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

xsplice-build: packages-build
	@Scripts/require-swift.sh
	$(RELEASE) --product $@
	@install -m 755 "$$($(RELEASE) --show-bin-path)/$@" $@

# The developers' tool that gets and boots Xen.
xen-rig: packages-build packages-rig
	@Scripts/require-swift.sh
	$(RELEASE) --product $@

install: ## Install the program and its manual page (PREFIX=/usr/local DESTDIR=)
	@test -x xsplice-build || $(MAKE) xsplice-build
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 xsplice-build "$(DESTDIR)$(PREFIX)/bin/"
	@if [ -f Docs/xsplice-build.1 ]; then set -x; \
	  install -d "$(DESTDIR)$(PREFIX)/share/man/man1" && \
	  install -m 644 Docs/xsplice-build.1 "$(DESTDIR)$(PREFIX)/share/man/man1/"; fi

demo: xsplice-build xen-rig ## Patch a running Xen 4.17 under QEMU, from nothing
	@"$$($(RELEASE) --show-bin-path)/xen-rig" demo --xsplice-build ./xsplice-build

# What swift-format looks after.
SWIFT_SOURCES := Sources Tests Fuzz Package.swift

fmt: ## Format the sources, as .swift-format says
	@Scripts/require-swift.sh
	$(SWIFT) format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## Check the format of the sources; `make fmt` puts it right
	@Scripts/require-swift.sh
	$(SWIFT) format lint --strict --parallel --recursive $(SWIFT_SOURCES)

# What to run before each commit. `make golden GOLDEN=--small` is part of it, with the rig that is built here anyway.
check: export XSPLICE_STRICT := 1
check: packages-test lint xsplice-build ## Check format, warnings, and what the small fixtures come to
	$(SWIFT) build --build-tests
	@"$$($(SWIFT) build --show-bin-path)/xen-rig" golden --xsplice-build ./xsplice-build --small

unit: packages-build ## Run the unit tests only: no QEMU, no Xen, two minutes at most once built
	@Scripts/require-swift.sh
	$(SWIFT) build --build-tests
	@Scripts/unit-tests.sh

# The tests run the release program: it is what people install, and on real objects many times faster than a debug build.
# The tests themselves, and the rig that serves them, are a debug build, so that they may use @testable imports. One
# configuration for both does not work: the Testing library exists as a shared one only, the program is to have none.
# Measured from nothing, processor time: the release build 6:20 minutes, the debug build with all tests 5:35.
test: export XSPLICE_STRICT := 1
test: export XSPLICE_BUILD := $(CURDIR)/xsplice-build
test: check check-installed ## Run all tests: `make check`, unit, integration, and on a booted Xen
	@"$$($(SWIFT) build --show-bin-path)/xen-rig" dom0
	@"$$($(SWIFT) build --show-bin-path)/xen-rig" xen
	XSPLICE_BUILT_XEN="$$("$$($(SWIFT) build --show-bin-path)/xen-rig" xen | sed -n 's/^build *//p')/xen" \
	  $(SWIFT) test --skip-build --disable-xctest

# Debian's other releases of Xen come with their own compiler and dom0 from the archive, and need no more packages here. The tables of
# what works in which, and of what the loader answers, are written anew, and must say what the committed ones say.
test-all: export XSPLICE_TEST_ALL := 1
test-all: export XSPLICE_COMPATIBILITY := $(CURDIR)/Docs/Compatibility.md
test-all: export XSPLICE_LOADER_ANSWERS := $(CURDIR)/Docs/LoaderAnswers.md
test-all: export XSPLICE_LOADER_LIMITS := $(CURDIR)/Docs/LoaderLimits.md
test-all: packages-test-all test ## Run the tests that take long as well
	@for machine in x86_64 arm64 arm32; do \
	  "$$($(SWIFT) build --show-bin-path)/xen-rig" torture --xsplice-build ./xsplice-build --seed 20 --count 200 --architecture $$machine || exit; \
	done
	@"$$($(SWIFT) build --show-bin-path)/xen-rig" headers --xsplice-build ./xsplice-build --seed 23 --count 8

bench: packages-bench xsplice-build xen-rig ## Measure the program beside full builds of Xen, and write Docs/Performance.md
	@"$$($(RELEASE) --show-bin-path)/xen-rig" bench --xsplice-build ./xsplice-build

golden: packages-test xsplice-build xen-rig ## Compare what all fixtures come to with what was written down (GOLDEN=--small for the small trees)
	@"$$($(RELEASE) --show-bin-path)/xen-rig" golden --xsplice-build ./xsplice-build $(GOLDEN)

golden-update: packages-test xsplice-build xen-rig ## Write down anew what all fixtures come to
	@"$$($(RELEASE) --show-bin-path)/xen-rig" golden --xsplice-build ./xsplice-build --update $(GOLDEN)

pictures: packages-test xsplice-build xen-rig ## Make the pictures of the README anew
	@Scripts/install-packages.sh $(PICTURE_PACKAGES)
	@Scripts/pictures.sh ./xsplice-build "$$($(RELEASE) --show-bin-path)/xen-rig"

reproduce: xsplice-build xen-rig ## Build the same payloads under other conditions, and compare their bytes
	@"$$($(RELEASE) --show-bin-path)/xen-rig" reproduce --xsplice-build ./xsplice-build

# Another seed each time, unless TORTURE names one: TORTURE="--seed 7 --count 1000 --xen 4.17 --debug".
torture: packages-test xsplice-build xen-rig ## Try random patches whose right answer is known (TORTURE="--count 1000")
	@"$$($(RELEASE) --show-bin-path)/xen-rig" torture --xsplice-build ./xsplice-build $(TORTURE)

# Each change takes as long as compiling all objects that read the header.
headers: packages-test xsplice-build xen-rig ## Change headers at random, and see whether an object that differs is left out (HEADERS="--seed 7 --count 100")
	@"$$($(RELEASE) --show-bin-path)/xen-rig" headers --xsplice-build ./xsplice-build $(HEADERS)

# For each reader of foreign input. `make fuzz FUZZ_SECONDS=60 FUZZ_TARGETS=patch` for a short one.
FUZZ_SECONDS ?= 600
# Not with gold, which dies of it.
FUZZ_BUILD := XSPLICE_FUZZING=1 $(SWIFT) build -c release --product xsplice-fuzz --scratch-path .build/fuzz-build -Xswiftc -sanitize=fuzzer,address \
  -Xswiftc -Xclang-linker -Xswiftc -fuse-ld=lld
fuzz: packages-build ## Feed the readers of files from outside with damaged ones (ten minutes each)
	@Scripts/require-swift.sh
	$(FUZZ_BUILD)
	@Scripts/fuzz.sh "$$($(FUZZ_BUILD) --show-bin-path)/xsplice-fuzz" $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# What `make install` installs must run where there is no Swift.
check-installed: xsplice-build
	@$(MAKE) --no-print-directory install DESTDIR="$(CURDIR)/.build/installed" PREFIX=/usr
	@Scripts/check-libraries.sh .build/installed/usr/bin/xsplice-build

clean: ## Remove what was built (what was downloaded for the rig, in .cache, stays)
	rm -rf .build xsplice-build

packages-build:
	@Scripts/install-packages.sh $(BUILD_PACKAGES)

packages-rig:
	@Scripts/install-packages.sh $(BUILD_PACKAGES) $(RIG_PACKAGES)

packages-bench:
	@Scripts/install-packages.sh $(BENCH_PACKAGES)

packages-test-all:
	@Scripts/install-packages.sh $(TEST_ALL_PACKAGES)

packages-test:
	@Scripts/install-packages.sh $(BUILD_PACKAGES) $(RIG_PACKAGES) $(TEST_PACKAGES)
