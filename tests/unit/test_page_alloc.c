/* SPDX-License-Identifier: BSD-2-Clause */
/* The page allocator on machines with several zones: who gets what from where. */
#include "helper_pages.h"

#include <earlymm/error.h>

static void test_one_zone(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	int64_t pfn[2000];

	helper_pages_ram(f, 0x80000000, MIB(256), 0);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 1);
	assert_int_equal(f->pa.zones[0].type, ZONE_DMA32);
	assert_int_equal(f->pa.zones[0].present_pages, 65536);
	h = &f->pa.harts[0];
	for (int i = 0; i < 2000; i++) {
		pfn[i] = alloc_pages(h, i & 1 ? GFP_KERNEL : GFP_HIGHUSER_MOVABLE, i % 3 ? 0 : 3);
		assert_true(pfn[i] >= 0);
	}
	helper_pages_expect(f, 667 * 8 + 1333);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(free_pages(h, (uint64_t)pfn[i], i % 3 ? 0 : 3), 0);
	helper_pages_expect(f, 0);
	assert_int_equal(alloc_pages(h, __GFP_DMA32 | __GFP_HIGHMEM, 0), -EMM_EINVAL);
	assert_int_equal(alloc_pages(h, GFP_KERNEL, BUDDY_MAX_ORDER + 1), -EMM_EINVAL);
	assert_int_equal(alloc_pages(h, 0x100, 0), -EMM_EINVAL);
	assert_int_equal(h->refusals, 3);
	helper_pages_expect(f, 0);
}

static void test_zones(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	uint64_t used = 0;
	int64_t pfn;

	f->cfg.highmem_pfn = PFN_DOWN(0x100000000 + MIB(64));
	helper_pages_ram(f, 0x100000000 - MIB(64), MIB(192), 0);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 3);
	h = &f->pa.harts[0];
	pfn = alloc_pages(h, GFP_HIGHUSER, 0);
	assert_true(pfn >= (int64_t)DMA32_END_PFN && pfn < (int64_t)f->cfg.highmem_pfn);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 0), 0);
	page_hart_drain(h);
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), 16384);
	pfn = alloc_pages(h, GFP_HIGHUSER, 0);
	assert_true(pfn >= (int64_t)f->cfg.highmem_pfn);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 0), 0);
	pfn = alloc_pages(h, GFP_DMA32, 0);
	assert_true(pfn >= 0 && pfn < (int64_t)DMA32_END_PFN);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 0), 0);
	/* Normal first, then DMA32, down to what each keeps; HighMem never. */
	while ((pfn = alloc_pages(h, GFP_KERNEL, 0)) >= 0) {
		assert_true(pfn < (int64_t)f->cfg.highmem_pfn);
		used++;
	}
	assert_int_equal(pfn, -EMM_ENOMEM);
	assert_true(used > 32768 - 1024);
	assert_true(helper_zone(f, ZONE_DMA32, 0)->harts[0].fallbacks[0] > 15000);
	assert_int_equal(helper_zone(f, ZONE_NORMAL, 0)->harts[0].failures[0], 1);
	helper_pages_expect(f, used);
	pfn = alloc_pages(h, GFP_ATOMIC, 0);
	assert_true(pfn >= 0);
	helper_pages_expect(f, used + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_one_zone),
		pages_test(test_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
