/* SPDX-License-Identifier: BSD-2-Clause */
/* CMA areas: lent to movable allocations as the last resort, claimed if nothing of it is lent. */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

#include <stdlib.h>

#define BASE_PFN   0x80000ULL
#define AREA_PFN   (BASE_PFN + 4096 + 3)
#define AREA_PAGES 2045ULL
#define SECOND_PFN (BASE_PFN + 12288)

static const struct pfn_range areas[] = {
	{ AREA_PFN, AREA_PFN + AREA_PAGES },
	{ SECOND_PFN, SECOND_PFN + 512 },
};

/* 64 MiB with two areas. */
static void start(struct helper_pages *f)
{
	struct memblock *mb = &f->h->mb;

	helper_pages_ram(f, PFN_PHYS(BASE_PFN), MIB(64), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(areas); i++)
		assert_int_equal(memblock_reserve_cause(mb, PFN_PHYS(areas[i].start),
							PFN_PHYS(areas[i].end - areas[i].start),
							CAUSE_RESERVED_MEMORY),
				 0);
	f->cfg.cma = areas;
	f->cfg.nr_cma = ARRAY_SIZE(areas);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_cma, 2);
	assert_int_equal(f->pa.nr_zones, 3);
	assert_null(cma_zone(&f->pa, 2));
	for (uint32_t i = 0; i < 2; i++) {
		struct zone *z = cma_zone(&f->pa, i);

		assert_int_equal(z->type, ZONE_CMA);
		assert_int_equal(z->within, ZONE_DMA32);
		assert_int_equal(z->mm.start_pfn, areas[i].start);
		assert_int_equal(z->mm.managed_pages, areas[i].end - areas[i].start);
		assert_int_equal(zone_free_pages(&f->pa, z), z->mm.managed_pages);
	}
	helper_pages_expect(f, 0);
}

static bool in_area(int64_t pfn, uint32_t i)
{
	return pfn >= (int64_t)areas[i].start && pfn < (int64_t)areas[i].end;
}

/* All but the areas, with pages that cannot be moved. Returns how many. */
static uint64_t use_up(struct page_hart *h)
{
	uint64_t used = 0;

	for (unsigned int order = 9; order != ~0U; order--) {
		int64_t pfn;

		while ((pfn = alloc_pages(h, __GFP_MEMALLOC | __GFP_HIGHMEM, order)) >= 0) {
			assert_false(in_area(pfn, 0) || in_area(pfn, 1));
			used += 1ULL << order;
		}
		assert_int_equal(pfn, -EMM_ENOMEM);
	}
	return used;
}

static void test_claims(void **state)
{
	struct helper_pages *f = *state;
	struct zone_hart *zh;
	struct page_hart *h;

	start(f);
	h = &f->pa.harts[0];
	zh = cma_zone(&f->pa, 0)->harts;
	assert_int_equal(cma_alloc(h, 0, 100, 0), AREA_PFN);
	assert_int_equal(cma_alloc(h, 0, 7, 4), (AREA_PFN + 100 + 15) & ~15ULL);
	assert_int_equal(cma_alloc(h, 0, 1, 0), AREA_PFN + 100);
	assert_int_equal(cma_alloc(h, 0, 1024, 10), AREA_PFN + 1021);
	assert_int_equal(cma_alloc(h, 0, 1024, 10), -EMM_EBUSY);
	assert_int_equal(cma_alloc(h, 0, 1024, 0), -EMM_EBUSY);
	assert_int_equal(zh->claims, 4);
	assert_int_equal(zh->claim_failures, 2);
	assert_int_equal(zh->taken_pages, 1132);
	helper_pages_expect(f, 1132);
	assert_int_equal(cma_alloc(h, 1, 512, 9), SECOND_PFN);
	assert_int_equal(cma_alloc(h, 1, 1, 0), -EMM_EBUSY);
	assert_int_equal(cma_alloc(h, 1, 513, 0), -EMM_EINVAL);
	assert_int_equal(cma_alloc(h, 1, 0, 0), -EMM_EINVAL);
	assert_int_equal(cma_alloc(h, 1, 1, BUDDY_MAX_ORDER + 1), -EMM_EINVAL);
	assert_int_equal(cma_alloc(h, 2, 1, 0), -EMM_ENOENT);
	assert_int_equal(cma_release(h, 2, SECOND_PFN, 1), -EMM_ENOENT);
	assert_int_equal(cma_release(h, 1, SECOND_PFN - 1, 2), -EMM_ERANGE);
	assert_int_equal(cma_release(h, 1, SECOND_PFN + 511, 2), -EMM_ERANGE);
	assert_int_equal(cma_release(h, 1, UINT64_MAX, 2), -EMM_ERANGE);
	assert_int_equal(cma_release(h, 1, SECOND_PFN, 0), -EMM_EINVAL);
	assert_int_equal(cma_release(h, 0, SECOND_PFN, 1), -EMM_ERANGE);
	assert_int_equal(h->refusals, 10);
	helper_pages_expect(f, 1132 + 512);
	/* A part of it, which is free then; twice it is not. */
	assert_int_equal(cma_release(h, 0, AREA_PFN, 50), 0);
	assert_int_equal(cma_release(h, 0, AREA_PFN, 50), -EMM_EDOUBLE);
	assert_int_equal(cma_release(h, 0, AREA_PFN + 49, 2), -EMM_EDOUBLE);
	helper_pages_expect(f, 1082 + 512);
	assert_int_equal(cma_alloc(h, 0, 50, 0), AREA_PFN);
	assert_int_equal(cma_release(h, 0, AREA_PFN, 101), 0);
	assert_int_equal(cma_release(h, 0, (AREA_PFN + 115) & ~15ULL, 7), 0);
	assert_int_equal(cma_release(h, 0, AREA_PFN + 1021, 1024), 0);
	assert_int_equal(cma_release(h, 1, SECOND_PFN, 512), 0);
	assert_int_equal(cma_alloc(h, 0, AREA_PAGES, 0), AREA_PFN);
	assert_int_equal(cma_release(h, 0, AREA_PFN, AREA_PAGES), 0);
	helper_pages_expect(f, 0);
}

static void test_lent(void **state)
{
	int64_t *lent = malloc((AREA_PAGES + 512) * sizeof(*lent)), pfn;
	struct helper_pages *f = *state;
	uint64_t used, nr = 0;
	struct page_hart *h;
	struct zone *z;

	assert_non_null(lent);
	start(f);
	h = &f->pa.harts[0];
	z = cma_zone(&f->pa, 0);
	/* As long as there is other memory it is not touched. */
	pfn = alloc_page(h, GFP_HIGHUSER_MOVABLE);
	assert_true(pfn >= 0 && !in_area(pfn, 0) && !in_area(pfn, 1));
	assert_int_equal(free_page(h, (uint64_t)pfn), 0);
	used = use_up(h);
	assert_true(used > 13000);
	helper_pages_expect(f, used);
	assert_int_equal(z->harts[0].taken_pages, 0);
	/* To the last page, from both. */
	while ((pfn = alloc_page(h, GFP_HIGHUSER_MOVABLE)) >= 0) {
		assert_true(in_area(pfn, 0) || in_area(pfn, 1));
		lent[nr++] = pfn;
	}
	assert_int_equal(nr, AREA_PAGES + 512);
	assert_int_equal(alloc_page(h, GFP_KERNEL), -EMM_ENOMEM);
	assert_int_equal(alloc_page(h, __GFP_MEMALLOC), -EMM_ENOMEM);
	helper_pages_expect(f, used + nr);
	assert_int_equal(z->harts[0].fallbacks[0], AREA_PAGES);
	assert_int_equal(z->harts[0].taken[MIGRATE_MOVABLE][0], AREA_PAGES);
	assert_int_equal(z->harts[0].taken[MIGRATE_UNMOVABLE][0], 0);
	assert_int_equal(cma_alloc(h, 0, 1, 0), -EMM_EBUSY);
	assert_int_equal(cma_alloc(h, 1, 512, 0), -EMM_EBUSY);
	/* They come back one by one: the last one does it. */
	for (uint64_t i = 0; i < nr; i++) {
		if (i == nr - 1)
			assert_int_equal(cma_alloc(h, in_area(lent[i], 1),
						   in_area(lent[i], 1) ? 512 : AREA_PAGES, 0),
					 -EMM_EBUSY);
		assert_int_equal(free_page(h, (uint64_t)lent[i]), 0);
	}
	helper_pages_expect(f, used);
	assert_int_equal(cma_alloc(h, 1, 512, 0), SECOND_PFN);
	assert_int_equal(cma_alloc(h, 0, AREA_PAGES, 0), AREA_PFN);
	assert_int_equal(alloc_page(h, GFP_HIGHUSER_MOVABLE), -EMM_ENOMEM);
	assert_int_equal(cma_release(h, 0, AREA_PFN + 10, 1), 0);
	assert_int_equal(alloc_page(h, GFP_HIGHUSER_MOVABLE), AREA_PFN + 10);
	helper_pages_expect(f, used + AREA_PAGES + 512);
	free(lent);
}

/* The lowest range of an area that is free, page by page. */
static int64_t first_fit(const struct helper_pages *f, uint64_t nr, unsigned int align_order)
{
	const struct buddy *b = &cma_zone(&f->pa, 0)->mm.buddy;
	uint64_t align = 1ULL << align_order, len;

	for (uint64_t at = (AREA_PFN + align - 1) & ~(align - 1); at + nr <= AREA_PFN + AREA_PAGES;
	     at += align) {
		for (len = 0; len < nr && buddy_page_is_free(b, at + len); len++)
			;
		if (len == nr)
			return (int64_t)at;
	}
	return -EMM_EBUSY;
}

static uint64_t chance(uint64_t *rng, uint64_t below)
{
	*rng = *rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*rng >> 33) % below;
}

/* Claims and loans at random: a claim has the first range that is free, and fails if none is. */
static void test_random(void **state)
{
	struct {
		uint64_t pfn;
		uint64_t nr;
		bool is_lent;
	} live[256];
	struct helper_pages *f = *state;
	uint64_t used, rng = 3, out = 0;
	unsigned int nr_live = 0;
	struct page_hart *h;

	start(f);
	h = &f->pa.harts[0];
	used = use_up(h);
	assert_int_equal(cma_alloc(h, 1, 512, 0), SECOND_PFN);
	used += 512;
	for (int i = 0; i < 1500; i++) {
		unsigned int what = (unsigned int)chance(&rng, 4), order;
		uint64_t nr = 1 + chance(&rng, 1ULL << chance(&rng, 11));
		int64_t pfn;

		if (nr_live && (what == 0 || nr_live == ARRAY_SIZE(live))) {
			uint64_t k = chance(&rng, nr_live);

			assert_int_equal(live[k].is_lent
						 ? free_pages(h, live[k].pfn,
							      live[k].nr == 1 ? 0 : 2)
						 : cma_release(h, 0, live[k].pfn, live[k].nr),
					 0);
			out -= live[k].nr;
			live[k] = live[--nr_live];
			continue;
		}
		order = (unsigned int)chance(&rng, 2) * 2;
		if (what == 1) {
			nr = 1ULL << order;
			pfn = alloc_pages(h, GFP_HIGHUSER_MOVABLE, order);
			assert_true(pfn == -EMM_ENOMEM || in_area(pfn, 0));
		} else {
			page_hart_drain(h);
			order = (unsigned int)chance(&rng, 8);
			pfn = cma_alloc(h, 0, nr, order);
			if (pfn >= 0)
				assert_int_equal(cma_release(h, 0, (uint64_t)pfn, nr), 0);
			assert_int_equal(pfn, first_fit(f, nr, order));
			if (pfn >= 0)
				assert_int_equal(cma_alloc(h, 0, nr, order), pfn);
		}
		if (pfn < 0)
			continue;
		live[nr_live].pfn = (uint64_t)pfn;
		live[nr_live].nr = nr;
		live[nr_live++].is_lent = what == 1;
		out += nr;
		if (i % 64 == 0)
			helper_pages_expect(f, used + out);
	}
	helper_pages_expect(f, used + out);
}

/* What another hart has borrowed for itself is asked for. */
static void test_other_hart(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	int64_t pfn;

	f->cfg.nr_harts = 2;
	start(f);
	h = &f->pa.harts[0];
	use_up(h);
	pfn = alloc_page(&f->pa.harts[1], GFP_HIGHUSER_MOVABLE);
	assert_true(in_area(pfn, 0));
	assert_int_equal(cma_alloc(h, 0, AREA_PAGES, 0), -EMM_EAGAIN);
	assert_int_equal(free_page(&f->pa.harts[1], (uint64_t)pfn), 0);
	assert_int_equal(cma_alloc(h, 0, AREA_PAGES, 0), AREA_PFN);
}

/* An area that is not reserved for a region is not lent, and is nobody's. */
static void test_dropped(void **state)
{
	struct helper_pages *f = *state;

	helper_pages_ram(f, PFN_PHYS(BASE_PFN), MIB(64), 0);
	f->cfg.cma = areas;
	f->cfg.nr_cma = ARRAY_SIZE(areas);
	assert_int_equal(memblock_reserve_cause(&f->h->mb, PFN_PHYS(SECOND_PFN), PFN_PHYS(512),
						CAUSE_RESERVED_MEMORY),
			 0);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_cma, 1);
	assert_int_equal(cma_alloc(&f->pa.harts[0], 0, 512, 9), SECOND_PFN);
	assert_int_equal(cma_alloc(&f->pa.harts[0], 1, 1, 0), -EMM_ENOENT);
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], AREA_PFN, AREA_PFN + AREA_PAGES, 0),
			 0);
	/* Not across an area's border, from either side. */
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], SECOND_PFN - 1, SECOND_PFN + 1, 0),
			 -EMM_ERANGE);
	assert_int_equal(cma_release(&f->pa.harts[0], 0, SECOND_PFN, 512), 0);
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], SECOND_PFN + 511, SECOND_PFN + 513, 0),
			 -EMM_ERANGE);
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], SECOND_PFN, SECOND_PFN + 512, 0), 0);
	helper_pages_expect(f, AREA_PAGES + 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_claims),  pages_test(test_lent),       pages_test(test_random),
		pages_test(test_dropped), pages_test(test_other_hart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
