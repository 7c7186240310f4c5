# SPDX-License-Identifier: BSD-2-Clause
#
# Unit tests on the host: every tests/unit/test_*.c is a program, built twice (gcc and clang, with
# sanitizers), linked with all tests/unit/helper_*.c and with mm, dt, bench and payload-host-objs.

unit-tests := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
unit-helpers := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/helper_*.c))
host-compilers := host-gcc host-clang

# $(call host-rules,<variant>)
define host-rules
$(call compile-rules,$1,$(O)/$1)

tested-$1 := $(addprefix $(O)/$1/obj/,$(addprefix mm/,$(mm-objs)) $(addprefix dt/,$(dt-objs)) \
	$(addprefix bench/,$(bench-objs)) $(addprefix payload/,$(payload-host-objs)))
helpers-$1 := $(unit-helpers:%=$(O)/$1/obj/tests/unit/%.o)

$(O)/$1/lists: FORCE
	$$(call stamp,$$(tested-$1))

$(O)/$1/tested.a: $$(tested-$1) $(O)/$1/lists
	$$(say) AR $1/tested.a
	@rm -f $$@
	$$(Q)ar crD $$@ $$(tested-$1)

$(unit-tests:%=$(O)/$1/tests/%): $(O)/$1/tests/%: $(O)/$1/obj/tests/unit/%.o $$(helpers-$1) $(O)/$1/tested.a
	$$(say) LD $1/tests/$$*
	@mkdir -p $$(@D)
	$$(Q)$$(cc-$1) $$(cflags-$1) -o $$@ $$< $$(helpers-$1) $(O)/$1/tested.a -lfdt -lcmocka
endef
$(foreach v,$(host-compilers),$(eval $(call host-rules,$v)))

unit-programs := $(foreach v,$(host-compilers),$(unit-tests:%=$(O)/$v/tests/%))
.SECONDARY: $(foreach v,$(host-compilers),$(unit-tests:%=$(O)/$v/obj/tests/unit/%.o))

# Debian's own interpreter is the one that its pytest belongs to.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

# Tests that boot find the images through these.
boot-environment := EARLYMM_BUILD=$(abspath $P) EARLYMM_QEMU=$(QEMU)
run-tests = $(boot-environment) $(PYTHON) tests/run --out $(O)/tests $(if $T,--match '$T')

.PHONY: test unit boot need-tests
need-tests:
	$(call need-tool,$(PYTHON) $(QEMU) dtc)

test: image $(image-distro) $(unit-programs) | need-tests
	@$(run-tests) --unit $(unit-programs) --boot $(wildcard tests/boot/test_*.py)

unit: $(unit-programs) | need-tests
	@$(run-tests) --unit $(unit-programs)

boot: image $(image-distro) | need-tests
	@$(run-tests) --boot $(wildcard tests/boot/test_*.py)
