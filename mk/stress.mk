# SPDX-License-Identifier: BSD-2-Clause
#
# Stress: several harts at random on one small buddy, with an owner for each page (tests/stress).
# Each radix is tried as threads under ThreadSanitizer (tsan), as threads with pauses at atomic
# operations (points), and as coroutines that change there by a seed, with store buffers (steps).
# "make test" runs them shortly, "make stress" long. Builds that have to fail show that faults are
# seen.

stress-radixes := 1 2 6
stress-levels-1 := 4
stress-levels-2 := 3
stress-levels-6 := 4

# Operations of a program in "make test", and how many times as many in "make stress".
stress-ops-tsan := 3400000
stress-ops-points := 1000000
stress-ops-steps := 300000
stress-ops-asan := 2000000
STRESS_FACTOR ?= 10

stress-driver-tsan := threads
stress-driver-points := threads
stress-driver-steps := steps
stress-driver-asan := threads

stress-objs = $(patsubst %,mm/%,$(filter buddy%,$(mm-objs))) mm/bitops.o mm/error.o \
	$(addprefix tests/stress/,arena.o worker.o test_stress.o $1.o)

stress-kind-flags = $(common-cflags) -O1 -Itests/stress -DBUDDY_RADIX_SHIFT=$1 -DBUDDY_LEVELS=$(stress-levels-$1)
stress-atomics := -DEARLYMM_ATOMIC_HEADER='"../tests/stress/atomic.h"'
# There a wait for others is slow, and they seldom run.
stress-flags-tsan := $(stress-atomics) -fsanitize=thread -Wno-pass-failed -DDRAIN_TURNS=32
stress-flags-points := $(stress-atomics) -DSTRESS_POINTS
stress-flags-steps := $(stress-flags-points)
stress-flags-asan := $(sanitizers)
stress-cc-tsan := $(HOST_CLANG)
stress-cc-points := $(HOST_GCC)
stress-cc-steps := $(HOST_GCC)
stress-cc-asan := $(HOST_GCC)
stress-host-tsan := host-clang
stress-host-points := host-gcc
stress-host-steps := host-gcc
stress-host-asan := host-gcc

# $(call stress-rules,<variant>,<kind>,<radix>,<more flags>)
define stress-rules
cc-$1 := $(stress-cc-$2)
cflags-$1 := $(call stress-kind-flags,$3) $(stress-flags-$2) -DSTRESS_OPS=$(stress-ops-$2) $4
compiler-headers-$1 = $$(compiler-headers-$(stress-host-$2))
need-more-$1 = $$(need-more-$(stress-host-$2))
$(call compile-rules,$1,$(O)/$1)

$(O)/$1/lists: FORCE
	$$(call stamp,$(call stress-objs,$(stress-driver-$2)))

$(O)/$1/tests/stress: $(addprefix $(O)/$1/obj/,$(call stress-objs,$(stress-driver-$2))) $(O)/$1/lists
	$$(say) LD $1/tests/stress
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$1) $$(cflags-$1) -o $$@ $$(filter %.o,$$^) -lcmocka -lpthread
endef

# The list buddy, whose lock is the place of all that harts share.
stress-ops-list := 800000
stress-list-objs := $(patsubst %,mm/%,$(filter list_buddy% memblock%,$(mm-objs))) mm/bitops.o mm/error.o \
	tests/stress/list.o

# $(call stress-list-rules,<variant>,<more flags>)
define stress-list-rules
cc-$1 := $(HOST_CLANG)
cflags-$1 := $(common-cflags) -O1 -Itests/stress $(stress-flags-tsan) -DLIST_DRAIN_TURNS=32 \
	-DSTRESS_OPS=$(stress-ops-list) $2
compiler-headers-$1 = $$(compiler-headers-host-clang)
need-more-$1 = $$(need-more-host-clang)
$(call compile-rules,$1,$(O)/$1)

$(O)/$1/lists: FORCE
	$$(call stamp,$(stress-list-objs))

$(O)/$1/tests/stress: $(addprefix $(O)/$1/obj/,$(stress-list-objs)) $(O)/$1/lists
	$$(say) LD $1/tests/stress
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$1) $$(cflags-$1) -o $$@ $$(filter %.o,$$^) -lcmocka -lpthread
endef
$(eval $(call stress-list-rules,stress-list-tsan,))

stress-variants := $(foreach k,tsan points steps,$(foreach r,$(stress-radixes),stress-$k-$r)) stress-asan-6
$(foreach k,tsan points steps,$(foreach r,$(stress-radixes),$(eval $(call stress-rules,stress-$k-$r,$k,$r))))
$(eval $(call stress-rules,stress-asan-6,asan,6))
stress-variants += stress-list-tsan
stress-programs := $(stress-variants:%=$(O)/%/tests/stress)

# The whole page allocator by several harts, as threads: stress-pages-tsan.
stress-ops-pages := 800000
stress-pages-objs := $(mm-objs:%=mm/%) tests/stress/pages.o \
	$(addprefix tests/unit/helper_,pages.o memblock.o memsim.o)
cc-stress-pages := $(HOST_CLANG)
cflags-stress-pages := $(common-cflags) -O1 -Itests/unit $(stress-flags-tsan) -DSTRESS_OPS=$(stress-ops-pages)
compiler-headers-stress-pages = $(compiler-headers-host-clang)
need-more-stress-pages = $(need-more-host-clang)
$(eval $(call compile-rules,stress-pages,$(O)/stress-pages))

$(O)/stress-pages/lists: FORCE
	$(call stamp,$(stress-pages-objs))

$(O)/stress-pages/tests/stress: $(addprefix $(O)/stress-pages/obj/,$(stress-pages-objs)) $(O)/stress-pages/lists
	$(say) LD stress-pages/tests/stress
	@mkdir -p $(@D)
	$(Q)$(cc-stress-pages) $(cflags-stress-pages) -o $@ $(filter %.o,$^) -lcmocka -lpthread

stress-programs += $(O)/stress-pages/tests/stress

# The benchmark's workloads on several harts, with all allocators: that test once more.
stress-bench-objs := $(mm-objs:%=mm/%) $(bench-objs:%=bench/%) \
	tests/unit/test_bench_scale.o tests/unit/helper_host_threads.o
cc-stress-bench := $(HOST_CLANG)
cflags-stress-bench := $(common-cflags) -O1 -Itests/unit $(stress-flags-tsan) -DLIST_DRAIN_TURNS=32
compiler-headers-stress-bench = $(compiler-headers-host-clang)
need-more-stress-bench = $(need-more-host-clang)
$(eval $(call compile-rules,stress-bench,$(O)/stress-bench))

$(O)/stress-bench/lists: FORCE
	$(call stamp,$(stress-bench-objs))

$(O)/stress-bench/tests/test_bench_scale: $(addprefix $(O)/stress-bench/obj/,$(stress-bench-objs)) $(O)/stress-bench/lists
	$(say) LD stress-bench/tests/test_bench_scale
	@mkdir -p $(@D)
	$(Q)$(cc-stress-bench) $(cflags-stress-bench) -o $@ $(filter %.o,$^) -lcmocka -lpthread

# What each broken build must say. Puts without release, takes without acquire; AMOs in two steps,
# or before the stores that they follow.
$(eval $(call stress-rules,stress-broken-release,tsan,2,-DSTRESS_WEAK=1))
$(eval $(call stress-rules,stress-broken-acquire,tsan,2,-DSTRESS_WEAK=2))
$(eval $(call stress-rules,stress-broken-torn,steps,1,-DSTRESS_TORN))
$(eval $(call stress-rules,stress-broken-unordered,steps,1,-DSTRESS_UNORDERED=1))
$(eval $(call stress-list-rules,stress-broken-lock,-DSTRESS_WEAK=2))
stress-broken := release acquire torn unordered lock
stress-says-release := ThreadSanitizer: data race
stress-says-acquire := ThreadSanitizer: data race
stress-says-lock := ThreadSanitizer: data race
stress-says-torn := handed out twice
stress-says-unordered := round seed
stress-broken-tests := $(stress-broken:%=$(O)/stress-broken/tests/%)

$(stress-broken-tests): $(O)/stress-broken/tests/%: $(O)/stress-broken-%/tests/stress tests/stress/must_fail mk/stress.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec tests/stress/must_fail %s "%s" %s\n' '$*' '$(stress-says-$*)' '$<' >$@
	@chmod +x $@

# ---- a model of the protocol, by Spin (tests/spin) ----

spin-tests := $(addprefix $(O)/spin/tests/,rules orders holds)

$(spin-tests): $(O)/spin/tests/%: $(wildcard tests/spin/*) mk/stress.mk | need-spin
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s -B tests/spin/check.py %s %s\n' '$(PYTHON)' '$(O)/spin' '$*' >$@
	@chmod +x $@

.PHONY: need-spin
need-spin: need-tests
	$(call need-tool,spin gcc)

# ---- what runs them ----

stress-folders := spin stress-bench stress-pages $(stress-variants) stress-broken $(stress-broken:%=stress-broken-%)
stress-bench-tests := $(O)/stress-bench/tests/test_bench_scale
unit-programs += $(stress-bench-tests) $(stress-programs) $(stress-broken-tests) $(spin-tests)
test unit: $(stress-bench-tests) $(stress-programs) $(stress-broken-tests) $(spin-tests)

# Each kind with operations of its own.
run-stress = STRESS=1 STRESS_OPS=$1 $(PYTHON) tests/run --out $(O)/tests --unit-timeout 7200 \
	$(if $T,--match '$T') --unit $2
stress-kinds := tsan points steps asan list pages

.PHONY: stress $(stress-kinds:%=stress-%) stress-spin
stress: $(stress-kinds:%=stress-%) stress-spin stress-model stress-boot

$(stress-kinds:%=stress-%): stress-%: $(stress-programs) | need-tests
	@$(call run-stress,$$(($(stress-ops-$*) * $(STRESS_FACTOR))),$(filter $(O)/stress-$*-% $(O)/stress-$*/%,$(stress-programs)))

stress-spin: $(spin-tests) | need-tests
	@$(call run-stress,0,$(spin-tests))
