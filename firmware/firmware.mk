# SPDX-License-Identifier: BSD-2-Clause
#
# OpenSBI and the payload in one file. fw_jump.bin of the generic platform loads at the start of
# RAM, puts the device tree at a fixed address and jumps to 2 MiB above its start: so, padded to
# 2 MiB and followed by the payload, it is a complete firmware.

firmware-size := 0x200000

ifneq ($(OPENSBI_FW),$(DEPS)/opensbi/fw_jump.bin)
$(OPENSBI_FW):
	@echo "make: there is no $@: check OPENSBI_FW=, or leave it out and run ./setup" >&2; exit 1
endif

# $(call join-firmware,<fw_jump.bin>,<payload>): recipe
define join-firmware
$(say) FW $(@:$(O)/%=%)
@test $$(stat -L -c %s $1) -le $$(($(firmware-size))) || { echo "make: $1 is larger than $(firmware-size) bytes" >&2; exit 1; }
$(Q)dd if=$1 of=$@.tmp bs=$$(($(firmware-size))) conv=sync status=none
$(Q)cat $2 >>$@.tmp
$(Q)mv $@.tmp $@
endef
