# SPDX-License-Identifier: BSD-2-Clause
#
# earlymm. "make help" lists what can be made. The rules are in mk/, the lists of objects in each
# folder's objects.mk, what is special about a board in platform/<board>/platform.mk.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
# As many jobs as there are processors, unless -j says otherwise.
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS)),)
MAKEFLAGS += --jobs=$(shell nproc 2>/dev/null || echo 1)
endif
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# What may be set: on the command line, or in the environment where it says ?=.
PLATFORM := virt
O := build
V := 0
CROSS_COMPILE ?= riscv64-unknown-elf-
QEMU ?= qemu-system-riscv64
DEPS := build/deps
LIBFDT_DIR ?= $(DEPS)/libfdt
OPENSBI_FW ?= $(DEPS)/opensbi/fw_jump.bin

# Objects: a folder's objects.mk has a line "<folder>-objs += x.o" for each.
include $(wildcard $(addsuffix /objects.mk,mm dt bench payload))
boards := $(filter-out template,$(patsubst platform/%/platform.mk,%,$(wildcard platform/*/platform.mk)))
include $(addprefix platform/,$(addsuffix /platform.mk,$(boards)))

include mk/flags.mk
include mk/compile.mk
include mk/image.mk
include mk/host.mk
include mk/fuzz.mk
include mk/qemu.mk
include mk/bench.mk
include mk/selftest.mk
include mk/model.mk
include mk/stress.mk
include mk/scaling.mk
include mk/check.mk

.PHONY: all help clean distclean
all: image

help:
	@cat mk/help.txt

clean:
	$(Q)rm -rf $(addprefix $(O)/,$(boards) $(host-variants) $(fuzz-targets:%=fuzz-%) $(stress-folders) fuzz/seeds check tests model)

distclean: clean
	$(Q)rm -rf $(DEPS) compile_commands.json
	$(Q)rmdir $(O) 2>/dev/null || :
