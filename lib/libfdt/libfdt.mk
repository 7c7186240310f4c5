# SPDX-License-Identifier: BSD-2-Clause
#
# libfdt for the image: libfdt.a and its headers in $(LIBFDT_DIR), fetched by ./setup as Debian's
# binary package. A libfdt/ folder of dtc's source tree, built for riscv64, does as well.

LIBFDT := $(LIBFDT_DIR)/libfdt.a
libfdt-needed-target := $(LIBFDT)

$(DEPS)/libfdt/libfdt.a $(DEPS)/opensbi/fw_jump.bin:
	@echo "make: $@ is missing: run ./setup" >&2; exit 1

ifneq ($(LIBFDT_DIR),$(DEPS)/libfdt)
$(LIBFDT):
	@echo "make: there is no $@: check LIBFDT_DIR=, or leave it out and run ./setup" >&2; exit 1
endif
