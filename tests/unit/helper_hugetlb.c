/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_hugetlb.h"

#include <stdlib.h>
#include <string.h>

static int early_alloc_memblock(void *ctx, phys_addr_t size, phys_addr_t align, int nid,
				phys_addr_t *pa)
{
	struct helper_hugetlb *f = ctx;

	f->nr_early_calls++;
	f->h->mb.bottom_up = true;
	return memblock_phys_alloc(&f->h->mb, size, f->misaligned ? PAGE_SIZE : align, 0,
				   PHYS_ADDR_MAX, nid, CAUSE_HUGEPAGES, pa);
}

static int early_free_memblock(void *ctx, phys_addr_t pa, phys_addr_t size)
{
	struct helper_hugetlb *f = ctx;

	return f->stubborn ? -EMM_ENOSPC : memblock_free(&f->h->mb, pa, size);
}

int helper_hugetlb_setup(void **state)
{
	struct helper_hugetlb *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(helper_memsim_setup((void **)&f->s), 0);
	assert_int_equal(helper_memblock_setup((void **)&f->h), 0);
	f->h->mb.map = &f->s->map;
	memblock_allow_resize(&f->h->mb);
	f->cfg.nr_harts = 1;
	f->early = (struct hugetlb_early){ early_alloc_memblock, early_free_memblock, f };
	*state = f;
	return 0;
}

int helper_hugetlb_teardown(void **state)
{
	struct helper_hugetlb *f = *state;

	helper_memblock_teardown((void **)&f->h);
	helper_memsim_teardown((void **)&f->s);
	free(f);
	return 0;
}

void helper_hugetlb_node(struct helper_hugetlb *f, phys_addr_t base, uint64_t size, int nid)
{
	helper_memsim_add(f->s, base, size);
	assert_int_equal(memblock_add_node(&f->h->mb, base, size, nid, 0), 0);
}

struct hugetlb_count *helper_hugetlb_ask(struct helper_hugetlb *f, unsigned int order, uint64_t nr)
{
	unsigned int i = f->request.nr_sizes++;

	f->request.size[i].order = order;
	f->request.size[i].count.given = true;
	f->request.size[i].count.nr = nr;
	return &f->request.size[i].count;
}

void helper_hugetlb_ask_node(struct hugetlb_count *count, int nid, uint64_t nr)
{
	count->nr = 0;
	count->node[count->nr_nodes].nid = nid;
	count->node[count->nr_nodes++].nr = nr;
}

void helper_hugetlb_balance(struct helper_hugetlb *f, uint64_t used)
{
	struct page_audit audit;

	assert_true(hugetlb_is_valid(&f->huge));
	assert_true(memblock_is_valid(&f->h->mb));
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, hugetlb_used_pages(&f->huge) + used,
					  &audit),
			 0);
	assert_int_equal(audit.total.reserved[CAUSE_HUGEPAGES], hugetlb_reserved_pages(&f->huge));
	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		assert_true(buddy_is_valid(&f->pa.zones[i].mm.buddy));
}

uint64_t helper_hugetlb_managed(const struct helper_hugetlb *f)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		nr_pages += f->pa.zones[i].mm.managed_pages;
	return nr_pages;
}

uint64_t helper_hugetlb_free(const struct helper_hugetlb *f)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		nr_pages += buddy_nr_free(&f->pa.zones[i].mm.buddy);
	return nr_pages;
}

void helper_hugetlb_early(struct helper_hugetlb *f)
{
	f->huge.state = HUGETLB_NONE;
	assert_int_equal(hugetlb_alloc_early(&f->huge, &f->h->mb, &f->early), -EMM_ESTATE);
	assert_int_equal(
		hugetlb_init(&f->huge, &f->request, &f->h->mb, f->keep_pages, &f->h->printer), 0);
	assert_int_equal(hugetlb_alloc_late(&f->huge, NULL, &f->h->mb), -EMM_ESTATE);
	assert_int_equal(hugetlb_alloc_early(&f->huge, &f->h->mb, &f->early), 0);
	assert_int_equal(hugetlb_alloc_early(&f->huge, &f->h->mb, &f->early), -EMM_ESTATE);
	assert_true(hugetlb_is_valid(&f->huge));
	assert_true(memblock_is_valid(&f->h->mb));
}

void helper_hugetlb_handover(struct helper_hugetlb *f)
{
	struct page_alloc *pa = &f->pa;

	assert_int_equal(page_alloc_plan(pa, &f->h->mb, &f->cfg), 0);
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct mm *mm = &pa->zones[i].mm;

		assert_int_equal(mm_place_metadata(mm, &f->h->mb), 0);
		memset(phys_to_virt(&f->s->map, mm->meta_pa, mm->meta_bytes), 0xa5, mm->meta_bytes);
	}
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		assert_int_equal(mm_init(&pa->zones[i].mm, &f->h->mb), 0);
		assert_int_equal(memblock_free_all(&pa->zones[i].mm, &f->h->mb), 0);
	}
	assert_int_equal(page_alloc_init(pa), 0);
	assert_int_equal(hugetlb_alloc_late(&f->huge, pa->harts, &f->h->mb), 0);
	assert_int_equal(hugetlb_alloc_late(&f->huge, pa->harts, &f->h->mb), -EMM_ESTATE);
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		assert_int_equal(buddy_nr_held(pa->zones[i].mm.buddy.harts), 0);
	helper_hugetlb_balance(f, 0);
}

void helper_hugetlb_fill(struct helper_hugetlb *f)
{
	helper_hugetlb_early(f);
	helper_hugetlb_handover(f);
}
