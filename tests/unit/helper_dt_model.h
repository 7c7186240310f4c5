/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device tree says, read with libfdt's high-level calls (none of which dt/ uses) by the
 * rules of dt/dt.h, and put into the naive model of memblock: the maps that dt_to_memblock() must
 * arrive at, entry by entry.
 */
#ifndef TESTS_UNIT_HELPER_DT_MODEL_H
#define TESTS_UNIT_HELPER_DT_MODEL_H

#include "dt.h"
#include "helper_memblock_model.h"

/* A machine that a tree is for. */
struct dt_machine {
	struct dt_fixed fixed[2];
	unsigned int nr_fixed;
	phys_addr_t fdt_pa;
	uint64_t boot_hart;
	phys_addr_t current_limit;
	bool bottom_up;
	bool unreachable; /* phys_to_virt answers NULL */
	uint64_t start_pfn; /* what goes to the page allocator */
	uint64_t end_pfn;
	uint32_t nr_harts;
};

struct dt_reading {
	struct model m; /* the maps; without memblock's own arrays */
	bool unclear; /* an entry can be read in two ways: the reserved map is not complete */
	bool bad_cells; /* /reserved-memory that cannot be read */
	bool has_initrd; /* one that can be used */
};

/* Precondition: dt_walk() has passed. */
void dt_read(struct dt_reading *r, const void *fdt, const struct dt_machine *machine);

#endif
