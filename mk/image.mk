# SPDX-License-Identifier: BSD-2-Clause
#
# The image: libearlymm.a, payload.elf, payload-image (raw, with a RISC-V Image header), payload.bin.

include lib/libfdt/libfdt.mk
include firmware/firmware.mk

P := $(O)/$(PLATFORM)
load-address := $(or $($(PLATFORM)-load-address),$(error PLATFORM=$(PLATFORM): there is no platform/$(PLATFORM)/platform.mk; there are: $(boards)))
fdt-address := $(or $($(PLATFORM)-fdt-address),0)

$(eval $(call compile-rules,target,$P))
include mk/hot.mk

mm-target := $(addprefix $P/obj/mm/,$(mm-objs))
rest-target := $(addprefix $P/obj/payload/,$(payload-objs)) $(boards:%=$P/obj/platform/%/board.o) \
	$(addprefix $P/obj/dt/,$(dt-objs)) $(addprefix $P/obj/bench/,$(bench-objs)) $P/hot-zb.o

linker-script := payload/payload.lds
ldflags := $(picolibc-cflags) -nostartfiles -static -T $(linker-script) -Wl,--gc-sections \
	-Wl,--fatal-warnings -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	-Wl,--emit-relocs -L $P -Wl,--defsym=LOAD_ADDRESS=$(load-address) -Wl,--defsym=FDT_ADDRESS=$(fdt-address)

# What only the boot needs, as patterns of the linker script: <folder>/x.o, of the archive for mm.
init-patterns = $(foreach o,$(init-objs),$(if $(filter mm/%,$o),*libearlymm.a:$(notdir $o),*/$o)($1))
$P/init-text.lds: FORCE
	$(call stamp,$(call init-patterns,.text .text.* .rodata .rodata.* .srodata .srodata.*))
$P/init-data.lds: FORCE
	$(call stamp,$(call init-patterns,.data .data.* .sdata .sdata.*))

.PHONY: image
image: $P/payload.bin $P/payload-image

$P/lists: FORCE
	$(call stamp,$(mm-objs) / $(rest-target) / $(ldflags) / $(LIBFDT))

$P/libearlymm.a: $(mm-target) $P/lists
	$(say) AR $(@:$(O)/%=%)
	@rm -f $@
	$(Q)$(CROSS_COMPILE)ar crD $@ $(mm-target)

# The compiler's multilib has picolibc for the base instruction set only; it is the same ABI.
$P/payload.elf: $P/libearlymm.a $(rest-target) $P/selftest.o $(LIBFDT) $(linker-script) $P/lists \
	$P/init-text.lds $P/init-data.lds mk/check-init
	$(say) LD $(@:$(O)/%=%)
	$(Q)$(TARGET_CC) $(filter-out -march=%,$(target-cflags)) -march=rv64imafdc_zicsr $(ldflags) \
		-Wl,-Map=$P/payload.map -o $@ $(rest-target) $P/selftest.o $P/libearlymm.a $(LIBFDT)
	$(Q)mk/check-init $(CROSS_COMPILE)readelf $@

$P/payload-image: $P/payload.elf
	$(say) OBJCOPY $(@:$(O)/%=%)
	$(Q)$(CROSS_COMPILE)objcopy -O binary $< $@

$P/firmware: FORCE
	$(call stamp,$(OPENSBI_FW))

$P/payload.bin: $(OPENSBI_FW) $P/payload-image $P/firmware
	$(call join-firmware,$(OPENSBI_FW),$P/payload-image)

# The same payload with the distribution's own, older OpenSBI, for tests.
distro-fw := $(wildcard /usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.bin)
ifneq ($(distro-fw),)
image-distro := $P/payload-distro.bin
$(image-distro): $(distro-fw) $P/payload-image
	$(call join-firmware,$(distro-fw),$P/payload-image)
endif

# Else gcc finds a memset in memset's loop, and calls it.
$P/obj/payload/string.o: private cflags-target += -fno-builtin -fno-tree-loop-distribute-patterns

# The version is asked of git at each make, and compiled into one small file.
version := $(shell git describe --always --dirty --abbrev=10 2>/dev/null || echo unversioned)
$P/version: FORCE
	$(call stamp,$(version))
$P/obj/payload/build_info.o: $P/version
$P/obj/payload/build_info.o: private cflags-target += -DBUILD_VERSION='"$(version)"' -DBUILD_OPT='"$(patsubst -%,%,$(OPT))"'
