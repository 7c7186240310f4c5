/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that the best zone serves without a look at the others, and when that ends. */
#include "helper_pages.h"

#include <earlymm/error.h>

#define NORMAL_PAGES 32768

/* DMA32 and Normal, 128 MiB each. */
static struct page_hart *start(struct helper_pages *f)
{
	helper_pages_ram(f, 0x100000000 - MIB(128), MIB(256), 0);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 2);
	return &f->pa.harts[0];
}

static int64_t take(struct page_hart *h, gfp_t gfp, unsigned int order)
{
	int64_t pfn = alloc_pages(h, gfp, order);

	assert_true(pfn >= 0);
	return pfn;
}

static bool is_normal(int64_t pfn)
{
	return pfn >= (int64_t)DMA32_END_PFN;
}

/* Memory to spare, but no large block: the next zone has it, and the best one is asked once. */
static void test_fragments(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f);
	struct zone *z = helper_zone(f, ZONE_NORMAL, 0);
	struct zone *low = helper_zone(f, ZONE_DMA32, 0);
	const struct buddy_hart *c = zone_context(z, 0, MIGRATE_UNMOVABLE);
	static int64_t pfn[NORMAL_PAGES];
	uint64_t used = 0, nr = 0, failures;
	int64_t block;

	for (; nr < NORMAL_PAGES / 2; nr++)
		pfn[nr] = take(h, GFP_KERNEL, 0);
	for (uint64_t i = 0; i < nr; i++) {
		assert_true(is_normal(pfn[i]));
		if (pfn[i] & 63)
			assert_int_equal(free_pages(h, (uint64_t)pfn[i], 0), 0);
		else
			used++;
	}
	/* The rest of the large blocks; what is free then is all in pieces. */
	while (is_normal(take(h, GFP_KERNEL, 6)))
		used += 64;
	used += 64;
	assert_true(zone_free_pages(&f->pa, z) > NORMAL_PAGES / 4);
	assert_int_equal(low->harts[0].fallbacks[6], 1);
	failures = c->events.failures;
	block = take(h, GFP_KERNEL, 6);
	used += 64;
	assert_false(is_normal(block));
	assert_int_equal(low->harts[0].fallbacks[6], 2);
	assert_int_equal(c->events.failures, failures + 1);
	assert_int_equal(z->harts[0].failures[6], 0);
	/* Small ones still come from the best zone. */
	assert_true(is_normal(take(h, GFP_KERNEL, 2)));
	helper_pages_expect(f, used + 4);
}

/* Down to the low mark of the best zone, then from the other, then down to both reserves. */
static void test_marks(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f);
	struct zone *z = helper_zone(f, ZONE_NORMAL, 0);
	struct zone *low = helper_zone(f, ZONE_DMA32, 0);
	uint64_t used = 0, nr_free;

	while (is_normal(take(h, GFP_KERNEL, 0)))
		used++;
	used++;
	nr_free = zone_free_pages(&f->pa, z);
	assert_true(nr_free < z->wmark[WMARK_LOW] + 1 && nr_free + 64 > z->wmark[WMARK_LOW]);
	assert_true(low->harts[0].fallbacks[0] > 0);
	while (alloc_pages(h, GFP_KERNEL, 0) >= 0)
		used++;
	nr_free = zone_free_pages(&f->pa, z);
	assert_true(nr_free < z->wmark[WMARK_MIN] + 1 && nr_free + 64 > z->wmark[WMARK_MIN]);
	assert_int_equal(z->harts[0].failures[0], 1);
	helper_pages_expect(f, used);
}

/* A better zone comes later: it serves from the next refill on, whatever the others have left. */
static void test_highpages(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;

	f->cfg.highmem_pfn = PFN_DOWN(0x100000000 + MIB(64));
	helper_pages_ram(f, 0x100000000, MIB(128), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	for (int i = 0; i < 100; i++)
		assert_true(take(h, GFP_HIGHUSER, 0) < (int64_t)f->cfg.highmem_pfn);
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), 16384);
	/* The low zone's credit is looked at for others, and its stacks are empty again. */
	page_hart_drain(h);
	take(h, GFP_KERNEL, 0);
	page_hart_drain(h);
	assert_true(helper_zone(f, ZONE_NORMAL, 0)->harts[0].credit > 64);
	assert_true(take(h, GFP_HIGHUSER, 0) >= (int64_t)f->cfg.highmem_pfn);
	helper_pages_expect(f, 102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_fragments),
		pages_test(test_marks),
		pages_test(test_highpages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
