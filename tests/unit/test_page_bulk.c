/* SPDX-License-Identifier: BSD-2-Clause */
/* Many pages at once: each once, each free again, and wrong ones refused one by one. */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 4096

static void start(struct helper_pages *f, uint32_t features)
{
	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	f->cfg.features = features;
	helper_pages_start(f);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* All different, in memory, and not free. */
static void expect_had(struct helper_pages *f, const uint64_t *pfns, uint64_t nr)
{
	uint64_t *sorted = malloc((nr + 1) * sizeof(*sorted));

	assert_non_null(sorted);
	memcpy(sorted, pfns, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), by_number);
	for (uint64_t i = 0; i < nr; i++) {
		assert_true(!i || sorted[i] > sorted[i - 1]);
		assert_true(page_zone(&f->pa, sorted[i]));
		assert_false(buddy_page_is_free(&f->pa.zones[0].mm.buddy, sorted[i]));
	}
	free(sorted);
}

static void check_counts(struct helper_pages *f)
{
	static const uint64_t counts[] = { 0, 1, 3, 62, 63, 64, 65, 200, 511, 512, 513, 4096 };
	uint64_t *pfns = malloc(MAX_PAGES * sizeof(*pfns)), failed = 7;
	struct page_hart *h = &f->pa.harts[0];

	assert_non_null(pfns);
	for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
		for (int movable = 0; movable < 2; movable++) {
			gfp_t gfp = movable ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL;

			assert_int_equal(alloc_pages_bulk(h, gfp, counts[i], pfns), counts[i]);
			expect_had(f, pfns, counts[i]);
			helper_pages_expect(f, counts[i]);
			assert_int_equal(free_pages_bulk(h, counts[i], pfns, &failed), 0);
			assert_int_equal(failed, 0);
			helper_pages_expect(f, 0);
		}
	}
	free(pfns);
}

static void test_counts(void **state)
{
	start(*state, 0);
	check_counts(*state);
}

static void test_recorded(void **state)
{
	start(*state, PAGE_ALLOC_OWNER);
	check_counts(*state);
}

/* Double frees in all positions are refused one by one, and the rest becomes free. */
static void test_wrong_frees(void **state)
{
	struct helper_pages *f = *state;
	uint64_t pfns[256], copy[256], failed;
	struct page_hart *h;

	start(f, 0);
	h = &f->pa.harts[0];
	assert_int_equal(alloc_pages_bulk(h, GFP_KERNEL, 256, pfns), 256);
	page_hart_drain(h);
	assert_int_equal(free_page(h, pfns[5]), 0);
	assert_int_equal(free_page(h, pfns[100]), 0);
	assert_int_equal(free_pages_bulk(h, 128, pfns, &failed), -EMM_EDOUBLE);
	assert_int_equal(failed, 2);
	helper_pages_expect(f, 128);
	/* All again: words that are free, as part of larger blocks too. */
	assert_int_equal(free_pages_bulk(h, 128, pfns, &failed), -EMM_EDOUBLE);
	assert_int_equal(failed, 128);
	helper_pages_expect(f, 128);
	/* One twice in a call, side by side and apart; one that is no memory. */
	memcpy(copy, &pfns[128], 128 * sizeof(*copy));
	copy[1] = copy[0];
	copy[127] = copy[60];
	copy[70] = 1;
	copy[71] = UINT64_MAX;
	assert_int_equal(free_pages_bulk(h, 128, copy, &failed), -EMM_EDOUBLE);
	assert_int_equal(failed, 4);
	helper_pages_expect(f, 4);
	assert_int_equal(free_pages_bulk(h, 2, &copy[70], NULL), -EMM_ERANGE);
	assert_int_equal(free_page(h, pfns[129]), 0);
	assert_int_equal(free_page(h, pfns[128 + 70]), 0);
	assert_int_equal(free_page(h, pfns[128 + 71]), 0);
	assert_int_equal(free_page(h, pfns[255]), 0);
	helper_pages_expect(f, 0);
	assert_int_equal(buddy_nr_held(zone_context(&f->pa.zones[0], 0, 0)), 0);
}

/* A range with nothing free in between, in rows that cross words: upwards, downwards, with a gap. */
static void test_rows(void **state)
{
	struct helper_pages *f = *state;
	uint64_t pfns[300], failed;
	struct page_hart *h;

	start(f, 0);
	h = &f->pa.harts[0];
	for (int round = 0; round < 3; round++) {
		uint64_t first = 0x81000 + 17;

		assert_int_equal(alloc_contig_range(h, first, first + 300, 0), 0);
		for (uint64_t i = 0; i < 300; i++)
			pfns[i] = first + (round == 0 ? i : round == 1 ? 299 - i : (i + 150) % 300);
		assert_int_equal(free_pages_bulk(h, 300, pfns, &failed), 0);
		assert_int_equal(failed, 0);
		helper_pages_expect(f, 0);
		assert_int_equal(free_pages_bulk(h, 300, pfns, &failed), -EMM_EDOUBLE);
		assert_int_equal(failed, 300);
		helper_pages_expect(f, 0);
	}
}

static void shuffle(uint64_t *pfns, uint64_t nr, uint64_t rng)
{
	for (uint64_t i = nr - 1; i > 0; i--) {
		uint64_t k, pfn = pfns[i];

		rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
		k = (rng >> 33) % (i + 1);
		pfns[i] = pfns[k];
		pfns[k] = pfn;
	}
}

/* Until nothing is left; back in any order, from two zones, by the other hart. */
static void test_all(void **state)
{
	struct helper_pages *f = *state;
	uint64_t *pfns = malloc(16384 * sizeof(*pfns)), before[NR_PAGE_ORDERS], failed;
	uint64_t after[NR_PAGE_ORDERS];
	int64_t had;

	assert_non_null(pfns);
	f->cfg.nr_harts = 2;
	helper_pages_ram(f, 0x100000000 - MIB(16), MIB(48), 0);
	helper_pages_start(f);
	buddy_nr_blocks(&f->pa.zones[0].mm.buddy, before);
	for (int round = 0; round < 3; round++) {
		had = alloc_pages_bulk(&f->pa.harts[0], GFP_USER | __GFP_MEMALLOC, 16384, pfns);
		assert_true(had > 12000 && had < 12288);
		helper_pages_expect(f, (uint64_t)had);
		assert_int_equal(alloc_pages_bulk(&f->pa.harts[0], __GFP_MEMALLOC, 1, pfns + had),
				 -EMM_ENOMEM);
		shuffle(pfns, (uint64_t)had, 99 + (uint64_t)round);
		assert_int_equal(
			free_pages_bulk(&f->pa.harts[round & 1], (uint64_t)had, pfns, &failed), 0);
		helper_pages_expect(f, 0);
	}
	page_hart_drain(&f->pa.harts[0]);
	buddy_nr_blocks(&f->pa.zones[0].mm.buddy, after);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(alloc_pages_bulk(&f->pa.harts[0], 0x100, 5, pfns), -EMM_EINVAL);
	free(pfns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_counts), pages_test(test_recorded), pages_test(test_wrong_frees),
		pages_test(test_rows),   pages_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
