/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows dt_to_memblock(): the map is cut, the initrd looked at again, regions are placed. */
#ifndef TESTS_UNIT_HELPER_DT_AFTER_H
#define TESTS_UNIT_HELPER_DT_AFTER_H

#include "dt.h"

/*
 * Runs dt_recheck_initrd() (@cut: after the GiB from 0x88000000 on has left the map, as with RAM
 * that is not there), dt_place_dynamic(), dt_list_static() and dt_read_distances(), and checks what
 * must hold, whatever tree it was. Returns how many dynamic regions were placed, or -1: *@broken
 * says what does not hold.
 */
long dt_after(struct dt_info *info, const void *fdt, struct memblock *mb, bool cut,
	      const struct printer *out, const char **broken);

#endif
