# SPDX-License-Identifier: BSD-2-Clause
#
# make run, debug: the image in QEMU. What a machine needs is in platform/<board>/platform.mk.

MACHINE ?=
MEM ?=
SMP ?=
BOOTARGS ?=
DTB ?=
ICOUNT ?= 1
QEMU_ARGS ?=

# MACHINE=virt,aclint=on is board virt. A machine that is no board's gets no settings.
machine := $(or $(MACHINE),$($(PLATFORM)-machine))
comma := ,
board := $(firstword $(subst $(comma), ,$(machine)))
smp := $(or $(SMP),$($(board)-smp))

# QEMU refuses -append without -kernel; with -bios the payload ignores what that file holds.
no-kernel := $P/no-kernel
# Much RAM comes from a memfd that reserves nothing, so that it may exceed the host's.
is-much = $(filter %T %t,$1)$(filter-out 0 1 2 3 4 5 6 7 8,$(patsubst %G,%,$(filter %G,$1)))
memory-args = $(if $1,-m $1 $(if $(call is-much,$1),-object memory-backend-memfd$(comma)id=ram$(comma)size=$1$(comma)reserve=off))
machine-arg = $(machine)$(if $(call is-much,$1),$(comma)memory-backend=ram)

# $(call qemu-command,<memory>,<bootargs>)
qemu-command = $(QEMU) -M $(call machine-arg,$1) $(call memory-args,$1) $(if $(smp),-smp $(smp)) \
	-nographic -no-reboot -semihosting-config enable=on,target=native \
	$(if $(filter-out 0,$(ICOUNT)),$(if $($(board)-icount),-icount $($(board)-icount))) \
	-bios $P/payload.bin $(if $2,-kernel $(no-kernel) -append '$(subst ','\'',$2)') \
	$(if $(DTB),-dtb $(DTB)) $(QEMU_ARGS)

$(no-kernel):
	@mkdir -p $(@D)
	@echo "QEMU takes -append only with -kernel; nobody reads this." >$@

.PHONY: need-qemu run debug
need-qemu:
	$(call need-tool,$(QEMU))

# Without MEM: what platform.mk says, or else the machine's own default.
run: image $(no-kernel) | need-qemu
	$(Q)$(call qemu-command,$(or $(MEM),$($(board)-mem)),$(BOOTARGS))

GDB ?= gdb-multiarch
debug: image $(no-kernel) | need-qemu
	@echo "QEMU waits for gdb. In another terminal:"
	@echo "  $(GDB) $P/payload.elf -ex 'target remote :1234' -ex 'hbreak main' -ex continue"
	@echo "(watchpoints work; harts are threads; the first stop must be a hardware breakpoint)"
	$(Q)$(call qemu-command,$(MEM),$(BOOTARGS)) -s -S
