# SPDX-License-Identifier: BSD-2-Clause
#
# The hot files (hot-objs, in mm/objects.mk and bench/objects.mk) once more, for harts with Zba, Zbb
# and Zbs: one object whose names all begin with zb_. The payload chooses at boot (payload/hot.c).

space := $() $()
hot-march := $(target-march)$(subst $(space),,$(foreach x,_zba _zbb _zbs,$(if $(findstring $x,$(target-march)),,$x)))

cc-target-zb := $(cc-target)
cflags-target-zb = $(filter-out -march=%,$(cflags-target)) -march=$(hot-march)
libc-cflags-target-zb := $(libc-cflags-target)
libfdt-cflags-target-zb := $(libfdt-cflags-target)
compiler-headers-target-zb = $(compiler-headers-target)
need-more-target-zb = $(need-more-target)

$(eval $(call compile-rules,target-zb,$P/zb))

$P/zb/list: FORCE
	$(call stamp,$(hot-objs))

$P/hot-zb.o: $(hot-objs:%=$P/zb/obj/%) $P/zb/list mk/link-hot
	$(say) LD $(@:$(O)/%=%)
	$(Q)mk/link-hot $(CROSS_COMPILE) zb_ $@ $(filter %.o,$^)
