# SPDX-License-Identifier: BSD-2-Clause
#
# The explorer of interleavings: tests/model, on copies of mm/buddy*.c with few bits a word. A shape
# is a radix and a number of levels. What the copies change of the source, and the mutants, is data
# for tests/model/mutants.py. "make model" runs the short programs, "make stress-model" the long.

model-shapes := r2l2 r4l2 r2l3 r4l3 r2l4
model-defines-r2l2 := -DBUDDY_RADIX_SHIFT=1 -DBUDDY_LEVELS=2
model-defines-r4l2 := -DBUDDY_RADIX_SHIFT=2 -DBUDDY_LEVELS=2
model-defines-r4l3 := -DBUDDY_RADIX_SHIFT=2 -DBUDDY_LEVELS=3
model-defines-r2l3 := -DBUDDY_RADIX_SHIFT=1 -DBUDDY_LEVELS=3
model-defines-r2l4 := -DBUDDY_RADIX_SHIFT=1 -DBUDDY_LEVELS=4

# No sanitizers: stacks are saved and put back.
cc-model := $(HOST_GCC)
cflags-model := $(common-cflags) -O2
compiler-headers-model = $(call gcc-headers,$(HOST_GCC))
$(eval $(call compile-rules,model,$(O)/model))

model-common := $(addprefix $(O)/model/obj/tests/model/,main.o explore.o state.o machine.o coroutine.o trace.o ghost.o)
model-by-shape := program.o programs.o random_programs.o
model-tool := tests/model/mutants.py
model-source := $(wildcard mm/buddy*.[ch] mm/bitops.[ch] mm/atomic.h include/earlymm/*.h)

# $(call model-compile,<shape>): mm/'s code and what knows its structs.
model-compile = $(HOST_GCC) $(cflags-model) $(model-defines-$1) \
	-DEARLYMM_ATOMIC_HEADER='"model_atomic.h"' -Itests/model -Iinclude

$(O)/model/code/all.c: $(model-source) $(model-tool) | need-tests
	@mkdir -p $(@D)
	$(Q)$(PYTHON) $(model-tool) copy $(@D)

# $(call model-shape-rules,<shape>)
define model-shape-rules
$(O)/model/$1/%.o: tests/model/%.c $(wildcard tests/model/*.h) $(model-source) mk/model.mk | need-cc-model
	$$(say) CC "tests/model/$$*.c ($1)"
	@mkdir -p $$(@D)
	$$(Q)$$(call model-compile,$1) -Imm -c -o $$@ $$<

$(O)/model/$1/code.o: $(O)/model/code/all.c mk/model.mk tests/model/model_atomic.h
	$$(say) CC "mm/buddy ($1)"
	@mkdir -p $$(@D)
	$$(Q)$$(call model-compile,$1) -I$(O)/model/code -c -o $$@ $$<

$(O)/model/tests/model_$1: $(O)/model/$1/code.o $(model-by-shape:%=$(O)/model/$1/%) $(model-common)
	$$(say) LD model/tests/model_$1
	@mkdir -p $$(@D)
	$$(Q)$(HOST_GCC) -o $$@ $$^
endef
$(foreach s,$(model-shapes),$(eval $(call model-shape-rules,$s)))

# The explorer's own tests.
model-own := $(addprefix $(O)/model/tests/model_,litmus random)
$(model-own): $(O)/model/tests/model_%: $(O)/model/obj/tests/model/%.o $(filter-out %/main.o %/ghost.o,$(model-common))
	$(say) LD model/tests/model_$*
	@mkdir -p $(@D)
	$(Q)$(HOST_GCC) -o $@ $^

# A mutant that is stale or does not compile is a failed test, not a failed make.
model-mutants := $(sort $(notdir $(wildcard tests/model/mutants/*)))
model-mutant-shapes = $(sort $(shell sed -n 's/^caught-by: *\([^ ]*\).*/\1/p' tests/model/mutants/$1))

# $(call model-mutant-rules,<mutant>,<shape>)
define model-mutant-rules
$(O)/model/mutants/$1/$2: tests/model/mutants/$1 $(model-source) $(model-tool) mk/model.mk \
		$(model-by-shape:%=$(O)/model/$2/%) $(model-common) | need-tests need-cc-model
	$$(say) MUTANT "$1 ($2)"
	@mkdir -p $$(@D)/$2.src
	$$(Q)rm -f $$@; { $(PYTHON) $(model-tool) copy $$(@D)/$2.src $$< && \
		$$(call model-compile,$2) -O0 -w -I$$(@D)/$2.src -o $$@ $$(@D)/$2.src/all.c \
		$(model-by-shape:%=$(O)/model/$2/%) $(model-common); } >$$@.log 2>&1 || rm -f $$@
	@test -e $$@ || { printf '#!/bin/sh\nsed "s/^/# /" $$@.log\necho "Bail out! stale mutant"\nexit 2\n' >$$@; chmod +x $$@; }
endef
$(foreach m,$(model-mutants),$(foreach s,$(call model-mutant-shapes,$m),$(eval $(call model-mutant-rules,$m,$s))))
model-mutant-programs := $(foreach m,$(model-mutants),$(patsubst %,$(O)/model/mutants/$m/%,$(call model-mutant-shapes,$m)))

$(O)/model/tests/model_mutants: $(model-mutant-programs) $(model-shapes:%=$(O)/model/tests/model_%) mk/model.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s %s run %s\n' '$(PYTHON)' '$(model-tool)' '$(O)/model' >$@
	@chmod +x $@

model-programs := $(model-own) $(model-shapes:%=$(O)/model/tests/model_%)
model-programs += $(if $(model-mutants),$(O)/model/tests/model_mutants)
unit-programs += $(model-programs)
test unit: $(model-programs)

.PHONY: model stress-model
model: $(model-programs) | need-tests
	@$(run-tests) --unit $(model-programs)

# The long form: larger bounds, more orders, other random programs; nine minutes of one processor.
MODEL_STATES ?= 200000
MODEL_ORDERS ?= 4
MODEL_PROGRAMS ?= 200
MODEL_SEED ?= 1000
MODEL_RANDOM ?= 10000
model-long := MODEL_STATES MODEL_ORDERS MODEL_PROGRAMS MODEL_SEED MODEL_RANDOM
stress-model: $(model-programs) | need-tests
	@$(foreach v,$(model-long),$v=$($v)) $(call run-stress,0,$(filter-out %/model_mutants %/model_litmus,$(model-programs)))
