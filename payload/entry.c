/* SPDX-License-Identifier: BSD-2-Clause */
/* The first doubts about a1. The tree's inside is dt_check()'s business. */
#include "entry.h"

#include <string.h>

#include <libfdt.h>

#include "exit.h"
#include "layout.h"
#include "probe.h"

void *entry_tree(uint64_t fdt_pa)
{
	uint32_t magic = 0;

	if (fdt_pa >= (uintptr_t)_start && fdt_pa < (uintptr_t)_image_limit)
		payload_fail("the device tree at %#lx lies inside the image, %p to %p, and is lost",
			     fdt_pa, (void *)_start, (void *)_image_limit);
	if (fdt_pa & 7 || probe_read32(fdt_pa, &magic) || fdt32_to_cpu(magic) != FDT_MAGIC)
		payload_fail("no device tree at a1 = %#lx; start the image as a kernel"
			     " (booti, bootm, -kernel), not with U-Boot's go",
			     fdt_pa);
	return (void *)(uintptr_t)fdt_pa;
}

void *tree_copy(void *fdt)
{
	uint32_t size = fdt_totalsize(fdt);

	if (size > TREE_COPY_SIZE)
		return fdt;
	return memcpy(__tree_copy, fdt, size);
}

void tree_wipe(void *first, uint32_t offset, uint32_t len)
{
	/* Values in a tree are whole words, and begin at one. The place may be read-only. */
	for (uint32_t i = 0; i < len; i += 4)
		if (probe_write32((uintptr_t)first + offset + i, 0))
			return;
}
