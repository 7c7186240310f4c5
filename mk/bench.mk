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

# Several harts in real time. make scale: repetitions in which one hart and more have their turns;
# the medians, and whether the core is ahead of the list buddy. The machine should do nothing else.
SCALE_HARTS ?= 2
SCALE_REPS ?= 20
SCALE_LEAST ?=
# What "make stress-boot" boots: harts, and steps of each in a repetition.
STRESS_BOOT_HARTS ?= 2 4 8
STRESS_BOOT_STEPS ?= 200000
STRESS_BOOT_REPS ?= 10

.PHONY: scale stress-boot $(STRESS_BOOT_HARTS:%=stress-boot-%)
scale: ICOUNT := 0
scale: smp = $(SCALE_HARTS)
scale: image $(no-kernel) | need-qemu
	$(Q)$(call qemu-command,$(or $(MEM),3G),bench=scale alloc=$(or $(SCALE_ALLOC),buddy-default$(comma)list) reps=$(SCALE_REPS) records=all) \
		</dev/null >$P/scale.log || { tail -n 20 $P/scale.log >&2; exit 1; }
	$(Q)tools/scale-report $(if $(SCALE_LEAST),--least $(SCALE_LEAST)) $P/scale.log

# One after the other: each has more harts than most hosts have processors.
stress-boot: image
	+$(Q)for harts in $(STRESS_BOOT_HARTS); do $(MAKE) --no-print-directory stress-boot-$$harts; done
$(STRESS_BOOT_HARTS:%=stress-boot-%): ICOUNT := 0
$(STRESS_BOOT_HARTS:%=stress-boot-%): smp = $*
$(STRESS_BOOT_HARTS:%=stress-boot-%): stress-boot-%: image $(no-kernel) | need-qemu
	$(say) BOOT "stress on $* harts"
	$(Q)$(call qemu-command,$(or $(MEM),1G),bench=stress reps=$(STRESS_BOOT_REPS) steps=$(STRESS_BOOT_STEPS) records=all) \
		</dev/null >$P/stress-boot-$*.log || { tail -n 20 $P/stress-boot-$*.log >&2; exit 1; }
	$(Q)grep -E '^stress: |^verified: ' $P/stress-boot-$*.log
