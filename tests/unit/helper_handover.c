/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_handover.h"

#include <stdlib.h>
#include <string.h>

int helper_handover_setup(void **state)
{
	struct helper_handover *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(helper_memsim_setup((void **)&f->s), 0);
	assert_int_equal(helper_memblock_setup((void **)&f->h), 0);
	f->h->mb.map = &f->s->map;
	*state = f;
	return 0;
}

int helper_handover_teardown(void **state)
{
	struct helper_handover *f = *state;

	helper_memblock_teardown((void **)&f->h);
	helper_memsim_teardown((void **)&f->s);
	free(f);
	return 0;
}

void helper_add_ram(struct helper_handover *f, phys_addr_t base, uint64_t size, int nid)
{
	helper_memsim_add(f->s, base, size);
	assert_int_equal(memblock_add_node(&f->h->mb, base, size, nid, 0), 0);
}

void helper_handover_limits(struct helper_handover *f, uint64_t start_pfn, uint64_t end_pfn)
{
	assert_int_equal(mm_plan(&f->mm, &f->h->mb, start_pfn, end_pfn, 1), 0);
	assert_int_equal(mm_place_metadata(&f->mm, &f->h->mb), 0);
	memset(phys_to_virt(&f->s->map, f->mm.meta_pa, f->mm.meta_bytes), 0xa5, f->mm.meta_bytes);
	assert_int_equal(mm_init(&f->mm, &f->h->mb), 0);
	assert_int_equal(memblock_free_all(&f->mm, &f->h->mb), 0);
}

void helper_handover(struct helper_handover *f)
{
	helper_handover_limits(f, 0, UINT64_MAX);
}

void helper_expect_balance(const struct helper_handover *f, uint64_t used)
{
	struct mm_audit audit;

	assert_int_equal(mm_audit(&f->mm, &f->h->mb, used, &audit), 0);
	assert_int_equal(audit.lost, 0);
	assert_true(buddy_is_valid(&f->mm.buddy));
	assert_true(memblock_is_valid(&f->h->mb));
}

void helper_expect_freed(struct helper_handover *f, phys_addr_t base, phys_addr_t size, uint64_t nr)
{
	uint64_t nr_pages = 12345, managed = f->mm.managed_pages;

	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, base, size, &nr_pages), 0);
	assert_int_equal(nr_pages, nr);
	assert_int_equal(f->mm.managed_pages, managed + nr);
	assert_int_equal(buddy_nr_free(&f->mm.buddy) + buddy_nr_held(f->mm.buddy.harts),
			 managed + nr);
	helper_expect_balance(f, 0);
}

void helper_expect_refused(struct helper_handover *f, phys_addr_t base, phys_addr_t size, int err)
{
	uint64_t nr_pages = 12345, managed = f->mm.managed_pages;
	struct helper_snapshot before;

	helper_snapshot_take(&before, &f->h->mb);
	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, base, size, &nr_pages), err);
	helper_snapshot_check(&before, &f->h->mb);
	assert_int_equal(nr_pages, 12345);
	assert_int_equal(f->mm.managed_pages, managed);
}
