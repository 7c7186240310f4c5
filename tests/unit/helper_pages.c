/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_pages.h"

#include <earlymm/page_owner.h>

#include <stdlib.h>
#include <string.h>

int helper_pages_setup(void **state)
{
	struct helper_pages *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(helper_memsim_setup((void **)&f->s), 0);
	assert_int_equal(helper_memblock_setup((void **)&f->h), 0);
	f->h->mb.map = &f->s->map;
	f->cfg.nr_harts = 1;
	memset(&f->pa, 0xa5, sizeof(f->pa));
	*state = f;
	return 0;
}

int helper_pages_teardown(void **state)
{
	struct helper_pages *f = *state;

	helper_memblock_teardown((void **)&f->h);
	helper_memsim_teardown((void **)&f->s);
	free(f);
	return 0;
}

void helper_pages_ram(struct helper_pages *f, phys_addr_t base, uint64_t size, int nid)
{
	helper_memsim_add(f->s, base, size);
	assert_int_equal(memblock_add_node(&f->h->mb, base, size, nid, 0), 0);
}

void helper_pages_start(struct helper_pages *f)
{
	struct memblock *mb = &f->h->mb;
	struct page_alloc *pa = &f->pa;

	assert_int_equal(page_alloc_plan(pa, mb, &f->cfg), 0);
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct mm *mm = &pa->zones[i].mm;

		assert_int_equal(mm_place_metadata(mm, mb), 0);
		memset(phys_to_virt(&f->s->map, mm->meta_pa, mm->meta_bytes), 0xa5, mm->meta_bytes);
	}
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		assert_int_equal(mm_init(&pa->zones[i].mm, mb), 0);
		if (pa->zones[i].type < ZONE_HIGHMEM)
			assert_int_equal(memblock_free_all(&pa->zones[i].mm, mb), 0);
	}
	assert_int_equal(page_alloc_init(pa), 0);
}

struct zone *helper_zone(struct helper_pages *f, enum zone_type type, int nid)
{
	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		if (f->pa.zones[i].type == type && f->pa.zones[i].nid == nid)
			return &f->pa.zones[i];
	return NULL;
}

void helper_pages_expect(struct helper_pages *f, uint64_t used)
{
	uint64_t managed = 0, nr_free = 0;

	for (uint32_t i = 0; i < f->pa.nr_zones; i++) {
		struct zone *z = &f->pa.zones[i];
		struct buddy *b = &z->mm.buddy;
		uint64_t in_trees;

		if (z->mm.state != MM_HANDED_OVER)
			continue;
		assert_true(buddy_is_valid(b));
		in_trees = buddy_nr_free(b);
		assert_int_equal(zone_free_pages(&f->pa, z), in_trees);
		managed += z->mm.managed_pages;
		nr_free += in_trees;
		for (uint32_t k = 0; k < b->nr_harts; k++)
			nr_free += buddy_nr_held(&b->harts[k]);
	}
	assert_int_equal(nr_free + page_quarantined(&f->pa, NULL) + used, managed);
	assert_true(memblock_is_valid(&f->h->mb));
}
