/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_contig_range() against a model: it has a range if, and only if, no page of it is in use. */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

#include <stdlib.h>

#define BASE_PFN 0x80000ULL
#define NR_PAGES 16384ULL /* 64 MiB */

/* Ranges that a test has, and where chance comes from. */
struct ledger {
	uint64_t rng;
	unsigned int nr;
	struct {
		uint64_t pfn;
		uint64_t nr_pages;
	} live[700];
};

static uint64_t random64(struct ledger *l)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 7;
	l->rng ^= l->rng << 17;
	return l->rng;
}

/* All that the zone's trees have free, as the hart's stacks are empty; what is not is in use. */
static bool *map_of(struct helper_pages *f)
{
	bool *used = malloc(NR_PAGES * sizeof(*used));

	assert_non_null(used);
	for (uint64_t i = 0; i < NR_PAGES; i++)
		used[i] = !buddy_page_is_free(&f->pa.zones[0].mm.buddy, BASE_PFN + i);
	return used;
}

static bool any_used(const bool *used, uint64_t start, uint64_t end)
{
	for (uint64_t pfn = start; pfn < end; pfn++)
		if (used[pfn - BASE_PFN])
			return true;
	return false;
}

static void expect_used(struct helper_pages *f, const bool *used)
{
	uint64_t differ = 0;

	page_hart_drain(&f->pa.harts[0]);
	for (uint64_t i = 0; i < NR_PAGES; i++)
		differ += used[i] == buddy_page_is_free(&f->pa.zones[0].mm.buddy, BASE_PFN + i);
	assert_int_equal(differ, 0);
}

static void start_one_zone(struct helper_pages *f)
{
	helper_pages_ram(f, PFN_PHYS(BASE_PFN), PFN_PHYS(NR_PAGES), 0);
	helper_pages_start(f);
}

/* Some pages in use, at random; none, many, or a few in clusters. */
static uint64_t use_some(struct page_hart *h, struct ledger *l, unsigned int round)
{
	unsigned int nr = round % 3 == 0 ? 4 : round % 3 == 1 ? 60 : 700;
	uint64_t used = 0;

	for (unsigned int i = 0; i < nr; i++) {
		uint64_t pfn = BASE_PFN + random64(l) % NR_PAGES;
		unsigned int len = 1 + (unsigned int)(random64(l) % 5);

		if (!alloc_contig_range(h, pfn, pfn + len, GFP_KERNEL)) {
			l->live[l->nr].pfn = pfn;
			l->live[l->nr++].nr_pages = len;
			used += len;
		}
	}
	return used;
}

/* Ranges near a multiple of a power of two, and of every length. */
static void random_range(struct ledger *l, uint64_t *start, uint64_t *end)
{
	uint64_t len = 1 + (random64(l) >> 8) % (1ULL << (random64(l) % 15));
	uint64_t at = random64(l) % NR_PAGES;

	if (random64(l) & 1)
		at &= ~63ULL;
	if (at + len > NR_PAGES)
		len = NR_PAGES - at;
	*start = BASE_PFN + at;
	*end = *start + len;
}

static void check_range(struct helper_pages *f, const bool *used, uint64_t nr_used, uint64_t start,
			uint64_t end)
{
	struct page_hart *h = &f->pa.harts[0];
	struct zone_hart *zh = &f->pa.zones[0].harts[0];
	uint32_t claims = zh->claims, failures = zh->claim_failures;
	bool in_use = any_used(used, start, end);
	int err = alloc_contig_range(h, start, end, GFP_KERNEL);

	assert_int_equal(err, in_use ? -EMM_EBUSY : 0);
	assert_int_equal(zh->claims, claims + !in_use);
	assert_int_equal(zh->claim_failures, failures + in_use);
	if (!err) {
		assert_int_equal(zone_free_pages(&f->pa, &f->pa.zones[0]) + nr_used + (end - start),
				 f->pa.zones[0].mm.managed_pages);
		for (uint64_t pfn = start; pfn < end; pfn++)
			assert_false(buddy_page_is_free(&f->pa.zones[0].mm.buddy, pfn));
		assert_int_equal(alloc_contig_range(h, end - 1, end, GFP_KERNEL), -EMM_EBUSY);
		assert_int_equal(free_contig_range(h, start, end - start), 0);
		assert_int_equal(free_contig_range(h, start, end - start), -EMM_EDOUBLE);
	}
	expect_used(f, used);
}

static void test_model(void **state)
{
	struct helper_pages *f = *state;
	struct ledger l = { .rng = 0x9e3779b97f4a7c15ULL };
	struct page_hart *h;

	start_one_zone(f);
	h = &f->pa.harts[0];
	for (unsigned int round = 0; round < 6; round++) {
		uint64_t nr_used = use_some(h, &l, round), start, end;
		bool *used = map_of(f);

		helper_pages_expect(f, nr_used);
		for (int i = 0; i < 30; i++) {
			random_range(&l, &start, &end);
			check_range(f, used, nr_used, start, end);
		}
		helper_pages_expect(f, nr_used);
		free(used);
		while (l.nr--)
			assert_int_equal(
				free_contig_range(h, l.live[l.nr].pfn, l.live[l.nr].nr_pages), 0);
		l.nr = 0;
		helper_pages_expect(f, 0);
	}
}

/* Pages of the hart's own stacks are no obstacle; those of others are, until they answer. */
static void test_stacks(void **state)
{
	struct helper_pages *f = *state;
	const struct buddy_hart *held;
	uint64_t start, end, nr_used = 2;
	int64_t pfn[3];

	f->cfg.nr_harts = 2;
	start_one_zone(f);
	pfn[0] = alloc_page(&f->pa.harts[0], GFP_KERNEL);
	pfn[1] = alloc_page(&f->pa.harts[0], GFP_HIGHUSER_MOVABLE);
	assert_true(pfn[0] >= 0 && pfn[1] >= 0);
	start = (uint64_t)pfn[0] + 1;
	end = start + 16;
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], start, end, GFP_KERNEL), 0);
	assert_int_equal(free_contig_range(&f->pa.harts[1], start, 16), 0);
	held = zone_context(&f->pa.zones[0], 1, MIGRATE_UNMOVABLE);
	do {
		pfn[2] = alloc_page(&f->pa.harts[1], GFP_KERNEL);
		assert_true(pfn[2] >= 0);
		nr_used++;
	} while (*held->top[0] < 0);
	start = (uint64_t)*held->top[0];
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], start, start + 1, 0), -EMM_EAGAIN);
	helper_pages_expect(f, nr_used);
	/* It answers at its next operation that takes more than its stack. */
	assert_int_equal(free_page(&f->pa.harts[1], (uint64_t)pfn[2]), 0);
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], start, start + 1, 0), 0);
	helper_pages_expect(f, nr_used);
	/* Nobody holds anything now: it is in use. */
	assert_int_equal(alloc_contig_range(&f->pa.harts[0], start, start + 1, 0), -EMM_EBUSY);
}

/* Two banks with a gap, two zones, and what was never added. */
static void test_borders(void **state)
{
	struct helper_pages *f = *state;
	uint64_t a = PFN_DOWN(0x90000000), b = PFN_DOWN(0xa0000000), high = DMA32_END_PFN;
	struct page_hart *h;

	helper_pages_ram(f, PFN_PHYS(a), MIB(32), 0);
	helper_pages_ram(f, PFN_PHYS(b), MIB(32), 0);
	helper_pages_ram(f, PFN_PHYS(high) - MIB(16), MIB(32), 0);
	f->cfg.highmem_pfn = high + 2048;
	assert_int_equal(memblock_reserve(&f->h->mb, PFN_PHYS(b + 100), PAGE_SIZE), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	assert_int_equal(alloc_contig_range(h, a + 8191, b + 1, 0), -EMM_ERANGE);
	assert_int_equal(alloc_contig_range(h, a + 8191, a + 8193, 0), -EMM_ERANGE);
	assert_int_equal(alloc_contig_range(h, high - 1, high + 1, 0), -EMM_ERANGE);
	assert_int_equal(alloc_contig_range(h, 0, 1, 0), -EMM_ERANGE);
	assert_int_equal(alloc_contig_range(h, UINT64_MAX - 1, UINT64_MAX, 0), -EMM_ERANGE);
	assert_int_equal(alloc_contig_range(h, high + 2048, high + 2049, 0), -EMM_ESTATE);
	assert_int_equal(alloc_contig_range(h, b, b, 0), -EMM_EINVAL);
	assert_int_equal(alloc_contig_range(h, b + 1, b, 0), -EMM_EINVAL);
	assert_int_equal(alloc_contig_range(h, b, b + 1, __GFP_COMP), -EMM_EINVAL);
	assert_int_equal(alloc_contig_range(h, b, b + 1, 0x100), -EMM_EINVAL);
	assert_int_equal(h->refusals, 10);
	assert_int_equal(alloc_contig_range(h, b + 99, b + 101, 0), -EMM_EBUSY);
	assert_int_equal(alloc_contig_range(h, b + 101, b + 8192, 0), 0);
	assert_int_equal(alloc_contig_range(h, b, b + 100, 0), 0);
	helper_pages_expect(f, 8191);
	assert_int_equal(free_contig_range(h, b + 8000, 193), -EMM_ERANGE);
	assert_int_equal(free_contig_range(h, b + 8000, 0), -EMM_EINVAL);
	assert_int_equal(free_contig_range(h, 0, 1), -EMM_ERANGE);
	/* In parts of any kind. */
	assert_int_equal(free_contig_range(h, b + 8000, 192), 0);
	assert_int_equal(free_pages(h, b + 4096, 11), 0);
	assert_int_equal(free_contig_range(h, b, 100), 0);
	assert_int_equal(free_contig_range(h, b + 101, 4096 - 101), 0);
	assert_int_equal(free_contig_range(h, b + 6144, 8000 - 6144), 0);
	helper_pages_expect(f, 0);
}

/* All of a zone that nothing is reserved in. */
static void test_whole_zone(void **state)
{
	struct helper_pages *f = *state;
	const uint64_t nr = 3 * 262144ULL + 4096;
	struct page_hart *h;
	struct zone *z;
	int64_t pfn;

	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, 0x100000000, PFN_PHYS(nr), 0, 0), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	z = helper_zone(f, ZONE_NORMAL, 0);
	pfn = alloc_page(h, GFP_KERNEL);
	assert_true(pfn >= (int64_t)z->mm.start_pfn);
	assert_int_equal(alloc_contig_range(h, z->mm.start_pfn, z->mm.end_pfn, 0), -EMM_EBUSY);
	helper_pages_expect(f, 1);
	assert_int_equal(free_page(h, (uint64_t)pfn), 0);
	assert_int_equal(alloc_contig_range(h, z->mm.start_pfn, z->mm.end_pfn, 0), 0);
	assert_int_equal(zone_free_pages(&f->pa, z), 0);
	pfn = alloc_page(h, GFP_KERNEL);
	assert_true(pfn >= 0 && (uint64_t)pfn < DMA32_END_PFN);
	assert_int_equal(free_page(h, (uint64_t)pfn), 0);
	assert_int_equal(free_contig_range(h, z->mm.start_pfn, nr), 0);
	helper_pages_expect(f, 0);
	assert_true(alloc_pages(h, GFP_KERNEL, BUDDY_MAX_ORDER) >= (int64_t)z->mm.start_pfn);
}

/* The first run that is long enough, against a look at each page. */
static void check_search(struct helper_pages *f, const bool *used, uint64_t nr)
{
	struct page_hart *h = &f->pa.harts[0];
	uint64_t align = nr & (nr - 1) ? 1 : nr, at = 0, len = 0;
	int64_t pfn;

	for (at = 0; at + nr <= NR_PAGES; at += align) {
		for (len = 0; len < nr && !used[at + len]; len++)
			;
		if (len == nr)
			break;
	}
	pfn = alloc_contig_pages(h, nr, __GFP_MEMALLOC, NUMA_NO_NODE);
	if (len < nr) {
		assert_int_equal(pfn, -EMM_ENOMEM);
		return;
	}
	assert_int_equal(pfn, BASE_PFN + at);
	assert_int_equal(free_contig_range(h, (uint64_t)pfn, nr), 0);
}

static void test_search(void **state)
{
	struct helper_pages *f = *state;
	struct ledger l = { .rng = 0x9e3779b97f4a7c15ULL };
	struct page_hart *h;
	uint64_t nr_used = 0;

	start_one_zone(f);
	h = &f->pa.harts[0];
	for (unsigned int round = 0; round < 6; round++) {
		bool *used;

		nr_used += use_some(h, &l, round);
		used = map_of(f);
		for (int i = 0; i < 30; i++)
			check_search(f, used,
				     1 + (random64(&l) >> 8) % (1ULL << (random64(&l) % 14)));
		for (uint64_t nr = 1; nr <= NR_PAGES; nr *= 2)
			check_search(f, used, nr);
		expect_used(f, used);
		helper_pages_expect(f, nr_used);
		free(used);
		l.nr = 0;
	}
	assert_int_equal(alloc_contig_pages(h, 0, 0, 0), -EMM_EINVAL);
	assert_int_equal(alloc_contig_pages(h, 1, 0, 1), -EMM_EINVAL);
	assert_int_equal(alloc_contig_pages(h, 1, __GFP_COMP, 0), -EMM_EINVAL);
	assert_int_equal(alloc_contig_pages(h, UINT64_MAX, 0, 0), -EMM_ENOMEM);
}

/* Memory that begins in the middle of a word of each level, and is reserved up to the next. */
static void test_search_from_middle(void **state)
{
	const uint64_t first = BASE_PFN + 256, next = BASE_PFN + 4096;
	struct helper_pages *f = *state;
	struct page_hart *h;

	helper_pages_ram(f, PFN_PHYS(first), MIB(63), 0);
	/* The metadata goes in front. */
	assert_int_equal(
		memblock_reserve(&f->h->mb, PFN_PHYS(first + 16), PFN_PHYS(next - first - 16)), 0);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	assert_true(f->pa.zones[0].mm.meta_pa < PFN_PHYS(first + 16));
	assert_int_equal(alloc_contig_pages(h, 100, 0, 0), next);
	assert_int_equal(alloc_contig_pages(h, 64, 0, 0), next + 128);
	assert_int_equal(alloc_contig_pages(h, 28, 0, 0), next + 100);
}

/* All that lies above the mark, and not a page more; nor has a hart been promised what is gone. */
static void test_search_at_mark(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	struct zone *z;
	uint64_t nr;
	int64_t pfn;

	f->cfg.nr_harts = 2;
	start_one_zone(f);
	h = &f->pa.harts[0];
	z = &f->pa.zones[0];
	/* The other hart may take much without a look. */
	pfn = alloc_page(&f->pa.harts[1], GFP_KERNEL);
	assert_true(pfn >= 0);
	assert_int_equal(free_page(&f->pa.harts[1], (uint64_t)pfn), 0);
	page_hart_drain(&f->pa.harts[1]);
	nr = zone_free_pages(&f->pa, z) - z->wmark[WMARK_MIN];
	assert_int_equal(alloc_contig_pages(h, nr + 1, GFP_KERNEL, 0), -EMM_ENOMEM);
	nr -= 100;
	assert_true(alloc_contig_pages(h, nr, GFP_KERNEL, 0) >= 0);
	for (; alloc_page(&f->pa.harts[1], GFP_KERNEL) >= 0;)
		nr++;
	page_hart_drain(&f->pa.harts[1]);
	assert_int_equal(zone_free_pages(&f->pa, z), z->wmark[WMARK_MIN]);
	helper_pages_expect(f, nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_model),          pages_test(test_stacks),
		pages_test(test_borders),        pages_test(test_whole_zone),
		pages_test(test_search),         pages_test(test_search_from_middle),
		pages_test(test_search_at_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
