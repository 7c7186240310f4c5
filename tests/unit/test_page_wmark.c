/* SPDX-License-Identifier: BSD-2-Clause */
/* Watermarks and reserves: who may take how much, from which zone, and where it goes on then. */
#include "helper_pages.h"

#include <earlymm/error.h>

#define HIGH_BASE 0x100000000ULL

/* Blocks of @order, until there are none for it. Returns how many pages; *@err is why it ended. */
static uint64_t use_up(struct page_hart *h, gfp_t gfp, unsigned int order, int64_t *err)
{
	uint64_t nr_pages = 0;
	int64_t pfn;

	while ((pfn = alloc_pages(h, gfp, order)) >= 0)
		nr_pages += 1ULL << order;
	*err = pfn;
	return nr_pages;
}

/* Nothing is held in stacks. */
static uint64_t left_in(struct helper_pages *f, const struct zone *z)
{
	for (uint32_t i = 0; i < f->pa.nr_harts; i++)
		page_hart_drain(&f->pa.harts[i]);
	return zone_free_pages(&f->pa, z);
}

static void expect_marks(const struct zone *z, uint64_t min, uint64_t step)
{
	assert_int_equal(z->wmark[WMARK_MIN], min);
	assert_int_equal(z->wmark[WMARK_LOW], min + step);
	assert_int_equal(z->wmark[WMARK_HIGH], min + 2 * step);
}

/* min_free_kbytes is 4 * sqrt(KiB): by hand, for machines of a few sizes. */
static void test_marks(void **state)
{
	struct helper_pages *f = *state;
	uint64_t managed, kib, min;
	const struct zone *z;

	helper_pages_ram(f, 0x80000000, MIB(256), 0);
	helper_pages_start(f);
	z = &f->pa.zones[0];
	managed = z->mm.managed_pages;
	for (kib = 0; (kib + 1) * (kib + 1) <= managed * 4 * 16;)
		kib++;
	min = kib / 4;
	assert_in_range(min, 505, 512);
	assert_true(managed / 1000 < min / 4);
	expect_marks(z, min, min / 4);
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		assert_int_equal(z->lowmem_reserve[type], 0);
}

/* Down to the mark, to the page; with half of it; with all. */
static void check_depths(struct helper_pages *f, unsigned int order)
{
	const uint64_t size = 1ULL << order;
	struct page_hart *h = &f->pa.harts[0];
	const struct zone *z = &f->pa.zones[0];
	uint64_t min = z->wmark[WMARK_MIN], used, left;
	int64_t err;

	used = use_up(h, GFP_KERNEL, order, &err);
	assert_int_equal(err, -EMM_ENOMEM);
	left = left_in(f, z);
	assert_true(left >= min && left < min + size);
	assert_int_equal(alloc_pages(h, GFP_HIGHUSER_MOVABLE, order), -EMM_ENOMEM);
	helper_pages_expect(f, used);
	used += use_up(h, GFP_ATOMIC, order, &err);
	assert_int_equal(err, -EMM_ENOMEM);
	left = left_in(f, z);
	assert_true(left >= min - min / 2 && left < min - min / 2 + size);
	used += use_up(h, __GFP_MEMALLOC, order, &err);
	assert_int_equal(err, -EMM_ENOMEM);
	left = left_in(f, z);
	/* What is smaller than a block, at the memory's edges. */
	assert_true(order ? left < 4 * size : !left);
	helper_pages_expect(f, used);
	assert_int_equal(z->harts[0].failures[order], 4);
}

static void test_depth_of_pages(void **state)
{
	struct helper_pages *f = *state;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	check_depths(f, 0);
}

static void test_depth_of_blocks(void **state)
{
	struct helper_pages *f = *state;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	check_depths(f, 3);
}

static void test_depth_of_large(void **state)
{
	struct helper_pages *f = *state;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	check_depths(f, 7);
}

/* Several harts do not go below the mark together, either. */
static void test_harts(void **state)
{
	struct helper_pages *f = *state;
	const struct zone *z = &f->pa.zones[0];
	uint64_t used = 0, failed = 0, left;

	f->cfg.nr_harts = 4;
	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	for (uint32_t i = 0; failed != 0xf; i = (i + 1) % 4) {
		int64_t pfn = alloc_pages(&f->pa.harts[i], i & 1 ? GFP_HIGHUSER_MOVABLE : 0, i);

		if (pfn >= 0)
			used += 1ULL << i;
		else
			failed |= 1ULL << i;
	}
	left = left_in(f, z);
	assert_true(left >= z->wmark[WMARK_MIN]);
	/* A hart does not have what others hold; that is not more than a stack of each order. */
	assert_true(left < z->wmark[WMARK_MIN] + 4 * 64);
	helper_pages_expect(f, used);
}

/* What a hart might have taken when there was plenty is not its own when another has used it up. */
static void test_idle_hart(void **state)
{
	struct helper_pages *f = *state;
	uint64_t used = 2, min;
	const struct zone *z = &f->pa.zones[0];
	int64_t err;

	f->cfg.nr_harts = 3;
	helper_pages_ram(f, 0x80000000, MIB(256), 0);
	helper_pages_start(f);
	min = z->wmark[WMARK_MIN];
	assert_true(alloc_page(&f->pa.harts[0], GFP_KERNEL) >= 0);
	assert_true(alloc_page(&f->pa.harts[1], GFP_HIGHUSER_MOVABLE) >= 0);
	used += use_up(&f->pa.harts[2], GFP_KERNEL, 0, &err);
	assert_true(left_in(f, z) - min < 2 * 64);
	for (uint32_t i = 0; i < 3; i++)
		for (gfp_t gfp = 0; gfp < 2; gfp++)
			used += use_up(&f->pa.harts[i], gfp, 0, &err);
	assert_int_equal(left_in(f, z), min);
	helper_pages_expect(f, used);
}

/* 64 MiB below 4 GiB, and @above MiB above. */
static void start_two(struct helper_pages *f, uint64_t above)
{
	helper_pages_ram(f, HIGH_BASE - MIB(64), MIB(64 + above), 0);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_zones, 2);
}

/* What could be had above leaves some of what is below to those that need just that. */
static void test_lowmem_reserve(void **state)
{
	struct helper_pages *f = *state;
	struct zone *dma, *normal;
	struct page_hart *h;
	uint64_t used, left;
	int64_t err;

	start_two(f, 256);
	h = &f->pa.harts[0];
	dma = helper_zone(f, ZONE_DMA32, 0);
	normal = helper_zone(f, ZONE_NORMAL, 0);
	assert_int_equal(dma->lowmem_reserve[ZONE_DMA32], 0);
	assert_int_equal(dma->lowmem_reserve[ZONE_NORMAL], normal->mm.managed_pages / 256);
	assert_int_equal(normal->lowmem_reserve[ZONE_NORMAL], 0);
	used = use_up(h, GFP_KERNEL, 0, &err);
	assert_int_equal(left_in(f, normal), normal->wmark[WMARK_MIN]);
	left = left_in(f, dma);
	assert_int_equal(left, dma->wmark[WMARK_MIN] + dma->lowmem_reserve[ZONE_NORMAL]);
	assert_int_equal(dma->harts[0].failures[0], 0);
	assert_int_equal(normal->harts[0].failures[0], 1);
	used += use_up(h, GFP_DMA32, 0, &err);
	assert_int_equal(left_in(f, dma), dma->wmark[WMARK_MIN]);
	assert_int_equal(dma->harts[0].failures[0], 1);
	used += use_up(h, GFP_DMA32 | GFP_ATOMIC, 0, &err);
	assert_int_equal(left_in(f, dma), dma->wmark[WMARK_MIN] - dma->wmark[WMARK_MIN] / 2);
	used += use_up(h, __GFP_MEMALLOC, 0, &err);
	assert_int_equal(left_in(f, dma) + left_in(f, normal), 0);
	helper_pages_expect(f, used);
}

/* A zone for form's sake keeps next to nothing, and is of use. */
static void test_tiny(void **state)
{
	struct helper_pages *f = *state;
	uint64_t managed, min;
	struct page_hart *h;
	struct zone *z;
	int64_t err;

	helper_pages_ram(f, HIGH_BASE - 24 * PAGE_SIZE, 24 * PAGE_SIZE, 0);
	helper_pages_ram(f, HIGH_BASE + MIB(16), MIB(32), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	z = helper_zone(f, ZONE_DMA32, 0);
	managed = z->mm.managed_pages;
	min = z->wmark[WMARK_MIN];
	assert_in_range(managed, 1, 24);
	assert_true(min <= managed / 8 && z->wmark[WMARK_HIGH] <= 2 * (min + 1));
	assert_int_equal(use_up(h, GFP_DMA32, 0, &err), managed - min);
	assert_int_equal(err, -EMM_ENOMEM);
	assert_int_equal(left_in(f, z), min);
	assert_true(alloc_pages(h, GFP_KERNEL, 5) >= (int64_t)DMA32_END_PFN);
	helper_pages_expect(f, managed - min + 32);
}

/* So little that the usual reserve would be a quarter of it. */
static void test_tiny_machine(void **state)
{
	struct helper_pages *f = *state;
	const struct zone *z;
	int64_t err;

	helper_pages_ram(f, 0x80000000, 128 * PAGE_SIZE, 0);
	helper_pages_start(f);
	z = &f->pa.zones[0];
	expect_marks(z, z->mm.managed_pages / 8, z->mm.managed_pages / 8 / 4);
	use_up(&f->pa.harts[0], GFP_KERNEL, 0, &err);
	assert_int_equal(left_in(f, z), z->mm.managed_pages / 8);
}

/*
 * At the low mark other zones come first; with memory again, the best one does. Its refills after
 * that are no fallbacks.
 */
static void test_back_to_best(void **state)
{
	struct helper_pages *f = *state;
	struct zone *dma, *normal;
	uint64_t used = 0, low;
	struct page_hart *h;
	int64_t pfn, last[2048];

	start_two(f, 64);
	h = &f->pa.harts[0];
	dma = helper_zone(f, ZONE_DMA32, 0);
	normal = helper_zone(f, ZONE_NORMAL, 0);
	low = normal->wmark[WMARK_LOW];
	while ((pfn = alloc_page(h, GFP_KERNEL)) >= (int64_t)DMA32_END_PFN)
		last[used++ % ARRAY_SIZE(last)] = pfn;
	used++;
	assert_true(pfn >= 0);
	assert_in_range(left_in(f, normal), low - 64, low);
	assert_true(dma->harts[0].fallbacks[0] > 0);
	for (int i = 0; i < 200; i++, used++)
		assert_true(alloc_page(h, GFP_KERNEL) < (int64_t)DMA32_END_PFN);
	helper_pages_expect(f, used);
	for (unsigned int i = 0; i < ARRAY_SIZE(last); i++, used--)
		assert_int_equal(free_page(h, (uint64_t)last[i]), 0);
	/* What is left on the stack of the lower zone goes first. */
	for (int i = 0; i < 64; i++, used++)
		pfn = alloc_page(h, GFP_KERNEL);
	assert_true(pfn >= (int64_t)DMA32_END_PFN);
	assert_int_equal(normal->harts[0].fallbacks[0], 0);
	for (int i = 0; i < 1000; i++, used++)
		assert_true(alloc_page(h, GFP_KERNEL) >= (int64_t)DMA32_END_PFN);
	helper_pages_expect(f, used);
	assert_int_equal(normal->harts[0].failures[0] + dma->harts[0].failures[0], 0);
}

/* zone_watermark_ok() says what an allocation may. */
static void test_ok(void **state)
{
	struct helper_pages *f = *state;
	struct zone *dma;
	uint64_t reserve, left;
	struct page_hart *h;

	start_two(f, 256);
	h = &f->pa.harts[0];
	dma = helper_zone(f, ZONE_DMA32, 0);
	reserve = dma->lowmem_reserve[ZONE_NORMAL];
	left = dma->wmark[WMARK_LOW] + reserve + 2;
	while (left_in(f, dma) > left)
		assert_true(alloc_page(h, GFP_DMA32) >= 0);
	assert_int_equal(left_in(f, dma), left);
	assert_true(zone_watermark_ok(&f->pa, dma, 1, WMARK_LOW, ZONE_NORMAL, 0));
	assert_false(zone_watermark_ok(&f->pa, dma, 2, WMARK_LOW, ZONE_NORMAL, 0));
	assert_true(zone_watermark_ok(&f->pa, dma, 2, WMARK_LOW, ZONE_NORMAL, __GFP_HIGH));
	assert_true(zone_watermark_ok(&f->pa, dma, 2, WMARK_LOW, ZONE_DMA32, 0));
	assert_false(zone_watermark_ok(&f->pa, dma, 18, WMARK_MIN, ZONE_DMA32, 0));
	assert_true(zone_watermark_ok(&f->pa, dma, 18, WMARK_MIN, ZONE_DMA32, __GFP_MEMALLOC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_marks),
		pages_test(test_depth_of_pages),
		pages_test(test_depth_of_blocks),
		pages_test(test_depth_of_large),
		pages_test(test_harts),
		pages_test(test_lowmem_reserve),
		pages_test(test_tiny),
		pages_test(test_back_to_best),
		pages_test(test_ok),
		pages_test(test_idle_hart),
		pages_test(test_tiny_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
