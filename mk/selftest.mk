# SPDX-License-Identifier: BSD-2-Clause
#
# The self-tests in the image: the sources of the host's unit tests, compiled once more, with
# tests/target/ in place of cmocka and of what picolibc lacks. One object, selftest.o, of which
# nobody sees more than selftest_run(), and whose sections are all .init.*: payload.lds has them
# together, and the payload may give that memory back.

# Programs of the host that stay there: tests/target/host-only, with reasons.
host-only := $(shell sed 's/\#.*//; s/[[:space:]].*//' tests/target/host-only)
unknown-host-only := $(filter-out $(unit-tests),$(host-only))
$(if $(unknown-host-only),$(error tests/target/host-only: there is no tests/unit/$(firstword $(unknown-host-only)).c))

suites := $(filter-out $(host-only:%=tests/unit/%),$(unit-sources)) \
	$(patsubst %.c,%,$(wildcard tests/target/suite_*.c))
selftest-parts := $(filter-out tests/unit/helper_host_% tests/unit/helper_dt_model tests/unit/helper_dt_run tests/phase/machines,$(unit-helpers)) \
	$(addprefix tests/target/,cmocka data libc live memory phases)

# $(call selftest-flags,<variant>,<dir>): small code, and cmocka.h of tests/target. What has tests
# has a main() that is to be a suite.
define selftest-flags
$2/obj/tests/%.o: private cflags-$1 += -Itests/target -Os
$(suites:%=$2/obj/%.o): private cflags-$1 += -Itests/target -Os -include tests/target/suite.h -DSUITE_FILE=__BASE_FILE__
endef
$(eval $(call selftest-flags,target,$P))
$(suites:%=$P/obj/%.o) $(selftest-parts:%=$P/obj/%.o): mk/selftest.mk

# A smaller model than the host's: 2 GiB of pages.
$P/obj/tests/unit/test_buddy_diff.o: private cflags-target += -DMAX_PAGES=0x80000U

# A suite keeps all names to itself: some compile parts of mm/ for themselves.
$P/selftest/%.o: $P/obj/%.o
	@mkdir -p $(@D)
	$(Q)$(CROSS_COMPILE)objcopy --keep-global-symbol=none $< $@

# What only tests want of libfdt and libgcc comes along: in the payload it would stay.
libgcc = $(shell $(TARGET_CC) $(filter -m%,$(target-cflags)) -print-libgcc-file-name)
$P/selftest.o: $(suites:%=$P/selftest/%.o) $(selftest-parts:%=$P/obj/%.o) $(LIBFDT) $P/selftest-list
	$(say) LD $(@:$(O)/%=%)
	$(Q)$(CROSS_COMPILE)ld -r -o $@.tmp $(filter %.o,$^) $(LIBFDT) $(libgcc)
	$(Q)$(CROSS_COMPILE)objcopy --keep-global-symbol=selftest_run --prefix-alloc-sections=.init $@.tmp $@
	$(Q)rm -f $@.tmp

$P/selftest-list: FORCE
	$(call stamp,$(suites) / $(selftest-parts))

$P/obj/tests/target/data.o: tests/data/imx6-memory-map.txt
