/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Movable pages and those that stay, through a hart's two sets of stacks: once the movable ones are
 * gone, what is left must not lie everywhere.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#define MAX_PAGES (1U << 18)
#define START_PFN 0x100000

struct fixture {
	struct buddy b;
	struct buddy_tree trees[3];
	struct buddy_hart harts[2];
	void *meta[3];
	uint64_t nr_pages;
	uint64_t x; /* random numbers */
	uint32_t *movable; /* frames, from START_PFN on */
	uint32_t *stay;
	uint32_t nr_movable, nr_stay;
};

static uint64_t xorshift(struct fixture *f)
{
	f->x ^= f->x << 13;
	f->x ^= f->x >> 7;
	f->x ^= f->x << 17;
	return f->x;
}

/* A tree of so many pages behind the others, all of them free. */
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

static struct fixture *begin(enum buddy_setting setting)
{
	struct fixture *f = aligned_alloc(64, sizeof(*f));

	assert_non_null(f);
	memset(f, 0xa5, sizeof(*f));
	memset(f->meta, 0, sizeof(f->meta));
	f->nr_pages = 0;
	f->x = 42;
	f->nr_movable = f->nr_stay = 0;
	f->movable = malloc(MAX_PAGES * sizeof(uint32_t));
	f->stay = malloc(MAX_PAGES * sizeof(uint32_t));
	assert_non_null(f->movable);
	assert_non_null(f->stay);
	assert_int_equal(buddy_init(&f->b, f->trees, 3, f->harts, 2), 0);
	buddy_tune(&f->b, setting);
	buddy_pair(&f->harts[0], &f->harts[1]);
	return f;
}

static void end(struct fixture *f)
{
	for (unsigned int i = 0; i < 3; i++)
		free(f->meta[i]);
	free(f->movable);
	free(f->stay);
	free(f);
}

/* One page more; false: there is none. */
static bool take(struct fixture *f, bool movable)
{
	int64_t pfn = buddy_alloc(&f->harts[movable], 0);

	if (pfn < 0) {
		assert_int_equal(pfn, -EMM_ENOMEM);
		return false;
	}
	if (movable)
		f->movable[f->nr_movable++] = (uint32_t)(pfn - START_PFN);
	else
		f->stay[f->nr_stay++] = (uint32_t)(pfn - START_PFN);
	return true;
}

/* One movable page of those that live, by chance. Frees go through the unmovable one. */
static void give_movable(struct fixture *f)
{
	uint32_t i = (uint32_t)(xorshift(f) % f->nr_movable), page = f->movable[i];

	f->movable[i] = f->movable[--f->nr_movable];
	assert_int_equal(buddy_free(&f->harts[0], START_PFN + (uint64_t)page, 0), 0);
}

static void give_all_movable(struct fixture *f)
{
	while (f->nr_movable)
		give_movable(f);
	buddy_drain(&f->harts[0]);
	buddy_drain(&f->harts[1]);
}

static void expect_books(const struct fixture *f)
{
	uint64_t held = buddy_nr_held(&f->harts[0]) + buddy_nr_held(&f->harts[1]);

	assert_true(buddy_is_valid(&f->b));
	assert_int_equal(buddy_nr_free(&f->b) + held + f->nr_movable + f->nr_stay, f->nr_pages);
}

static void age(struct fixture *f, unsigned int steps)
{
	while (steps--) {
		give_movable(f);
		assert_true(take(f, true));
	}
}

/* Order 9 blocks that can be had, in hundredths of those that there could be. */
static uint64_t score(struct fixture *f)
{
	uint64_t had = 0, ideal = (f->nr_pages - f->nr_stay) / 512;

	give_all_movable(f);
	expect_books(f);
	while (buddy_alloc(&f->harts[0], 9) >= 0)
		had++;
	print_message("movable: %u of %u blocks of order 9\n", (unsigned int)had,
		      (unsigned int)ideal);
	return had * 100 / ideal;
}

/* A tenth of all pages stay, as they come; then three quarters of the others go. */
static void test_mixed(void **state)
{
	static const enum buddy_setting settings[] = { BUDDY_DEFAULT, BUDDY_HEALING };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct fixture *f = begin(settings[i]);

		add_tree(f, START_PFN, MAX_PAGES);
		while (take(f, xorshift(f) % 10 != 0))
			;
		assert_int_equal(f->nr_movable + f->nr_stay, MAX_PAGES);
		for (uint32_t n = f->nr_movable; f->nr_movable > n / 4;)
			give_movable(f);
		age(f, 100000);
		assert_true(score(f) >= 95);
		end(f);
	}
}

/* Those that stay come when movable ones lie everywhere. */
static void test_late(void **state)
{
	struct fixture *f = begin(BUDDY_DEFAULT);

	(void)state;
	add_tree(f, START_PFN, MAX_PAGES);
	while (take(f, true))
		;
	while (f->nr_movable > MAX_PAGES / 4)
		give_movable(f);
	for (unsigned int i = 0; i < 100000; i++) {
		if (f->nr_stay < MAX_PAGES / 10)
			assert_true(take(f, false));
		age(f, 1);
	}
	assert_true(score(f) >= 90);
	end(f);
}

/* While there is room the two do not share a block of order 9, whoever asks. */
static void test_apart(void **state)
{
	struct fixture *f = begin(BUDDY_DEFAULT);
	uint32_t highest_stay = 0, lowest_movable = UINT32_MAX;

	(void)state;
	add_tree(f, START_PFN, MAX_PAGES);
	for (unsigned int i = 0; i < 40000; i++)
		assert_true(take(f, i & 1));
	for (uint32_t i = 0; i < f->nr_stay; i++)
		if (f->stay[i] > highest_stay)
			highest_stay = f->stay[i];
	for (uint32_t i = 0; i < f->nr_movable; i++)
		if (f->movable[i] < lowest_movable)
			lowest_movable = f->movable[i];
	assert_true(highest_stay + 4096 < lowest_movable);
	assert_true(lowest_movable > MAX_PAGES / 2);
	expect_books(f);
	end(f);
}

/* Each page can be had, through either one, of trees of any size, and all come back as they were. */
static void test_to_the_last(void **state)
{
	static const struct {
		uint64_t start;
		uint64_t pages;
	} spans[] = { { 0, 1 },        { 0, 64 },     { 3, 70 },     { 4095, 2 },
		      { 0, 4096 },     { 17, 4096 },  { 0, 8192 },   { 4000, 9000 },
		      { 0, 3 * 4096 }, { 61, 40000 }, { 0, 1 << 16 } };

	(void)state;
	for (unsigned int i = 0; i < sizeof(spans) / sizeof(spans[0]) * 4; i++) {
		struct fixture *f = begin(i & 1 ? BUDDY_HEALING : BUDDY_DEFAULT);
		const uint64_t start = START_PFN + spans[i / 4].start, pages = spans[i / 4].pages;

		add_tree(f, start, pages);
		add_tree(f, start + pages + 4096, pages / 2 + 1);
		add_tree(f, start + 2 * pages + 8192, 1);
		while (take(f, i & 2 ? true : f->nr_stay >= f->nr_pages / 3))
			;
		assert_int_equal(f->nr_movable + f->nr_stay, f->nr_pages);
		expect_books(f);
		give_all_movable(f);
		while (f->nr_stay)
			assert_int_equal(buddy_free(&f->harts[0],
						    START_PFN + (uint64_t)f->stay[--f->nr_stay], 0),
					 0);
		buddy_drain(&f->harts[0]);
		expect_books(f);
		assert_int_equal(buddy_nr_free(&f->b), f->nr_pages);
		/* The largest block that there was is there again. */
		for (uint64_t size = BUDDY_MAX_ORDER + 1; size-- > 0;) {
			uint64_t first = (start + (1ULL << size) - 1) >> size << size;

			if (first + (1ULL << size) <= start + pages) {
				assert_true(buddy_alloc(&f->harts[1], (unsigned int)size) >= 0);
				break;
			}
		}
		end(f);
	}
}

/* What the other one holds is no reason to fail, nor to wait for it. */
static void test_sibling_holds(void **state)
{
	struct fixture *f = begin(BUDDY_DEFAULT);

	(void)state;
	add_tree(f, START_PFN, 128);
	assert_true(take(f, true));
	assert_true(buddy_nr_held(&f->harts[1]) > 0);
	while (take(f, false))
		;
	assert_int_equal(f->nr_stay + f->nr_movable, 128);
	assert_int_equal(f->harts[1].request, 0);
	expect_books(f);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mixed),         cmocka_unit_test(test_late),
		cmocka_unit_test(test_apart),         cmocka_unit_test(test_to_the_last),
		cmocka_unit_test(test_sibling_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
