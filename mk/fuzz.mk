# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzzing with libFuzzer: tests/fuzz/fuzz_x.c is target x, built by clang with sanitizers from the
# files that it tests. "make test" gives each a bounded run that is always the same, "make fuzz"
# each FUZZ_SECONDS, from what earlier ones have found.

FUZZ_SECONDS ?= 60

# Small arrays, so that they grow, and are placed, in short inputs.
fuzz-targets := memblock tree
fuzz-defines-memblock := -DINIT_MEMBLOCK_REGIONS=4
fuzz-objs-memblock := $(filter mm/memblock% mm/error.o,$(host-objs)) \
	$(patsubst %,tests/unit/%.o,$(filter helper_memblock_%,$(unit-helpers))) tests/fuzz/fuzz_memblock.o
fuzz-defines-tree := -DINIT_MEMBLOCK_REGIONS=64
fuzz-objs-tree := $(mm-objs:%=mm/%) $(dt-objs:%=dt/%) \
	$(addprefix tests/unit/,helper_memblock_model.o helper_dt_model.o helper_dt_run.o helper_dt_after.o) \
	$(addprefix tests/fuzz/,fuzz_tree.o tree_mutator.o)

# $(call fuzz-rules,<target>)
define fuzz-rules
cc-fuzz-$1 := $(HOST_CLANG)
cflags-fuzz-$1 := $(cflags-host-clang) -fsanitize=fuzzer-no-link $(fuzz-defines-$1)
compiler-headers-fuzz-$1 = $$(compiler-headers-host-clang)
need-more-fuzz-$1 = $$(need-more-host-clang)
$(call compile-rules,fuzz-$1,$(O)/fuzz-$1)

$(O)/fuzz-$1/lists: FORCE
	$$(call stamp,$(fuzz-objs-$1))

$(O)/fuzz-$1/fuzz_$1: $(fuzz-objs-$1:%=$(O)/fuzz-$1/obj/%) $(O)/fuzz-$1/lists
	$$(say) LD fuzz-$1/fuzz_$1
	$$(Q)$$(cc-fuzz-$1) $$(cflags-fuzz-$1) -fsanitize=fuzzer -o $$@ $(fuzz-objs-$1:%=$(O)/fuzz-$1/obj/%) -lfdt
endef
$(foreach t,$(fuzz-targets),$(eval $(call fuzz-rules,$t)))

fuzz-programs := $(foreach t,$(fuzz-targets),$(O)/fuzz-$t/fuzz_$t)
fuzz-seeds := $(O)/fuzz/seeds
fuzz-suites := $(fuzz-programs) $(fuzz-seeds)/made

$(fuzz-seeds)/made: tests/fuzz/seeds.py $(wildcard tests/dts/*) | need-tests
	$(say) GEN fuzz/seeds
	$(Q)$(PYTHON) tests/fuzz/seeds.py $(@D)
	@touch $@

test: $(fuzz-suites)

.PHONY: fuzz
fuzz: $(fuzz-suites)
	@$(run-tests) --fuzz $(fuzz-programs) --seeds $(fuzz-seeds) --fuzz-seconds $(FUZZ_SECONDS)
