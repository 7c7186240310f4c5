/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Movable and unmovable pages of one buddy: they stay apart, also after long use, so that large blocks
 * are to be had where all that moves has moved away. And all memory serves either.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

/* 1 GiB; a quarter of it where the processor is emulated. */
#ifdef __riscv
#define MAX_PAGES (1U << (28 - PAGE_SHIFT))
#define AGE_STEPS 75000
#else
#define MAX_PAGES (1U << (30 - PAGE_SHIFT))
#define AGE_STEPS 300000
#endif
/* Offsets of frames are below this. */
#define SPAN       (MAX_PAGES > 80001 ? MAX_PAGES : 80001)
#define BASE_PFN   0x80000ULL
#define HUGE_ORDER 9

enum { UNMOVABLE, MOVABLE };

/* Pages in use, by kind, as offsets from BASE_PFN. */
struct pages {
	uint32_t *at;
	uint32_t nr;
};

struct fixture {
	struct buddy b;
	struct buddy_tree trees[3];
	struct buddy_hart harts[2];
	void *meta[3];
	uint64_t managed;
	struct pages kind[2];
	uint64_t rng;
};

static uint64_t random64(struct fixture *f)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return f->rng >> 8;
}

static struct fixture *fixture_new(enum buddy_setting setting, uint64_t seed)
{
	struct fixture *f = aligned_alloc(64, sizeof(*f));

	assert_non_null(f);
	memset(f, 0xa5, sizeof(*f));
	memset(f->meta, 0, sizeof(f->meta));
	f->managed = 0;
	f->rng = seed * 0x9e3779b97f4a7c15ULL | 1;
	for (unsigned int kind = 0; kind < 2; kind++) {
		f->kind[kind].at = malloc(SPAN * sizeof(uint32_t));
		assert_non_null(f->kind[kind].at);
		f->kind[kind].nr = 0;
	}
	assert_int_equal(buddy_init(&f->b, f->trees, 3, f->harts, 2), 0);
	buddy_tune(&f->b, setting);
	buddy_pair(&f->harts[UNMOVABLE], &f->harts[MOVABLE]);
	return f;
}

/* A tree more, all free, its metadata full of garbage. Offsets from BASE_PFN. */
static void add_tree(struct fixture *f, uint64_t start, uint64_t end)
{
	uint64_t bytes = buddy_tree_bytes(BASE_PFN + start, BASE_PFN + end);
	uint32_t i = f->b.nr_trees;

	f->meta[i] = malloc(bytes);
	assert_non_null(f->meta[i]);
	memset(f->meta[i], 0xff, bytes);
	assert_int_equal(buddy_add_tree(&f->b, BASE_PFN + start, BASE_PFN + end, f->meta[i], bytes),
			 0);
	assert_int_equal(buddy_add_range(f->harts, BASE_PFN + start, BASE_PFN + end, 0, UINT64_MAX),
			 0);
	f->managed += end - start;
}

static void fixture_delete(struct fixture *f)
{
	for (unsigned int i = 0; i < 3; i++)
		free(f->meta[i]);
	for (unsigned int kind = 0; kind < 2; kind++)
		free(f->kind[kind].at);
	free(f);
}

static void drain(struct fixture *f)
{
	for (unsigned int kind = 0; kind < 2; kind++)
		buddy_drain(&f->harts[kind]);
}

/* False: there is none, and that is what was said. */
static bool get_page(struct fixture *f, unsigned int kind)
{
	struct pages *p = &f->kind[kind];
	int64_t pfn = buddy_alloc(&f->harts[kind], 0);

	if (pfn < 0) {
		assert_int_equal(pfn, -EMM_ENOMEM);
		return false;
	}
	p->at[p->nr++] = (uint32_t)((uint64_t)pfn - BASE_PFN);
	return true;
}

/* One that is in use, by chance; the allocator is told by either. */
static void put_page(struct fixture *f, unsigned int kind)
{
	struct pages *p = &f->kind[kind];
	uint64_t pick = random64(f), i = pick % p->nr;

	assert_int_equal(buddy_free(&f->harts[pick >> 40 & 1], BASE_PFN + p->at[i], 0), 0);
	p->at[i] = p->at[--p->nr];
}

static void age(struct fixture *f, unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++) {
		put_page(f, MOVABLE);
		assert_true(get_page(f, MOVABLE));
	}
}

/* With all movable pages gone: the blocks of HUGE_ORDER that are there, of as many as there could be. */
static unsigned int huge_per_cent(struct fixture *f, const char *name)
{
	uint64_t ideal = (f->managed - f->kind[UNMOVABLE].nr) >> HUGE_ORDER, nr = 0;

	while (f->kind[MOVABLE].nr)
		put_page(f, MOVABLE);
	drain(f);
	assert_int_equal(buddy_nr_free(&f->b), f->managed - f->kind[UNMOVABLE].nr);
	assert_true(buddy_is_valid(&f->b));
	while (buddy_alloc(f->harts, HUGE_ORDER) >= 0)
		nr++;
	print_message("# %s: %llu of %llu blocks of order %u\n", name, (unsigned long long)nr,
		      (unsigned long long)ideal, HUGE_ORDER);
	return (unsigned int)(nr * 100 / ideal);
}

/* All memory is used up, a page in ten is unmovable; then movable pages come and go. */
static void test_random_fill(void **state)
{
	(void)state;
	for (unsigned int setting = BUDDY_DEFAULT; setting <= BUDDY_HEALING; setting++) {
		struct fixture *f = fixture_new(setting, 1);

		add_tree(f, 0, MAX_PAGES);
		while (get_page(f, random64(f) % 10 ? MOVABLE : UNMOVABLE))
			;
		age(f, AGE_STEPS);
		assert_in_range(huge_per_cent(f, "a random fill, then aged"), 97, 100);
		fixture_delete(f);
	}
}

/* The same with a fifth of memory free, and unmovable pages come and go as well. */
static void test_both_age(void **state)
{
	(void)state;
	for (unsigned int setting = BUDDY_DEFAULT; setting <= BUDDY_HEALING; setting++) {
		struct fixture *f = fixture_new(setting, 2);

		add_tree(f, 0, MAX_PAGES);
		for (unsigned int i = 0; i < MAX_PAGES / 5 * 4; i++)
			assert_true(get_page(f, random64(f) % 10 ? MOVABLE : UNMOVABLE));
		for (unsigned int i = 0; i < AGE_STEPS; i++) {
			unsigned int kind = random64(f) % 10 ? MOVABLE : UNMOVABLE;

			put_page(f, kind);
			assert_true(get_page(f, kind));
		}
		assert_in_range(huge_per_cent(f, "both kinds aged"), 93, 100);
		fixture_delete(f);
	}
}

/*
 * Movable pages had everything; three quarters went, anywhere. Unmovable ones come then, before or
 * while others age.
 */
static void test_late_unmovable(void **state)
{
	(void)state;
	for (unsigned int variant = 0; variant < 4; variant++) {
		struct fixture *f = fixture_new(variant & 1 ? BUDDY_HEALING : BUDDY_DEFAULT, 3);

		add_tree(f, 0, MAX_PAGES);
		while (get_page(f, MOVABLE))
			;
		assert_int_equal(f->kind[MOVABLE].nr, MAX_PAGES);
		while (f->kind[MOVABLE].nr > MAX_PAGES / 4)
			put_page(f, MOVABLE);
		while (f->kind[UNMOVABLE].nr < MAX_PAGES / 10) {
			assert_true(get_page(f, UNMOVABLE));
			if (variant & 2)
				age(f, 4);
		}
		age(f, AGE_STEPS);
		assert_in_range(huge_per_cent(f, variant & 2 ? "unmovable pages come in between"
							     : "unmovable pages come late"),
				93, 100);
		fixture_delete(f);
	}
}

/* In a fresh tree unmovable pages come from the lowest end, movable ones from the upper. */
static void test_ends(void **state)
{
	struct fixture *f = fixture_new(BUDDY_DEFAULT, 4);

	(void)state;
	add_tree(f, 0, MAX_PAGES);
	for (unsigned int i = 0; i < MAX_PAGES / 4; i++) {
		assert_true(get_page(f, UNMOVABLE));
		assert_true(get_page(f, MOVABLE));
		assert_true(f->kind[UNMOVABLE].at[i] < MAX_PAGES / 4 + 4096);
		assert_true(f->kind[MOVABLE].at[i] >= MAX_PAGES / 4 * 3 - 4096);
	}
	fixture_delete(f);
}

/* Everything to the last page through the kinds that @kinds says in turn; back, and whole again. */
static void use_up(struct fixture *f, const unsigned int kinds[2])
{
	uint64_t before[BUDDY_MAX_ORDER + 1], after[BUDDY_MAX_ORDER + 1];
	uint8_t *seen = calloc(1, SPAN);
	unsigned int nr = 0;

	assert_non_null(seen);
	drain(f);
	buddy_nr_blocks(&f->b, before);
	while (get_page(f, kinds[nr & 1]))
		nr++;
	assert_int_equal(nr, f->managed);
	assert_false(get_page(f, UNMOVABLE) || get_page(f, MOVABLE));
	assert_int_equal(buddy_nr_free(&f->b), 0);
	for (unsigned int kind = 0; kind < 2; kind++)
		for (uint32_t i = 0; i < f->kind[kind].nr; i++)
			assert_int_equal(seen[f->kind[kind].at[i]]++, 0);
	for (unsigned int kind = 0; kind < 2; kind++)
		while (f->kind[kind].nr)
			put_page(f, kind);
	drain(f);
	assert_int_equal(buddy_nr_free(&f->b), f->managed);
	assert_true(buddy_is_valid(&f->b));
	buddy_nr_blocks(&f->b, after);
	assert_memory_equal(before, after, sizeof(before));
	free(seen);
}

static void use_up_all_ways(struct fixture *f)
{
	static const unsigned int kinds[][2] = { { UNMOVABLE, UNMOVABLE },
						 { MOVABLE, MOVABLE },
						 { UNMOVABLE, MOVABLE } };

	for (unsigned int i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++)
		use_up(f, kinds[i % (sizeof(kinds) / sizeof(kinds[0]))]);
}

/* From a page on, and odd ends: what is smaller than the part that movable pages begin in. */
static void test_small_trees(void **state)
{
	static const uint64_t limits[][2] = { { 0, 1 },     { 63, 64 },     { 1, 64 },
					      { 60, 70 },   { 0, 64 },      { 0, 4095 },
					      { 1, 4097 },  { 4095, 8193 }, { 77, 12345 },
					      { 0, 16384 }, { 100, 20001 } };

	(void)state;
	for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		for (unsigned int setting = BUDDY_DEFAULT; setting <= BUDDY_HEALING; setting++) {
			struct fixture *f = fixture_new(setting, 5 + i);

			add_tree(f, limits[i][0], limits[i][1]);
			use_up_all_ways(f);
			fixture_delete(f);
		}
}

/* Each context has its tree, and goes on to the others. */
static void test_several_trees(void **state)
{
	(void)state;
	for (unsigned int setting = BUDDY_DEFAULT; setting <= BUDDY_HEALING; setting++) {
		struct fixture *f = fixture_new(setting, 20);

		add_tree(f, 5, 10000);
		add_tree(f, 20000, 20001);
		add_tree(f, 50000, 80001);
		use_up_all_ways(f);
		buddy_prefer(&f->harts[MOVABLE], &f->trees[2]);
		for (unsigned int i = 0; i < 4096; i++) {
			assert_true(get_page(f, MOVABLE) && get_page(f, UNMOVABLE));
			assert_true(f->kind[MOVABLE].at[i] >= 50000);
		}
		age(f, 20000);
		for (unsigned int kind = 0; kind < 2; kind++)
			while (f->kind[kind].nr)
				put_page(f, kind);
		use_up_all_ways(f);
		fixture_delete(f);
	}
}

/* Orders up to 6 through either, until nothing is left: what is said is true for each order. */
static void test_orders(void **state)
{
	struct fixture *f = fixture_new(BUDDY_DEFAULT, 30);
	const unsigned int pages = 40000;
	uint8_t *order_at = calloc(1, pages);
	unsigned int used = 0;

	(void)state;
	assert_non_null(order_at);
	add_tree(f, 0, pages);
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t pick = random64(f), at = pick % pages;
		unsigned int order = (unsigned int)(pick >> 20) % 7;
		int64_t pfn;

		if (order_at[at]) {
			order = order_at[at] - 1U;
			order_at[at] = 0;
			used -= 1U << order;
			assert_int_equal(
				buddy_free(&f->harts[pick >> 40 & 1], BASE_PFN + at, order), 0);
			continue;
		}
		pfn = buddy_alloc(&f->harts[pick >> 40 & 1], order);
		if (pfn < 0) {
			assert_int_equal(pfn, -EMM_ENOMEM);
			continue;
		}
		order_at[(uint64_t)pfn - BASE_PFN] = (uint8_t)(order + 1);
		used += 1U << order;
	}
	assert_true(buddy_is_valid(&f->b));
	assert_int_equal(buddy_nr_free(&f->b) + buddy_nr_held(&f->harts[0]) +
				 buddy_nr_held(&f->harts[1]),
			 pages - used);
	free(order_at);
	fixture_delete(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),           cmocka_unit_test(test_small_trees),
		cmocka_unit_test(test_several_trees),  cmocka_unit_test(test_orders),
		cmocka_unit_test(test_random_fill),    cmocka_unit_test(test_both_age),
		cmocka_unit_test(test_late_unmovable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
