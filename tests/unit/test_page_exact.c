/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_pages_exact(): a number of pages costs that many pages, and the books say so. */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
