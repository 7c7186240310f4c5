/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_pages_exact(): a number of pages costs that many pages, and the books say so. */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>
#include <earlymm/page_owner.h>

/* Blocks taken and freed by order, of both kinds: their difference, in pages, for orders. */
static void expect_orders(struct helper_pages *f, uint64_t nr_pages)
{
	struct page_hart *h = &f->pa.harts[0];

	page_hart_drain(h);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		uint64_t out = 0;

		for (uint32_t i = 0; i < f->pa.nr_zones; i++) {
			struct zone *z = &f->pa.zones[i];

			out += z->harts[0].taken[0][order] + z->harts[0].taken[1][order] -
			       z->harts[0].freed[order];
			for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
				if (order < BUDDY_NR_STACKS && zone_context(z, 0, type)->is_ready)
					out -= zone_context(z, 0, type)->drained[order];
		}
		assert_int_equal(out, nr_pages >> order & 1);
	}
}

static void test_counts(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	for (uint64_t nr = 1; nr <= 4097; nr += nr < 70 ? 1 : 251) {
		gfp_t gfp = nr & 1 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE;
		int64_t pfn = alloc_pages_exact(h, nr, gfp);

		assert_true(pfn >= 0);
		helper_pages_expect(f, nr);
		expect_orders(f, nr);
		for (uint64_t i = 0; i < nr; i += 61)
			assert_false(
				buddy_page_is_free(&f->pa.zones[0].mm.buddy, (uint64_t)pfn + i));
		assert_int_equal(free_pages_exact(h, (uint64_t)pfn, nr), 0);
		helper_pages_expect(f, 0);
	}
	assert_int_equal(h->refusals, 0);
}

/* What cannot be, and frees that are wrong. */
static void test_refusals(void **state)
{
	const uint64_t too_many = (1ULL << BUDDY_MAX_ORDER) + 1;
	struct helper_pages *f = *state;
	struct page_hart *h;
	int64_t pfn, next;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	assert_int_equal(alloc_pages_exact(h, 0, 0), -EMM_EINVAL);
	assert_int_equal(alloc_pages_exact(h, too_many, 0), -EMM_EINVAL);
	assert_int_equal(alloc_pages_exact(h, UINT64_MAX, 0), -EMM_EINVAL);
	assert_int_equal(alloc_pages_exact(h, 1, __GFP_COMP), -EMM_EINVAL);
	assert_int_equal(alloc_pages_exact(h, 1, 0x100), -EMM_EINVAL);
	assert_int_equal(alloc_pages_exact_nid(h, 1, 1, 0), -EMM_EINVAL);
	assert_int_equal(h->refusals, 6);
	assert_int_equal(alloc_pages_exact(h, 10000, 0), -EMM_ENOMEM);
	assert_int_equal(f->pa.zones[0].harts[0].failures[14], 1);
	helper_pages_expect(f, 0);
	pfn = alloc_pages_exact(h, 1000, 0);
	next = alloc_pages_exact(h, 24, 0);
	assert_true(pfn >= 0 && next >= 0);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 0), -EMM_EINVAL);
	assert_int_equal(free_pages_exact(h, 1, 5), -EMM_ERANGE);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, UINT64_MAX), -EMM_ERANGE);
	assert_int_equal(free_pages_exact(h, UINT64_MAX, 5), -EMM_ERANGE);
	/* One page of it is free: all or nothing. */
	assert_int_equal(free_page(h, (uint64_t)pfn + 999), 0);
	helper_pages_expect(f, 1023);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 1000), -EMM_EDOUBLE);
	helper_pages_expect(f, 1023);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 999), 0);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 999), -EMM_EDOUBLE);
	assert_int_equal(free_pages_exact(h, (uint64_t)next, 24), 0);
	helper_pages_expect(f, 0);
}

/* Up to the largest order, and given back page by page, in parts, and by another hart. */
static void test_large(void **state)
{
	static const uint64_t counts[] = { 131073, 262143, 262144, 200000 };
	struct helper_pages *f = *state;
	struct page_hart *h;

	f->cfg.nr_harts = 2;
	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, 0x100000000, MIB(3072), 0, 0), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
		uint64_t nr = counts[i], at, len;
		int64_t pfn = alloc_pages_exact(h, nr, GFP_KERNEL);

		assert_true(pfn >= (int64_t)DMA32_END_PFN);
		helper_pages_expect(f, nr);
		/* What comes back by other orders than it was had does not cancel out. */
		if (!i)
			expect_orders(f, nr);
		for (at = 0; at < 100; at++)
			assert_int_equal(free_page(&f->pa.harts[at & 1], (uint64_t)pfn + at), 0);
		for (len = 999; at + len <= nr; at += len)
			assert_int_equal(free_pages_exact(h, (uint64_t)pfn + at, len), 0);
		if (at < nr)
			assert_int_equal(free_pages_exact(h, (uint64_t)pfn + at, nr - at), 0);
		helper_pages_expect(f, 0);
	}
	assert_true(alloc_pages(h, GFP_KERNEL, BUDDY_MAX_ORDER) >= 0);
	assert_true(alloc_pages(h, GFP_KERNEL, BUDDY_MAX_ORDER) >= 0);
}

/* To the last block: what a number of pages takes away is that number. */
static void test_exhaust(void **state)
{
	struct helper_pages *f = *state;
	uint64_t used = 0, first = 0, nr = 0;
	struct page_hart *h;
	int64_t pfn;

	helper_pages_ram(f, 0x80000000, MIB(16), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	for (;; nr++, used += 7) {
		pfn = alloc_pages_exact(h, 7, __GFP_MEMALLOC);
		if (pfn < 0)
			break;
		/* The block's last page is anybody's: it holds the way back to the one before. */
		*helper_memsim_word(f->s, PFN_PHYS((uint64_t)pfn)) = first;
		first = (uint64_t)pfn;
	}
	assert_int_equal(pfn, -EMM_ENOMEM);
	assert_in_range(nr, 500, 511);
	helper_pages_expect(f, used);
	assert_true(alloc_page(h, __GFP_MEMALLOC) >= 0);
	helper_pages_expect(f, used + 1);
	while (first) {
		uint64_t before = *helper_memsim_word(f->s, PFN_PHYS(first));

		assert_int_equal(free_pages_exact(h, first, 7), 0);
		first = before;
	}
	helper_pages_expect(f, 1);
}

/* Zeros, for the pages that are had and no others; memory that cannot be cleared is not taken. */
static void test_zeros(void **state)
{
	struct helper_pages *f = *state;
	const struct zone *normal;
	struct page_hart *h;
	int64_t pfn;

	helper_pages_ram(f, 0x80000000, MIB(16), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, 0x100000000, MIB(16), 0, 0), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	normal = helper_zone(f, ZONE_NORMAL, 0);
	pfn = alloc_pages_exact(h, 16, GFP_DMA32);
	assert_true(pfn >= 0);
	for (uint64_t i = 0; i < 16; i++)
		*helper_memsim_word(f->s, PFN_PHYS((uint64_t)pfn + i) + 8 * i) = 1;
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 16), 0);
	assert_int_equal(alloc_contig_range(h, (uint64_t)pfn, (uint64_t)pfn + 11, __GFP_ZERO), 0);
	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(*helper_memsim_word(f->s, PFN_PHYS((uint64_t)pfn + i) + 8 * i),
				 i >= 11);
	helper_pages_expect(f, 11);
	assert_int_equal(alloc_pages_exact(h, 11, __GFP_ZERO), -EMM_EFAULT);
	assert_int_equal(alloc_contig_range(h, normal->mm.start_pfn, normal->mm.end_pfn,
					    __GFP_ZERO),
			 -EMM_EFAULT);
	assert_int_equal(alloc_contig_pages(h, 33, __GFP_ZERO, 0), -EMM_EFAULT);
	helper_pages_expect(f, 11);
	assert_int_equal(alloc_contig_range(h, normal->mm.start_pfn, normal->mm.end_pfn, 0), 0);
	pfn = get_zeroed_page(h, GFP_HIGHUSER);
	assert_true(pfn >= 0 && (uint64_t)pfn < DMA32_END_PFN);
}

/* With owners on record each part is a block, and belongs to whoever asked for the range. */
static void test_recorded(void **state)
{
	struct helper_pages *f = *state;
	struct page_owner_info info;
	struct page_hart *h;
	int64_t pfn;

	f->cfg.features = PAGE_ALLOC_OWNER;
	helper_pages_ram(f, 0x80000000, MIB(16), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	pfn = alloc_pages_exact(h, 7, 0);
	assert_true(pfn >= 0);
	for (uint64_t i = 0; i < 7; i++) {
		assert_int_equal(page_owner_lookup(&f->pa, (uint64_t)pfn + i, &info), 0);
		assert_int_equal(info.state, PAGE_IN_USE);
		assert_int_equal(info.order, i < 4 ? 2 : i < 6 ? 1 : 0);
	}
	assert_int_equal(page_owner_lookup(&f->pa, (uint64_t)pfn + 7, &info), 0);
	assert_int_not_equal(info.state, PAGE_IN_USE);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 1), -EMM_EINVAL);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 2), 0);
	assert_int_equal(free_pages(h, (uint64_t)pfn + 4, 1), 0);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn + 6, 1), 0);
	pfn = alloc_pages_exact(h, 100, 0);
	assert_true(pfn >= 0);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 100), 0);
	assert_int_equal(free_pages_exact(h, (uint64_t)pfn, 100), -EMM_EDOUBLE);
	/* What waits in the quarantine is no obstacle. */
	assert_int_equal(alloc_contig_range(h, (uint64_t)pfn, (uint64_t)pfn + 100, 0), 0);
	assert_int_equal(free_contig_range(h, (uint64_t)pfn, 100), 0);
	helper_pages_expect(f, 0);
}

/* Of a range that can be cleared in part only nothing is on record. */
static void test_half_cleared(void **state)
{
	const uint64_t middle = PFN_DOWN(0x81000000);
	struct helper_pages *f = *state;
	struct page_owner_info info;
	struct page_hart *h;

	f->cfg.features = PAGE_ALLOC_OWNER;
	helper_pages_ram(f, 0x80000000, MIB(16), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, 0x81000000, MIB(16), 0, 0), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	assert_int_equal(alloc_contig_range(h, middle - 5, middle + 5, __GFP_ZERO), -EMM_EFAULT);
	for (uint64_t pfn = middle - 5; pfn < middle + 5; pfn++) {
		assert_int_equal(page_owner_lookup(&f->pa, pfn, &info), 0);
		assert_int_not_equal(info.state, PAGE_IN_USE);
	}
	helper_pages_expect(f, 0);
	assert_int_equal(alloc_contig_range(h, middle - 5, middle + 5, 0), 0);
	assert_int_equal(free_contig_range(h, middle - 5, 10), 0);
	helper_pages_expect(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_counts),       pages_test(test_refusals), pages_test(test_large),
		pages_test(test_exhaust),      pages_test(test_zeros),    pages_test(test_recorded),
		pages_test(test_half_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
