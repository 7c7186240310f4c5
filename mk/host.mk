# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests on the host: every tests/unit/test_*.c is a program, built twice (gcc and clang, with
# sanitizers), linked with all tests/unit/helper_*.c and with mm, dt, bench and payload-host-objs.

unit-tests := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
unit-helpers := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/helper_*.c))
host-objs := $(mm-objs:%=mm/%) $(dt-objs:%=dt/%) $(bench-objs:%=bench/%) $(payload-host-objs:%=payload/%)
host-compilers := host-gcc host-clang

# Settings of memblock that -D changes, and the suites that each is tried with, by gcc.
host-settings := line32 pages16k pages64k
defines-line32 := -DINIT_MEMBLOCK_REGIONS=128 -DSMP_CACHE_BYTES=32 -DPAGE_SHIFT=12
defines-pages16k := -DINIT_MEMBLOCK_REGIONS=32 -DPAGE_SHIFT=14
defines-pages64k := -DINIT_MEMBLOCK_REGIONS=4 -DSMP_CACHE_BYTES=128 -DPAGE_SHIFT=16
suites-line32 := $(addprefix test_memblock_,alloc random)
suites-pages16k := $(addprefix test_memblock_,alloc corners grow iter many place query random)
suites-pages64k := $(addprefix test_memblock_,many place query random)

# $(call host-rules,<variant>,<tests>,<helpers>,<objects>)
define host-rules
$(call compile-rules,$1,$(O)/$1)

tested-$1 := $(4:%=$(O)/$1/obj/%)
helpers-$1 := $(3:%=$(O)/$1/obj/tests/unit/%.o)

$(O)/$1/lists: FORCE
	$$(call stamp,$$(tested-$1) / $$(helpers-$1))

$(O)/$1/tested.a: $$(tested-$1) $(O)/$1/lists
	$$(say) AR $1/tested.a
	@rm -f $$@
	$$(Q)ar crD $$@ $$(tested-$1)

$(O)/$1/helpers.a: $$(helpers-$1) $(O)/$1/lists
	$$(say) AR $1/helpers.a
	@rm -f $$@
	$$(Q)ar crD $$@ $$(helpers-$1)

$(2:%=$(O)/$1/tests/%): $(O)/$1/tests/%: $(O)/$1/obj/tests/unit/%.o $(O)/$1/helpers.a $(O)/$1/tested.a
	$$(say) LD $1/tests/$$*
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$1) $$(cflags-$1) -o $$@ $$< $(O)/$1/helpers.a $(O)/$1/tested.a -lfdt -lcmocka

unit-programs += $(2:%=$(O)/$1/tests/%)
.SECONDARY: $(2:%=$(O)/$1/obj/tests/unit/%.o)
endef

define setting-rules
cc-host-$1 := $(HOST_GCC)
cflags-host-$1 := $(cflags-host-gcc) $(defines-$1)
compiler-headers-host-$1 = $$(compiler-headers-host-gcc)
need-more-host-$1 = $$(need-more-host-gcc)
$(call host-rules,host-$1,$(suites-$1),$(filter helper_memblock%,$(unit-helpers)),$(filter mm/memblock% mm/error.o,$(host-objs)))
endef

unit-programs :=
$(foreach v,$(host-compilers),$(eval $(call host-rules,$v,$(unit-tests),$(unit-helpers),$(host-objs))))
$(foreach s,$(host-settings),$(eval $(call setting-rules,$s)))
host-variants := $(host-compilers) $(host-settings:%=host-%)

# Debian's own interpreter is the one that its pytest belongs to.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

# Tests that boot find the images through these.
boot-environment := EARLYMM_BUILD=$(abspath $P) EARLYMM_QEMU=$(QEMU)
run-tests = $(boot-environment) $(PYTHON) tests/run --out $(O)/tests $(if $T,--match '$T')

.PHONY: test unit boot need-tests
need-tests:
	$(call need-tool,$(PYTHON) $(QEMU) dtc)

test: image $(image-distro) $(unit-programs) | need-tests
	@$(run-tests) --unit $(unit-programs) --fuzz $(fuzz-programs) --seeds $(fuzz-seeds) \
		--boot $(wildcard tests/boot/test_*.py)

unit: $(unit-programs) | need-tests
	@$(run-tests) --unit $(unit-programs)

boot: image $(image-distro) | need-tests
	@$(run-tests) --boot $(wildcard tests/boot/test_*.py)
