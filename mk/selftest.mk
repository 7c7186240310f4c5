# SPDX-License-Identifier: BSD-2-Clause
#
# The self-tests in the image: the sources of the host's unit tests, compiled once more, with
# tests/target/ in place of cmocka and of what picolibc lacks. One object, selftest.o, of which
# nobody sees more than selftest_run(), and whose sections are all .init.*: payload.lds has them
# together, and the payload may give that memory back.

# Tests of live allocators: suites of the image, and programs of the host on simulated machines.
live-tests := $(patsubst tests/phase/%.c,%,$(wildcard tests/phase/test_*.c))
live-sources := $(patsubst %.c,%,$(wildcard tests/phase/*.c))

# Programs of the host that stay there: tests/target/host-only, with reasons.
host-only := $(shell sed 's/\#.*//; s/[[:space:]].*//' tests/target/host-only)
unknown-host-only := $(filter-out $(unit-tests),$(host-only))
$(if $(unknown-host-only),$(error tests/target/host-only: there is no tests/unit/$(firstword $(unknown-host-only)).c))

suites := $(patsubst %,tests/unit/%,$(filter-out $(host-only),$(unit-tests))) \
	$(live-tests:%=tests/phase/%) $(patsubst %.c,%,$(wildcard tests/target/suite_*.c))
selftest-parts := $(patsubst %.c,%,$(filter-out tests/unit/helper_host_% tests/unit/helper_dt_model.c tests/unit/helper_dt_run.c tests/unit/helper_dt_after.c,$(wildcard tests/unit/helper_*.c))) \
	$(filter-out tests/phase/test_% tests/phase/machines,$(live-sources)) \
	$(addprefix tests/target/,cmocka data heap ktap libc live memory phases)

# $(call selftest-flags,<variant>,<dir>): small code, and cmocka.h of tests/target. What has tests
# has a main() that is to be a suite.
define selftest-flags
$2/obj/tests/%.o: private cflags-$1 += -Itests/target -Os
$(suites:%=$2/obj/%.o): private cflags-$1 += -Itests/target -Os -include tests/target/suite.h -DSUITE_FILE=__BASE_FILE__
endef
$(eval $(call selftest-flags,target,$P))
$(suites:%=$P/obj/%.o) $(selftest-parts:%=$P/obj/%.o): mk/selftest.mk

# A smaller model than the host's: 2 GiB of pages.
small-model := -DMAX_PAGES=0x80000U
$P/obj/tests/unit/test_buddy_diff.o: private cflags-target += $(small-model)

# A suite keeps all names to itself: some compile parts of mm/ for themselves.
$P/selftest/%.o: $P/obj/%.o
	@mkdir -p $(@D)
	$(Q)$(CROSS_COMPILE)objcopy --keep-global-symbol=none $< $@

# Suites that are there a second time, as test_x_zb, calling the second build of the hot files.
hot-suites := tests/unit/test_buddy tests/unit/test_buddy_diff tests/phase/test_live_buddy

$P/zb/obj/tests/%.o: private cflags-target-zb += -Itests/target -Os \
	-include tests/target/suite.h -DSUITE_FILE='"$*_zb.c"'
$P/zb/obj/tests/unit/test_buddy_diff.o: private cflags-target-zb += $(small-model)
$(hot-suites:%=$P/zb/obj/%.o): mk/selftest.mk

$P/selftest/%_zb.o: $P/zb/obj/%.o $P/hot-zb.o
	@mkdir -p $(@D)
	$(Q)$(CROSS_COMPILE)objcopy --keep-global-symbol=none --redefine-syms=$P/hot-zb.o.names $< $@

# What only tests want of libfdt and libgcc comes along: in the payload it would stay.
libgcc = $(shell $(TARGET_CC) $(filter -m%,$(target-cflags)) -print-libgcc-file-name)
$P/selftest.o: $(suites:%=$P/selftest/%.o) $(hot-suites:%=$P/selftest/%_zb.o) $(selftest-parts:%=$P/obj/%.o) $(LIBFDT) $P/selftest-list
	$(say) LD $(@:$(O)/%=%)
	$(Q)$(CROSS_COMPILE)ld -r -o $@.tmp $(filter %.o,$^) $(LIBFDT) $(libgcc)
	$(Q)$(CROSS_COMPILE)objcopy --keep-global-symbol=selftest_run --prefix-alloc-sections=.init $@.tmp $@
	$(Q)rm -f $@.tmp

$P/selftest-list: FORCE
	$(call stamp,$(suites) / $(hot-suites) / $(selftest-parts))

$P/obj/tests/target/data.o: tests/data/imx6-memory-map.txt

# ---- on the host ----

# Fails in every way: cmocka's verdicts are compared with those of tests/target.
compared-source := tests/target/suite_fail

# $(call live-rules,<variant>)
define live-rules
$(foreach s,$(live-tests:%=tests/phase/%) $(compared-source),
$(O)/$1/tests/$(notdir $s): $(O)/$1/obj/$s.o)

$(O)/$1/tests/$(notdir $(compared-source)) $(live-tests:%=$(O)/$1/tests/%): \
		$(patsubst %,$(O)/$1/obj/%.o,$(filter-out tests/phase/test_%,$(live-sources))) \
		$(patsubst %.c,$(O)/$1/obj/%.o,$(wildcard tests/unit/helper_*.c)) $(O)/$1/tested.a mk/selftest.mk
	$$(say) LD $1/tests/$$(@F)
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$1) $$(cflags-$1) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) -lfdt -lcmocka
endef
$(foreach v,$(host-compilers),$(eval $(call live-rules,$v)))

live-programs := $(foreach v,$(host-compilers),$(live-tests:%=$(O)/$v/tests/%))
unit-programs += $(live-programs)

# Whole boots compare the payload's suites with the programs of one compiler.
compared-programs := $(addprefix $(O)/host-gcc/tests/,$(unit-tests) $(live-tests) $(notdir $(compared-source)))

unit: $(live-programs)
test: $(live-programs) $(compared-programs)
boot: $(compared-programs)
