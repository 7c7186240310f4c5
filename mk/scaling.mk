# SPDX-License-Identifier: BSD-2-Clause
#
# make scaling: what a step of the churn needs on 1 to 256 harts, counted on a simulated machine
# (tests/scaling). mm/ is compiled as for ThreadSanitizer, but linked with that machine.

SCALING_HARTS ?= 256
# Cycles of an access with what is around it; more for an atomic operation; more for a transfer.
SCALING_COSTS ?= 2 20 100

cc-scaling := $(HOST_GCC)
cflags-scaling := $(common-cflags) -O2
compiler-headers-scaling = $(call gcc-headers,$(HOST_GCC))
$(eval $(call compile-rules,scaling,$(O)/scaling))

# Functions stay whole: a hook is a call, and what calls it has a frame.
scaling-watched := $(mm-objs:%=$(O)/scaling/obj/mm/%) $(O)/scaling/obj/tests/scaling/probe.o
$(scaling-watched): private cflags-scaling += -fsanitize=thread -Wno-tsan
scaling-objs := $(scaling-watched) $(addprefix $(O)/scaling/obj/,$(addprefix tests/scaling/,machine.o scaling.o) \
	$(addprefix bench/,alloc_api.o alloc_buddy.o alloc_list.o))

$(O)/scaling/lists: FORCE
	$(call stamp,$(scaling-objs))

$(O)/scaling/scaling: $(scaling-objs) $(O)/scaling/lists mk/scaling.mk
	$(say) LD scaling/scaling
	$(Q)$(cc-scaling) $(cflags-scaling) -o $@ $(filter %.o,$^)

# The machine's own test, among the programs of "make unit".
$(O)/scaling/tests/scaling: $(O)/scaling/scaling mk/scaling.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s test\n' '$<' >$@
	@chmod +x $@

unit-programs += $(O)/scaling/tests/scaling
test unit: $(O)/scaling/tests/scaling

.PHONY: scaling
scaling: $(O)/scaling/scaling
	@$< $(SCALING_HARTS) $(SCALING_COSTS)
