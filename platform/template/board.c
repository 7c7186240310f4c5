/* SPDX-License-Identifier: BSD-2-Clause */
/* A board to copy. What a field means is in payload/platform.h. */
#include "platform.h"

/*
 * Most boards need no exit of their own: leave it NULL, and semihosting and SBI's system reset
 * are tried. This one writes the status to a register of a device that the tree names.
 */
static void template_exit(const void *fdt, int status)
{
	phys_addr_t pa, size;

	if (!dt_find_compatible(fdt, "vendor,test-finisher", &pa, &size))
		probe_write32(pa, (uint32_t)status);
}

BOARD(template) = {
	.name = "template",
	.compatible = "vendor,board",
	.exit = template_exit,
};
