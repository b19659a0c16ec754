# SPDX-License-Identifier: GPL-2.0-only
# xen-viommu: an emulated Intel VT-d for Xen HVM guests. `make help` lists all.

SHELL := /bin/sh
export XEN_SRC OUT PATCH

.PHONY: help setup build demo check check-unit check-fuzz check-model check-tools \
        check-build check-system bench shell series refresh clean distclean

help:
	@echo 'make demo          build, boot, and show a guest doing DMA through its vIOMMU'
	@echo 'make check         all tests:'
	@echo '  make check-build   CONFIG_VIOMMU=y and =n build without warnings'
	@echo '  make check-unit    the emulation in user space (seconds to minutes)'
	@echo '  make check-fuzz    the corpus, and some seconds of fuzzing'
	@echo '  make check-model   what the handshake of a sidecore allows (a minute)'
	@echo '  make check-tools   option parser, DMAR table, scripts'
	@echo '  make check-system  everything on the rig; JOBS_TO_RUN="..." for some'
	@echo 'make bench         what a unit costs, on the rig: out/bench/report.html;'
	@echo '                   BENCH="configs=pt+trap-strict workloads=net-rr" for some'
	@echo 'make setup         the Debian trees and the source of Xen, under out/'
	@echo 'make build         the patched hypervisor and tools'
	@echo 'make shell         the rig, booted, with a console to type at'
	@echo 'make series        out/series/: patches for git am on Xen'
	@echo 'make refresh       write hooks edited in out/xen back to patches/'
	@echo '                   (PATCH=NAME for a file that no patch touches yet)'
	@echo 'make clean         remove out/; make distclean: downloads and ccache too'
	@echo
	@echo 'XEN_SRC=DIR takes your own Xen 4.20 tree instead of the Debian source.'

setup:
	@scripts/tree build-tree trixie scripts/build-tree.packages
	@scripts/tree dom0-tree trixie tests/rig/dom0.packages
	@scripts/xen-src

build: setup
	@scripts/xen-hooks apply
	@scripts/xen-build hv y
	@scripts/xen-build tools

demo: build
	@tests/demo

check: build
	@tests/check

check-build: build
	@tests/build

check-unit: setup
	@tests/unit/run

check-fuzz: setup
	@tests/fuzz/run

check-model: setup
	@tests/model/run

check-tools: build
	@scripts/in-tree tests/tools/run

check-system: build
	@tests/ts/run $(JOBS_TO_RUN)

bench: build
	@tests/bench/run $(BENCH)

shell: build
	@tests/rig/boot --shell

series: setup
	@scripts/xen-hooks apply
	@scripts/xen-hooks series

refresh:
	@scripts/xen-hooks refresh

clean:
	rm -rf out

distclean: clean
	rm -rf "$${VIOMMU_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/xen-viommu}"
