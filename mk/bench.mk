# SPDX-License-Identifier: BSD-2-Clause
#
# make bench, early-costs: figures for people. make bench-check, bench-baseline: the gate.

.PHONY: bench bench-check bench-baseline early-costs

# The status is QEMU's, not tee's.
bench: image $(no-kernel) | need-qemu
	$(Q)$(call qemu-command,$(or $(MEM),3G),$(or $(BOOTARGS),bench=all records=all meta_poison=1)) </dev/null | tee $P/bench.log

# The boots whose figures are held against bench/baseline.txt: <memory> <boot arguments>. They are
# part of the baseline, and tests/boot/test_bench.py has them from there.
bench-boots := full tera
bench-boot-full := 3G bench=all records=all meta_poison=1
bench-boot-tera := 1T bench=none records=all meta_poison=1

BASELINE ?= bench/baseline.txt
bench-logs := $(bench-boots:%=$P/bench-check-%.log)

$(bench-logs): $P/bench-check-%.log: image $(no-kernel) FORCE | need-qemu
	$(say) BOOT "$(bench-boot-$*)"
	$(Q)$(call qemu-command,$(firstword $(bench-boot-$*)),$(wordlist 2,9,$(bench-boot-$*))) </dev/null >$@ || \
		{ tail -n 20 $@ >&2; exit 1; }

compare-bench = tools/bench-check --qemu '$(QEMU)' $(foreach b,$(bench-boots),--boot '$(bench-boot-$b)')

bench-check: $(bench-logs)
	@$(compare-bench) $(if $(filter-out 0,$(FORCE)),--force) $(BASELINE) $(bench-logs)

bench-baseline: $(bench-logs)
	@$(compare-bench) --update $(BASELINE) $(bench-logs)

# What the early allocators cost: the table of docs/memory-map.md.
early-args = bench=none records=all meta_poison=1 early=$1
define early-cost
@$(call qemu-command,$2,$(call early-args,$1)) </dev/null | awk -v kind=$1 -v mem=$2 -f mk/early-costs.awk

endef
early-costs: image $(no-kernel) | need-qemu
	@echo "| early=    |  RAM |     set-up | metadata | handover | own bytes |"
	@echo "| --------- | ---: | ---------: | -------: | -------: | --------: |"
	$(foreach m,64M 1G 64G,$(foreach k,memblock nobootmem bootmem,$(call early-cost,$k,$m)))
