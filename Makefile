# SPDX-License-Identifier: GPL-2.0-only
# xen-viommu: an emulated Intel VT-d for Xen HVM guests. `make help` lists all.

SHELL := /bin/sh
export XEN_SRC OUT PATCH

.PHONY: help setup build setup-tests build-tests demo check check-quick check-long check-rig check-unit check-mutants check-linux check-bare check-threads check-fuzz check-model check-tools \
        check-build check-system bench bench-count bench-matrix module shell series refresh clean distclean

help:
	@echo 'make demo          build, boot, and show a guest doing DMA through its vIOMMU'
	@echo 'make check-quick   unit tests, a short fuzz, tools, and one job on the rig'
	@echo 'make check         all that is tested of each change:'
	@echo '  make check-build   CONFIG_VIOMMU=y and =n build without warnings'
	@echo '  make check-unit    the emulation in user space (seconds to minutes)'
	@echo '  make check-threads the emulation with threads, under ThreadSanitizer'
	@echo '  make check-linux   the bookkeeping of the Linux module, in user space'
	@echo '  make check-fuzz    the corpus, and some seconds of fuzzing'
	@echo '  make check-model   what the handshake of a sidecore allows (a minute)'
	@echo '  make check-tools   option parser, DMAR table, scripts'
	@echo '  make check-rig     what the scripts of the rig make of what goes wrong'
	@echo '  make check-system  everything on the rig; JOBS_TO_RUN="..." for some'
	@echo 'make check-long    the rest: seeded mistakes, and more jobs on the rig (hours)'
	@echo 'make bench         what a unit costs, on the rig: out/bench/report.html;'
	@echo '                   BENCH="configs=pt+trap-strict workloads=net-rr" for some'
	@echo 'make bench-count   instructions for each mapping, on the rig: out/bench/count.csv'
	@echo 'make bench-matrix  mapping strategies on bare metal, in trap mode and with a'
	@echo '                   sidecore, counted, and what that comes to on a line'
	@echo 'make setup         the Debian trees and the source of Xen, under out/'
	@echo 'make build         the patched hypervisor and tools'
	@echo 'make module        the Linux module for the kernels of the guests: out/linux/'
	@echo 'make device-model  QEMU with the patch that intremap=1 needs: out/qemu'
	@echo 'make shell         the rig, booted, with a console to type at'
	@echo 'make series        out/series/: patches for git am on Xen'
	@echo 'make refresh       write hooks edited in out/xen back to patches/'
	@echo '                   (PATCH=NAME for a file that no patch touches yet)'
	@echo 'make clean         remove out/; make distclean: downloads and ccache too'
	@echo
	@echo 'XEN_SRC=DIR takes your own tree of Xen, 4.20 or later, instead of the Debian source.'

# What can be made at the same time is; each step says what it is about. Tests
# need more in the build tree.
make := $(MAKE) --no-print-directory -j4
all := dom0-tree hypervisor tools images-of-guests

setup:
	@+$(make) dom0-tree xen-source

build:
	@+$(make) $(all)

setup-tests:
	@+$(make) TREE=all dom0-tree xen-source

build-tests:
	@+$(make) TREE=all $(all)

# What intremap=1 needs; nothing else does.
device-model: build-tree
	@scripts/qemu-build

.PHONY: device-model host build-tree dom0-tree xen-source hooks hypervisor tools images-of-guests

# Two trees at once cannot install what the host lacks.
host:
	@scripts/tree --host

build-tree: host
	@scripts/tree build-tree trixie scripts/build-tree.packages $(TREE)

dom0-tree: host
	@scripts/tree dom0-tree trixie tests/rig/dom0.packages

xen-source: build-tree
	@scripts/xen-src

hooks: xen-source
	@scripts/xen-hooks apply

hypervisor: hooks
	@scripts/xen-build hv y

tools: hooks
	@scripts/xen-build tools

images-of-guests: build-tree dom0-tree
	@tests/rig/images guests

demo:
	@tests/demo --plan
	@+$(make) $(all)
	@tests/demo

check: build-tests
	@tests/check

check-quick: build-tests
	@tests/check quick

check-long: build-tests
	@tests/check long

check-rig: build-tree
	@tests/rig/check

check-build: build-tests
	@tests/build

check-unit: setup-tests
	@tests/unit/run

check-mutants: setup-tests
	@scripts/in-tree make -s -C tests/unit check-mutants
	@tests/linux/run mutants

check-linux: setup-tests
	@tests/linux/run

check-bare: build-tests
	@tests/linux/bare-metal 6.12 6.1 next

check-threads: setup-tests
	@tests/threads/run

check-fuzz: setup-tests
	@tests/fuzz/run

check-model: setup-tests
	@tests/model/run

check-tools: build-tests
	@scripts/in-tree tests/tools/run

check-system: build-tests
	@tests/ts/run $(JOBS_TO_RUN)

bench: build-tests
	@tests/bench/run $(BENCH)

bench-count: build-tests
	@tests/bench/count/run $(BENCH)

bench-matrix: build-tests
	@tests/bench/matrix $(BENCH)

module: build-tree dom0-tree
	@tests/rig/images guests modules

shell: build
	@tests/rig/boot --shell

series: xen-source
	@scripts/xen-series

refresh:
	@scripts/xen-hooks refresh

clean:
	rm -rf out

distclean: clean
	rm -rf "$${VIOMMU_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/xen-viommu}"
