/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several harts on one tree, used in turn: each has a part of it to itself as long as there is room
 * there, then it takes from others; and nothing of all that is left when everything is free again.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#define MAX_HARTS   128
#define GROUP_PAGES (1U << (2 * BUDDY_RADIX_SHIFT))
#define LINE_SHIFT  (BUDDY_RADIX_SHIFT + 3) /* pages whose words share a cache line */
#define MAX_ORDER   (BUDDY_NR_STACKS - 1)
#define START_PFN   0x100000
#define NOBODY      0xff

struct fixture {
	struct buddy b;
	struct buddy_tree trees[2];
	struct buddy_hart harts[2 * MAX_HARTS];
	void *meta[2];
	uint32_t nr_harts;
	uint64_t nr_pages;
	uint64_t x; /* random numbers */
	uint8_t *line_of; /* the hart, of each line */
	uint64_t *live; /* pfn << 8 | order, of all harts */
	uint32_t nr_live, max_live;
};

static uint64_t xorshift(struct fixture *f)
{
	f->x ^= f->x << 13;
	f->x ^= f->x >> 7;
	f->x ^= f->x << 17;
	return f->x;
}

static void add_tree(struct fixture *f, uint64_t start_pfn, uint64_t nr_pages)
{
	uint64_t bytes = buddy_tree_bytes(start_pfn, start_pfn + nr_pages);
	void **meta = &f->meta[f->b.nr_trees];

	*meta = malloc(bytes);
	assert_non_null(*meta);
	memset(*meta, 0xa5, bytes);
	assert_int_equal(buddy_add_tree(&f->b, start_pfn, start_pfn + nr_pages, *meta, bytes), 0);
	assert_int_equal(buddy_add_range(f->harts, start_pfn, start_pfn + nr_pages, 0, UINT64_MAX),
			 0);
	f->nr_pages += nr_pages;
}

/* With @paired hart i has the contexts i and nr_harts + i. */
static struct fixture *begin(uint32_t nr_harts, bool paired, uint64_t nr_pages)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) & ~63ULL);

	assert_non_null(f);
	memset(f, 0xa5, sizeof(*f));
	memset(f->meta, 0, sizeof(f->meta));
	f->nr_harts = nr_harts;
	f->nr_pages = 0;
	f->x = 42;
	assert_int_equal(buddy_init(&f->b, f->trees, 2, f->harts, paired ? 2 * nr_harts : nr_harts),
			 0);
	for (uint32_t i = 0; paired && i < nr_harts; i++)
		buddy_pair(&f->harts[i], &f->harts[nr_harts + i]);
	add_tree(f, START_PFN, nr_pages);
	f->line_of = malloc(nr_pages >> LINE_SHIFT);
	f->max_live = (uint32_t)nr_pages;
	f->live = malloc(nr_pages * sizeof(*f->live));
	f->nr_live = 0;
	assert_non_null(f->line_of);
	assert_non_null(f->live);
	memset(f->line_of, NOBODY, nr_pages >> LINE_SHIFT);
	return f;
}

static void finish(struct fixture *f)
{
	free(f->live);
	free(f->line_of);
	free(f->meta[0]);
	free(f->meta[1]);
	free(f);
}

static int64_t get(struct fixture *f, struct buddy_hart *h, unsigned int order)
{
	int64_t pfn = buddy_alloc(h, order);

	if (pfn >= 0) {
		assert_true(f->nr_live < f->max_live);
		f->live[f->nr_live++] = (uint64_t)pfn << 8 | order;
	}
	return pfn;
}

static void put(struct fixture *f, struct buddy_hart *h, uint32_t at)
{
	uint64_t block = f->live[at];

	f->live[at] = f->live[--f->nr_live];
	assert_int_equal(buddy_free(h, block >> 8, (unsigned int)(block & 0xff)), 0);
}

/* Of the first tree, as it was in the beginning. */
static void expect_all_merged(struct fixture *f)
{
	uint64_t counts[BUDDY_MAX_ORDER + 1], left = f->nr_pages;

	while (f->nr_live)
		put(f, f->harts, (uint32_t)(xorshift(f) % f->nr_live));
	for (uint32_t i = 0; i < f->b.nr_harts; i++)
		buddy_drain(&f->harts[i]);
	assert_true(buddy_is_valid(&f->b));
	assert_int_equal(buddy_nr_free(&f->b), f->nr_pages);
	buddy_nr_blocks(&f->b, counts);
	/* START_PFN is aligned to anything: the largest blocks come first. */
	for (unsigned int order = BUDDY_MAX_ORDER + 1; order-- > 0;) {
		assert_int_equal(counts[order], left >> order);
		left &= (1ULL << order) - 1;
	}
}

static void claim_line(struct fixture *f, uint64_t pfn, uint32_t hart)
{
	uint8_t *owner = &f->line_of[(pfn - START_PFN) >> LINE_SHIFT];

	if (*owner == NOBODY)
		*owner = (uint8_t)hart;
	assert_int_equal(*owner, hart);
}

/*
 * In turn, all small orders, three blocks for each that goes, until so much of the memory is in use:
 * what stacks keep comes on top. No line is ever had by two.
 */
static void expect_apart(uint32_t nr_harts, bool paired, uint64_t nr_pages, uint64_t most)
{
	struct fixture *f = begin(nr_harts, paired, nr_pages);
	uint64_t used = 0;

	for (uint32_t turn = 0; used < most; turn++) {
		uint32_t hart = turn % nr_harts;
		struct buddy_hart *h = &f->harts[hart];
		unsigned int order = (unsigned int)(xorshift(f) % (MAX_ORDER + 1));
		int64_t pfn;

		if (paired && (xorshift(f) & 1))
			h = h->sibling;
		pfn = get(f, h, order);
		assert_true(pfn >= 0);
		claim_line(f, (uint64_t)pfn, hart);
		used += 1ULL << order;
		if (xorshift(f) % 3 == 0) {
			uint32_t at = (uint32_t)(xorshift(f) % f->nr_live);

			used -= 1ULL << (f->live[at] & 0xff);
			put(f, h, at);
		}
		assert_int_equal(h->events.moves, 0);
	}
	expect_all_merged(f);
	finish(f);
}

static void test_apart(void **state)
{
	static const uint32_t nr_harts[] = { 2, 3, 7, 8, 64, 128 };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(nr_harts); i++) {
		expect_apart(nr_harts[i], false, 128 * GROUP_PAGES, 64 * GROUP_PAGES);
		expect_apart(nr_harts[i], true, 128 * GROUP_PAGES, 64 * GROUP_PAGES);
	}
}

/* Less than a level 1 word for each hart: they share it, in whole lines. */
static void test_apart_in_one_group(void **state)
{
	(void)state;
	expect_apart(4, false, GROUP_PAGES, GROUP_PAGES / 4);
	expect_apart(16, false, 8 * GROUP_PAGES, 2 * GROUP_PAGES);
	expect_apart(128, false, 64 * GROUP_PAGES, 16 * GROUP_PAGES);
	expect_apart(100, false, 64 * GROUP_PAGES, 16 * GROUP_PAGES);
}

/* One hart among many has all of the memory if it wants to, and each page once. */
static void expect_all_for_one(uint32_t nr_harts, bool movable, uint64_t nr_pages)
{
	struct fixture *f = begin(nr_harts, true, nr_pages);
	struct buddy_hart *h = movable ? f->harts[1].sibling : &f->harts[1];
	uint8_t *seen = calloc(1, nr_pages);
	int64_t pfn;

	assert_non_null(seen);
	while ((pfn = get(f, h, 0)) >= 0) {
		assert_in_range(pfn, START_PFN, START_PFN + nr_pages - 1);
		assert_false(seen[pfn - START_PFN]);
		seen[pfn - START_PFN] = 1;
	}
	assert_int_equal(pfn, -EMM_ENOMEM);
	assert_int_equal(f->nr_live, nr_pages);
	/* From span to span, the upper half and then the rest; not word by word. */
	assert_in_range(h->events.moves, nr_harts - 1, 3 * nr_harts);
	expect_all_merged(f);
	free(seen);
	finish(f);
}

static void test_all_for_one(void **state)
{
	(void)state;
	expect_all_for_one(2, false, 4 * GROUP_PAGES);
	expect_all_for_one(2, true, 4 * GROUP_PAGES);
	expect_all_for_one(16, false, 64 * GROUP_PAGES);
	expect_all_for_one(16, true, 64 * GROUP_PAGES);
	expect_all_for_one(8, false, 2 * GROUP_PAGES + 100);
	expect_all_for_one(8, true, 2 * GROUP_PAGES + 100);
}

/* Where the hart's pages lie: a quarter of the tree. */
static uint64_t quarter(const struct fixture *f, int64_t pfn)
{
	assert_true(pfn >= START_PFN);
	return ((uint64_t)pfn - START_PFN) / (f->nr_pages / 4);
}

static void fill(struct fixture *f, uint32_t hart, uint64_t nr_pages)
{
	for (uint64_t i = 0; i < nr_pages; i++)
		assert_int_equal(quarter(f, get(f, &f->harts[hart], 0)), hart);
}

/* All that there is, but for what is kept in words in use. Returns the first page from elsewhere. */
static int64_t fill_up(struct fixture *f, uint32_t hart)
{
	uint64_t nr_pages = 0;
	int64_t pfn;

	for (;; nr_pages++) {
		pfn = get(f, &f->harts[hart], 0);
		if (quarter(f, pfn) != hart)
			break;
		assert_int_equal(f->harts[hart].events.moves, 0);
	}
	assert_int_equal(f->harts[hart].events.moves, 1);
	assert_in_range(nr_pages, f->nr_pages / 4 * 97 / 100, f->nr_pages / 4);
	return pfn;
}

/* To the span that has most, and there not where its own hart is. Home when that is free again. */
static void test_to_the_fullest(void **state)
{
	const uint64_t span = 8 * GROUP_PAGES;
	struct fixture *f = begin(4, false, 4 * span);
	struct buddy_hart *h = &f->harts[0];
	uint32_t mine;
	int64_t pfn;

	(void)state;
	fill(f, 1, span / 4);
	fill(f, 3, span / 2);
	mine = f->nr_live + 1;
	fill(f, 2, 1);
	pfn = fill_up(f, 0);
	assert_int_equal(quarter(f, pfn), 2);
	assert_true((uint64_t)pfn >= START_PFN + 2 * span + span / 2);
	/* One word of its own is not worth the way; half of them are. */
	for (uint32_t i = 0; i < span / 2; i++)
		put(f, &f->harts[1], mine);
	for (uint32_t i = 0; i < 2 * BUDDY_RADIX; i++)
		pfn = get(f, h, 0);
	assert_int_equal(quarter(f, pfn), 2);
	for (uint32_t i = 0; i < GROUP_PAGES; i++)
		pfn = get(f, h, 0);
	assert_int_equal(quarter(f, pfn), 0);
	expect_all_merged(f);
	finish(f);
}

/* A drain brings it home. */
static void test_drained_is_home(void **state)
{
	struct fixture *f = begin(4, false, 16 * GROUP_PAGES);
	struct buddy_hart *h = &f->harts[0];

	(void)state;
	fill_up(f, 0);
	for (uint32_t i = 0; i < GROUP_PAGES / 4; i++)
		put(f, h, i);
	buddy_drain(h);
	assert_int_equal(quarter(f, get(f, h, 0)), 0);
	expect_all_merged(f);
	finish(f);
}

/* Harts that do nothing do not break up what they would begin with. */
static void test_idle_harts(void **state)
{
	const uint64_t nr_pages = 4ULL << BUDDY_MAX_ORDER;
	struct fixture *f = begin(4, true, nr_pages);
	int64_t large[4];

	(void)state;
	for (unsigned int i = 0; i < 100000; i++)
		assert_int_equal(quarter(f, get(f, f->harts, 0)), 0);
	for (unsigned int i = 0; i < 3; i++) {
		large[i] = buddy_alloc(f->harts, BUDDY_MAX_ORDER);
		assert_true(large[i] >= 0);
	}
	assert_int_equal(buddy_alloc(f->harts, BUDDY_MAX_ORDER), -EMM_ENOMEM);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(buddy_free(f->harts, (uint64_t)large[i], BUDDY_MAX_ORDER), 0);
	expect_all_merged(f);
	finish(f);
}

static uint64_t nr_order9(const struct fixture *f)
{
	uint64_t counts[BUDDY_MAX_ORDER + 1], nr = 0;

	buddy_nr_blocks(&f->b, counts);
	for (unsigned int order = 9; order <= BUDDY_MAX_ORDER; order++)
		nr += counts[order] << (order - 9);
	return nr;
}

/* A quarter in use by eight harts, which age: pages come and go at random, freed by any hart. */
static void test_huge_pages(void **state)
{
	const uint64_t nr_pages = 64 * GROUP_PAGES;
	struct fixture *f = begin(8, false, nr_pages);

	(void)state;
	while (f->nr_live < nr_pages / 4)
		assert_true(get(f, &f->harts[xorshift(f) % 8], 0) >= 0);
	for (unsigned int i = 0; i < 400000; i++) {
		put(f, &f->harts[xorshift(f) % 8], (uint32_t)(xorshift(f) % f->nr_live));
		assert_true(get(f, &f->harts[xorshift(f) % 8], 0) >= 0);
	}
	for (uint32_t i = 0; i < 8; i++)
		buddy_drain(&f->harts[i]);
	assert_in_range(nr_order9(f), (nr_pages - f->nr_live) / 512 * 90 / 100, nr_pages / 512);
	expect_all_merged(f);
	finish(f);
}

/* A tree that has nothing left, for anyone: the next one, and there a part of one's own again. */
static void test_next_tree(void **state)
{
	struct fixture *f = begin(2, false, GROUP_PAGES / 2);
	uint64_t second = START_PFN + (64ULL << BUDDY_MAX_ORDER);

	(void)state;
	while (f->nr_live < GROUP_PAGES / 2)
		assert_true(get(f, f->harts, 0) >= 0);
	add_tree(f, second, 4 * GROUP_PAGES);
	f->live = realloc(f->live, f->nr_pages * sizeof(*f->live));
	assert_non_null(f->live);
	f->max_live = (uint32_t)f->nr_pages;
	for (unsigned int i = 0; i < GROUP_PAGES; i++) {
		assert_in_range(get(f, &f->harts[0], 0), second, second + 2 * GROUP_PAGES - 1);
		assert_in_range(get(f, &f->harts[1], 0), second + 2 * GROUP_PAGES,
				second + 4 * GROUP_PAGES - 1);
	}
	for (uint32_t i = 0; i < 2; i++)
		buddy_drain(&f->harts[i]);
	while (get(f, &f->harts[1], 0) >= 0)
		;
	assert_int_equal(f->nr_live, f->nr_pages);
	expect_all_merged(f);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart),           cmocka_unit_test(test_apart_in_one_group),
		cmocka_unit_test(test_all_for_one),     cmocka_unit_test(test_to_the_fullest),
		cmocka_unit_test(test_drained_is_home), cmocka_unit_test(test_idle_harts),
		cmocka_unit_test(test_huge_pages),      cmocka_unit_test(test_next_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
