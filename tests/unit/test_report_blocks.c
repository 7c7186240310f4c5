/* SPDX-License-Identifier: BSD-2-Clause */
/* Free blocks in ranges, against a count page by page. */
#include "helper_report.h"

#include <stdlib.h>
#include <string.h>

#define BASE     0x80000000
#define START    PFN_DOWN(BASE)
#define NR_PAGES ((uint64_t)MIB(32) >> PAGE_SHIFT)

/* Is the aligned block free as a whole? @at: what pages are. */
static bool is_free_block(const bool *at, uint64_t pfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1ULL << order; i++)
		if (pfn + i - START >= NR_PAGES || !at[pfn + i - START])
			return false;
	return true;
}

/* Maximal free blocks that begin in [start, end), by looking at each page. */
static void count_pages(const bool *at, uint64_t start, uint64_t end,
			uint64_t counts[BUDDY_MAX_ORDER + 1])
{
	memset(counts, 0, sizeof(uint64_t) * (BUDDY_MAX_ORDER + 1));
	for (uint64_t pfn = START; pfn < START + NR_PAGES;) {
		unsigned int order = BUDDY_MAX_ORDER + 1;

		while (order-- > 0)
			if (!(pfn & ((1ULL << order) - 1)) && is_free_block(at, pfn, order))
				break;
		if (order > BUDDY_MAX_ORDER) {
			pfn++;
			continue;
		}
		if (pfn >= start && pfn < end)
			counts[order]++;
		pfn += 1ULL << order;
	}
}

static void expect_same(const struct buddy *b, const bool *at, uint64_t start, uint64_t end)
{
	uint64_t got[BUDDY_MAX_ORDER + 1], want[BUDDY_MAX_ORDER + 1];

	memset(got, 0xa5, sizeof(got));
	buddy_nr_blocks_in(b, start, end, got);
	count_pages(at, start, end, want);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++)
		if (got[order] != want[order])
			fail_msg("[%#llx, %#llx): order %u: %llu instead of %llu",
				 (unsigned long long)start, (unsigned long long)end, order,
				 (unsigned long long)got[order], (unsigned long long)want[order]);
}

static uint64_t random_below(uint64_t *seed, uint64_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*seed >> 33) % n;
}

static void test_ranges(void **state)
{
	struct helper_pages *f = *state;
	static bool at[NR_PAGES];
	const struct buddy *b;
	struct zone *z;
	uint64_t seed = 1;

	helper_pages_ram(f, BASE, MIB(32), 0);
	helper_report_start(f);
	z = &f->pa.zones[0];
	b = &z->mm.buddy;
	for (int i = 0; i < 150; i++) {
		unsigned int order = (unsigned int)random_below(&seed, 9);
		uint64_t pfn = START + (random_below(&seed, NR_PAGES) >> order << order);

		if (buddy_page_is_free(b, pfn) &&
		    !buddy_claim(zone_context(z, 0, MIGRATE_UNMOVABLE), pfn, order)) {
			z->harts[0].taken[0][order]++;
			z->harts[0].taken_pages += 1ULL << order;
		}
	}
	for (uint64_t i = 0; i < NR_PAGES; i++)
		at[i] = buddy_page_is_free(b, START + i);
	for (int i = 0; i < 150; i++) {
		uint64_t start = START - 100 + random_below(&seed, NR_PAGES + 200);

		expect_same(b, at, start, start + random_below(&seed, i % 2 ? NR_PAGES : 200));
	}
	expect_same(b, at, 0, UINT64_MAX);
	expect_same(b, at, START, START);
	expect_same(b, at, START + 1, START);
	expect_same(b, at, UINT64_MAX - 1, UINT64_MAX);
	expect_same(b, at, 0, START);
	expect_same(b, at, START + NR_PAGES, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
