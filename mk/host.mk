# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests on the host: every tests/unit/test_*.c and tests/phase/test_*.c is a program, built
# twice (gcc and clang, with sanitizers), linked with all helpers and with mm, dt, bench and
# payload-host-objs. --wrap: tests/unit/helper_host_list.c.

unit-sources := $(patsubst %.c,%,$(wildcard tests/unit/test_*.c tests/phase/test_*.c))
unit-tests := $(notdir $(unit-sources))
unit-helpers := $(patsubst %.c,%,$(wildcard tests/unit/helper_*.c)) tests/phase/live_buddy \
	tests/phase/machines tests/target/heap tests/target/ktap
host-compilers := host-gcc host-clang
host-ldflags := -Wl,--wrap=_cmocka_run_group_tests -lfdt -lcmocka

# $(call host-rules,<variant>)
define host-rules
$(call compile-rules,$1,$(O)/$1)

tested-$1 := $(addprefix $(O)/$1/obj/,$(addprefix mm/,$(mm-objs)) $(addprefix dt/,$(dt-objs)) \
	$(addprefix bench/,$(bench-objs)) $(addprefix payload/,$(payload-host-objs)))
helpers-$1 := $(unit-helpers:%=$(O)/$1/obj/%.o)

$(O)/$1/lists: FORCE
	$$(call stamp,$$(tested-$1))

$(O)/$1/tested.a: $$(tested-$1) $(O)/$1/lists
	$$(say) AR $1/tested.a
	@rm -f $$@
	$$(Q)ar crD $$@ $$(tested-$1)

endef
$(foreach v,$(host-compilers),$(eval $(call host-rules,$v)))

# $(call program-rule,<variant>,<source without .c>)
define program-rule
$(O)/$1/tests/$(notdir $2): $(O)/$1/obj/$2.o $$(helpers-$1) $(O)/$1/tested.a mk/host.mk
	$$(say) LD $1/tests/$(notdir $2)
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$1) $$(cflags-$1) -o $$@ $$(filter %.o %.a,$$^) $$(host-ldflags)
endef
$(foreach v,$(host-compilers),$(foreach s,$(unit-sources) tests/target/suite_fail,$(eval $(call program-rule,$v,$s))))

unit-programs := $(foreach v,$(host-compilers),$(unit-tests:%=$(O)/$v/tests/%))

# Debian's own interpreter is the one that its pytest belongs to.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

# Tests that boot find the images through these.
boot-environment := EARLYMM_BUILD=$(abspath $P) EARLYMM_QEMU=$(QEMU)
run-tests = $(boot-environment) $(PYTHON) tests/run --out $(O)/tests $(if $T,--match '$T')

.PHONY: test unit boot need-tests
need-tests:
	$(call need-tool,$(PYTHON) $(QEMU) dtc)

# Whole boots compare the payload's self-tests with the host's programs.
compared-programs := $(unit-tests:%=$(O)/host-gcc/tests/%) $(O)/host-gcc/tests/suite_fail

test: image $(image-distro) $(unit-programs) $(compared-programs) | need-tests
	@$(run-tests) --unit $(unit-programs) --boot $(wildcard tests/boot/test_*.py)

unit: $(unit-programs) | need-tests
	@$(run-tests) --unit $(unit-programs)

boot: image $(image-distro) $(compared-programs) | need-tests
	@$(run-tests) --boot $(wildcard tests/boot/test_*.py)
