# SPDX-License-Identifier: BSD-2-Clause
#
# Compilers and flags. A variant is a compiler with its flags: target (the image), host-gcc and
# host-clang (unit tests), and those of "make check". A layer is the folder a source is in.

HOST_GCC ?= gcc
HOST_CLANG ?= clang
TARGET_CC := $(CROSS_COMPILE)gcc
OPT ?= -O2

warnings := -Wall -Wextra -Wconversion -Wmissing-prototypes -Wvla -Werror
common-cflags := -std=gnu11 $(warnings) -g -fno-common

# rv64gc, as every board has; A=_zba_zbb_zbs adds extensions.
A ?=
target-march := rv64imafdc_zicsr$(A)
target-cflags := -march=$(target-march) -mabi=lp64d -mcmodel=medany -ffreestanding \
	-ffunction-sections -fdata-sections -fno-stack-protector -gdwarf
picolibc-cflags := --specs=picolibc.specs -DPICOLIBC_INTEGER_PRINTF_SCANF

# What a layer may include. mm/ sees nothing but the compiler's own headers besides.
include-mm := -Iinclude
include-dt := -Iinclude -Idt
include-bench := -Iinclude -Ibench
include-payload := -Iinclude -Idt -Ibench -Ipayload
include-platform := -Iinclude -Idt -Ipayload
include-tests := -Iinclude -Imm -Idt -Ibench -Ipayload -Itests/unit -Itests/phase

# Layers that use libfdt, and layers that do without a C library.
libfdt-layers := dt payload platform tests
bare-layers := mm

# $(call layer-cflags,<variant>,<layer>): a variant says where its libfdt and its libc are.
layer-cflags = $(include-$2) $(if $(filter $2,$(libfdt-layers)),$(libfdt-cflags-$1)) \
	$(if $(filter $2,$(bare-layers)),-ffreestanding -nostdinc $(compiler-headers-$1),$(libc-cflags-$1))

gcc-headers = -isystem $(shell $1 -print-file-name=include 2>/dev/null)
clang-headers = -isystem $(shell $1 -print-resource-dir 2>/dev/null)/include

cc-target := $(TARGET_CC)
cflags-target := $(common-cflags) $(OPT) $(target-cflags)
libc-cflags-target := $(picolibc-cflags)
libfdt-cflags-target := -isystem $(LIBFDT_DIR)
compiler-headers-target = $(call gcc-headers,$(TARGET_CC))
need-more-target = @test -e "$$($(TARGET_CC) -print-file-name=picolibc.specs)" || \
	{ echo "make: picolibc for $(TARGET_CC) is missing: run ./setup" >&2; exit 1; }

sanitizers := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
host-cflags := $(common-cflags) -O1 $(sanitizers)

need-host-headers = @echo '\#include <libfdt.h>' | $1 -E -include stdarg.h -include stddef.h -include stdint.h \
	-include setjmp.h -include cmocka.h -o /dev/null - 2>/dev/null || \
	{ echo "make: headers of cmocka or libfdt are missing: run ./setup" >&2; exit 1; }

cc-host-gcc := $(HOST_GCC)
cflags-host-gcc := $(host-cflags)
compiler-headers-host-gcc = $(call gcc-headers,$(HOST_GCC))
need-more-host-gcc = $(call need-host-headers,$(HOST_GCC))

cc-host-clang := $(HOST_CLANG)
# At -O1 clang does not unroll, and warns of loops that ask for it.
cflags-host-clang := $(host-cflags) -Wno-pass-failed
compiler-headers-host-clang = $(call clang-headers,$(HOST_CLANG))
need-more-host-clang = $(call need-host-headers,$(HOST_CLANG))
