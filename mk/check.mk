# SPDX-License-Identifier: BSD-2-Clause
#
# make check: what a reviewer should not have to say. Format, the warnings of gcc and clang for
# host and riscv64 (the image's build is gcc's for riscv64), clang-tidy, cppcheck, layers.

PICOLIBC ?= /usr/lib/picolibc/riscv64-unknown-elf
CLANG ?= clang

cc-check-gcc := $(HOST_GCC)
cflags-check-gcc := $(common-cflags) $(OPT)
compiler-headers-check-gcc = $(call gcc-headers,$(HOST_GCC))

cc-check-clang := $(CLANG)
cflags-check-clang := $(common-cflags) $(OPT)
compiler-headers-check-clang = $(call clang-headers,$(CLANG))

# clang 14 takes counters and CSRs as part of the base.
cc-check-clang-riscv := $(CLANG) --target=riscv64-unknown-elf
cflags-check-clang-riscv := $(common-cflags) $(OPT) $(filter-out -march=%,$(target-cflags)) -march=rv64gc
libc-cflags-check-clang-riscv := -isystem $(PICOLIBC)/include
libfdt-cflags-check-clang-riscv := -isystem $(LIBFDT_DIR)
compiler-headers-check-clang-riscv = $(call clang-headers,$(CLANG))

check-variants := check-gcc check-clang check-clang-riscv
$(foreach v,$(check-variants),$(eval $(call compile-rules,$v,$(O)/check/$v)))

portable-objs := $(mm-objs:%=mm/%) $(dt-objs:%=dt/%) $(bench-objs:%=bench/%) $(payload-host-objs:%=payload/%)
test-objs := $(addprefix tests/unit/,$(addsuffix .o,$(unit-tests) $(unit-helpers))) \
	$(patsubst %.c,%.o,$(wildcard tests/fuzz/*.c tests/model/*.c))
image-objs := $(mm-objs:%=mm/%) $(dt-objs:%=dt/%) $(bench-objs:%=bench/%) $(payload-objs:%=payload/%) \
	$(boards:%=platform/%/board.o) platform/template/board.o
c-image-objs := $(filter-out %/start.o,$(image-objs))

# The self-tests: as the image has them, and what is the host's too.
$(eval $(call selftest-flags,check-clang-riscv,$(O)/check/check-clang-riscv))
selftest-objs := $(addsuffix .o,$(suites) $(filter-out %/data,$(selftest-parts)))
test-objs += $(addsuffix .o,$(live-sources) $(compared-source))
selftest-only-objs := $(filter-out $(test-objs),$(selftest-objs))

c-files := $(wildcard $(addsuffix /*.[ch],mm dt bench payload platform/* tests/unit tests/phase tests/fuzz tests/model tests/stress tests/scaling tests/target tests/target/sys include/earlymm))

tidy = $(patsubst %.o,$(O)/check/tidy/%.ok,$(c-image-objs) $(test-objs) $(selftest-only-objs))

.PHONY: check check-format check-warnings check-tidy check-cppcheck check-layers format
check: check-format check-warnings check-tidy check-cppcheck check-layers
	@echo "check: all is well"

check-format:
	$(call need-tool,clang-format)
	$(say) FORMAT "$(words $(c-files)) files"
	$(Q)clang-format --dry-run -Werror $(c-files)

format:
	$(call need-tool,clang-format)
	$(Q)clang-format -i $(c-files)

check-warnings: $P/payload.elf $(addprefix $(O)/check/check-gcc/obj/,$(portable-objs) $(test-objs)) \
	$(addprefix $(O)/check/check-clang/obj/,$(portable-objs) $(test-objs)) \
	$(addprefix $(O)/check/check-clang-riscv/obj/,$(image-objs) $(selftest-objs))

check-tidy: $(tidy)

define tidy-riscv
$(say) TIDY $*.c
@mkdir -p $(@D)
$(Q)clang-tidy --quiet $*.c -- $(wordlist 2,9,$(cc-check-clang-riscv)) $(cflags-check-clang-riscv) \
	$(if $(filter tests/%,$*),-Itests/target) \
	$(call layer-cflags,check-clang-riscv,$(firstword $(subst /, ,$*))) 2>$@.log || { cat $@.log >&2; exit 1; }
@touch $@
endef

$(patsubst %.o,$(O)/check/tidy/%.ok,$(selftest-only-objs)): $(O)/check/tidy/%.ok: $(O)/check/check-clang-riscv/obj/%.o .clang-tidy
	$(tidy-riscv)

# The object stands for all headers that the source includes.
$(O)/check/tidy/tests/%.ok: $(O)/check/check-clang/obj/tests/%.o .clang-tidy
	$(say) TIDY tests/$*.c
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet tests/$*.c -- $(cflags-check-clang) $(call layer-cflags,check-clang,tests) 2>$@.log || { cat $@.log >&2; exit 1; }
	@touch $@

$(O)/check/tidy/%.ok: $(O)/check/check-clang-riscv/obj/%.o .clang-tidy
	$(tidy-riscv)

check-cppcheck:
	$(call need-tool,cppcheck)
	$(say) CPPCHECK "mm dt bench payload platform"
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --platform=unix64 \
		--enable=warning,performance,portability \
		-D__riscv -D__riscv_xlen=64 -Iinclude -Idt -Ibench -Ipayload \
		--suppressions-list=mk/cppcheck.txt mm dt bench payload platform

check-layers: $P/libearlymm.a $P/selftest.o
	$(say) LAYERS $(<:$(O)/%=%)
	$(Q)mk/check-layers $(CROSS_COMPILE) $^

# For editors: what the image's sources are compiled with, and the tests' under gcc.
compile_commands.json: FORCE
	@{ echo '['; \
	  $(foreach o,$(image-objs),$(call command-entry,target,$(o:.o=.c));) \
	  $(foreach o,$(test-objs),$(call command-entry,host-gcc,$(o:.o=.c));) } \
	| sed '$$s/,$$//' >$@.tmp; echo ']' >>$@.tmp; mv $@.tmp $@
	@echo "  GEN     $@"

entry-format := {"directory": "%s"$(comma) "file": "%s"$(comma) "command": "%s"}$(comma)\n
command-entry = $(if $(wildcard $2),printf '$(entry-format)' '$(CURDIR)' $2 \
	'$(cc-$1) $(cflags-$1) $(call layer-cflags,$1,$(firstword $(subst /, ,$2))) -c $2',:)
