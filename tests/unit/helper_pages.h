/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with RAM and the page allocator over all of it: what tests of alloc_pages() begin with. */
#ifndef TESTS_UNIT_HELPER_PAGES_H
#define TESTS_UNIT_HELPER_PAGES_H

#include "helper_memblock.h"
#include "helper_memsim.h"

#include <earlymm/page_alloc.h>

struct helper_pages {
	struct helper_memblock *h; /* its map reaches the memory of @s */
	struct memsim *s;
	struct page_alloc_config cfg; /* one hart, to begin with */
	struct page_alloc pa;
};

/* cmocka's set-up and tear-down: *state is a struct helper_pages without memory. */
int helper_pages_setup(void **state);
int helper_pages_teardown(void **state);

/* RAM that is there, and in the map. */
void helper_pages_ram(struct helper_pages *f, phys_addr_t base, uint64_t size, int nid);

/* The allocator as f->cfg says, its metadata full of garbage beforehand. HIGHMEM waits. */
void helper_pages_start(struct helper_pages *f);

/* The first zone of this type and node, or NULL. */
struct zone *helper_zone(struct helper_pages *f, enum zone_type type, int nid);

/*
 * Every zone's books balance and its buddy is valid; the test holds @used pages in all; what the
 * counters say is free, is free.
 */
void helper_pages_expect(struct helper_pages *f, uint64_t used);

#define pages_test(f) cmocka_unit_test_setup_teardown(f, helper_pages_setup, helper_pages_teardown)

#endif
