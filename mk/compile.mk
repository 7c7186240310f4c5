# SPDX-License-Identifier: BSD-2-Clause
#
# From source to object, for each variant: <dir>/obj/<layer>/x.o from <layer>/x.c.

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

.PHONY: FORCE

# $(call stamp,<text>): recipe of a file that changes only when the text does. What depends on it
# is rebuilt when flags, tools or lists change.
define stamp
@mkdir -p $(@D)
@printf '%s\n' '$(subst ','\'',$1)' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$1)' >$@
endef

# A missing tool gives one line instead of a compiler's riddle.
.PHONY: need-%
define need-tool
@for tool in $1; do command -v $$tool >/dev/null || { echo "make: $$tool is missing: run ./setup" >&2; exit 1; }; done
endef

# $(call compile-rules,<variant>,<dir>)
define compile-rules
$2/flags: FORCE
	$$(call stamp,$$(cc-$1) $$(cflags-$1) $$(foreach l,mm dt bench payload platform tests,$$(call layer-cflags,$1,$$l)))

.PHONY: need-cc-$1
need-cc-$1:
	$$(call need-tool,$$(firstword $$(cc-$1)))
	$$(need-more-$1)

$2/obj/%.o: %.c $2/flags | need-cc-$1 $$(libfdt-needed-$1)
	$$(say) CC $$*.c
	@mkdir -p $$(@D)
	$$Q$$(cc-$1) $$(cflags-$1) $$(call layer-cflags,$1,$$(firstword $$(subst /, ,$$*))) -MMD -MP -c -o $$@ $$<

$2/obj/%.o: %.S $2/flags | need-cc-$1
	$$(say) AS $$*.S
	@mkdir -p $$(@D)
	$$Q$$(cc-$1) $$(cflags-$1) $$(call layer-cflags,$1,$$(firstword $$(subst /, ,$$*))) -MMD -MP -c -o $$@ $$<

-include $$(shell find $2/obj -name '*.d' 2>/dev/null)
endef
