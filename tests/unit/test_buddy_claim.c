/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy_claim() against a naive model: a state a page. A claim must succeed if and only if all
 * pages of the block are free or cached by the caller. BUDDY_CLAIM_OPS sets the operations.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#ifndef ARENA
#define ARENA 8192 /* a multiple of every order that the random test asks for */
#endif
#define BASE_PFN     (1ULL << 20)
#define MAX_LIVE     1024
#define CLAIM_ORDERS (BUDDY_MAX_ORDER < 12 ? BUDDY_MAX_ORDER + 1 : 13)

enum page_state { PAGE_ABSENT, PAGE_FREE, PAGE_USED };

struct fixture {
	struct buddy b;
	struct buddy_tree tree;
	struct buddy_hart harts[2];
	void *meta;
	uint8_t state[ARENA];
	struct {
		uint64_t pfn;
		unsigned int order;
	} live[MAX_LIVE];
	unsigned int nr_live;
	uint64_t rng;
};

static uint64_t random64(struct fixture *f)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return f->rng;
}

/* The arena without [hole_start, hole_end), in metadata full of garbage. */
static struct fixture *fixture_new(uint64_t hole_start, uint64_t hole_end, uint64_t seed)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t bytes = buddy_tree_bytes(BASE_PFN, BASE_PFN + ARENA);

	assert_non_null(f);
	f->rng = seed * 0x9e3779b97f4a7c15ULL + 1;
	f->meta = malloc(bytes);
	assert_non_null(f->meta);
	memset(f->meta, 0xff, bytes);
	assert_int_equal(buddy_init(&f->b, &f->tree, 1, f->harts, 2), 0);
	assert_int_equal(buddy_add_tree(&f->b, BASE_PFN, BASE_PFN + ARENA, f->meta, bytes), 0);
	memset(f->state, PAGE_FREE, ARENA);
	memset(f->state + hole_start, PAGE_ABSENT, hole_end - hole_start);
	if (hole_start)
		assert_int_equal(buddy_add_range(f->harts, BASE_PFN, BASE_PFN + hole_start, 0,
						 UINT64_MAX),
				 0);
	if (hole_end < ARENA)
		assert_int_equal(buddy_add_range(f->harts, BASE_PFN + hole_end, BASE_PFN + ARENA,
						 BASE_PFN + hole_start, UINT64_MAX),
				 0);
	return f;
}

static void fixture_delete(struct fixture *f)
{
	free(f->meta);
	free(f);
}

static bool all_are(const struct fixture *f, uint64_t at, unsigned int order, uint8_t state)
{
	for (uint64_t i = 0; i < 1ULL << order; i++)
		if (f->state[at + i] != state)
			return false;
	return true;
}

static void use(struct fixture *f, uint64_t pfn, unsigned int order)
{
	assert_in_range(pfn, BASE_PFN, BASE_PFN + ARENA - (1ULL << order));
	assert_true(all_are(f, pfn - BASE_PFN, order, PAGE_FREE));
	memset(&f->state[pfn - BASE_PFN], PAGE_USED, 1ULL << order);
	f->live[f->nr_live].pfn = pfn;
	f->live[f->nr_live++].order = order;
}

static void op_free(struct fixture *f, unsigned int at)
{
	uint64_t pfn = f->live[at].pfn;
	unsigned int order = f->live[at].order, part = order;

	if (order && random64(f) >> 40 & 1) {
		assert_int_equal(buddy_split(f->harts, pfn, order), 0);
		part--;
	}
	memset(&f->state[pfn - BASE_PFN], PAGE_FREE, 1ULL << order);
	f->live[at] = f->live[--f->nr_live];
	for (uint64_t i = 0; i < 1ULL << order; i += 1ULL << part)
		assert_int_equal(buddy_free(f->harts, pfn + i, part), 0);
}

static void op_alloc(struct fixture *f, unsigned int order)
{
	int64_t pfn = buddy_alloc(f->harts, order);

	if (pfn >= 0)
		use(f, (uint64_t)pfn, order);
	else
		assert_int_equal(pfn, -EMM_ENOMEM);
}

/* What a claim refuses, it leaves as it was. */
static void op_claim(struct fixture *f, unsigned int order)
{
	uint64_t at = (random64(f) >> 20) % (ARENA >> order) << order;
	bool is_free = all_are(f, at, order, PAGE_FREE);
	uint64_t total = buddy_nr_free(&f->b) + buddy_nr_held(f->harts);
	int ret = buddy_claim(f->harts, BASE_PFN + at, order);

	assert_int_equal(ret, is_free ? 0 : -EMM_EBUSY);
	assert_int_equal(buddy_nr_held(f->harts), 0);
	assert_int_equal(buddy_nr_free(&f->b), is_free ? total - (1ULL << order) : total);
	if (is_free)
		use(f, BASE_PFN + at, order);
}

static void check_pages(struct fixture *f)
{
	buddy_drain(f->harts);
	assert_true(buddy_is_valid(&f->b));
	for (uint64_t i = 0; i < ARENA; i++)
		assert_int_equal(buddy_page_is_free(&f->b, BASE_PFN + i), f->state[i] == PAGE_FREE);
}

static void run_random(struct fixture *f, uint64_t ops)
{
	unsigned int bias = 50;

	for (uint64_t op = 0; op < ops; op++) {
		uint64_t pick = random64(f) >> 32;
		unsigned int order = pick % 4 ? (unsigned int)(pick / 4 % CLAIM_ORDERS) : 0;

		if (pick % 512 == 0)
			bias = 20 + (unsigned int)(pick / 512 % 70);
		if (f->nr_live && (pick >> 8) % 100 >= bias)
			op_free(f, (unsigned int)(random64(f) % f->nr_live));
		else if (f->nr_live == MAX_LIVE)
			op_free(f, 0);
		else if (pick >> 16 & 1)
			op_alloc(f, order);
		else
			op_claim(f, order);
		if (op % 2048 == 0)
			check_pages(f);
	}
	while (f->nr_live)
		op_free(f, 0);
	check_pages(f);
}

static uint64_t nr_ops(void)
{
	const char *ops = getenv("BUDDY_CLAIM_OPS");

	return ops ? strtoull(ops, NULL, 0) : 200000;
}

static void test_random_claims(void **state)
{
	uint64_t blocks[2][BUDDY_MAX_ORDER + 1];

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		/* The whole, and with a hole whose words are never written. */
		struct fixture *f = seed & 1 ? fixture_new(0, 0, seed)
					     : fixture_new(ARENA / 8 + 3, ARENA / 2 + 1, seed);

		buddy_nr_blocks(&f->b, blocks[0]);
		run_random(f, nr_ops() / 4);
		buddy_nr_blocks(&f->b, blocks[1]);
		assert_memory_equal(blocks[0], blocks[1], sizeof(blocks[0]));
		fixture_delete(f);
	}
}

/*
 * Every block of every order out of a wholly free arena, one at a time:
 *
 *     free    | - - - - - - - - - - - - - - - - |
 *     claim                 [####]
 *     rest    | 8 . . . . . |4 .|    |2 |1|     |  maximal blocks on both sides
 */
static void test_out_of_the_whole(void **state)
{
	uint64_t before[BUDDY_MAX_ORDER + 1], after[BUDDY_MAX_ORDER + 1];
	struct fixture *f = fixture_new(0, 0, 1);

	(void)state;
	buddy_nr_blocks(&f->b, before);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER && 1ULL << order <= ARENA; order++) {
		for (uint64_t at = 0; at < ARENA; at += 1ULL << order) {
			if (at > 200 && at < ARENA - 200 && at % 509 >= 1ULL << order)
				continue;
			assert_int_equal(buddy_claim(f->harts, BASE_PFN + at, order), 0);
			assert_int_equal(buddy_nr_free(&f->b), ARENA - (1ULL << order));
			assert_int_equal(buddy_claim(f->harts, BASE_PFN + at, order), -EMM_EBUSY);
			assert_int_equal(buddy_claim(f->harts, BASE_PFN + at, 0), -EMM_EBUSY);
			assert_int_equal(buddy_claim(f->harts, BASE_PFN + at + (1ULL << order) - 1,
						     0),
					 -EMM_EBUSY);
			assert_true(buddy_is_valid(&f->b));
			assert_int_equal(buddy_free(f->harts, BASE_PFN + at, order), 0);
		}
	}
	buddy_drain(f->harts);
	buddy_nr_blocks(&f->b, after);
	assert_memory_equal(before, after, sizeof(before));
	fixture_delete(f);
}

static void test_bad_arguments(void **state)
{
	struct fixture *f = fixture_new(0, 0, 1);

	(void)state;
	assert_int_equal(buddy_claim(f->harts, BASE_PFN, BUDDY_MAX_ORDER + 1), -EMM_EINVAL);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN, 64), -EMM_EINVAL);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + 1, 1), -EMM_EINVAL);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN - 1, 0), -EMM_ERANGE);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + ARENA, 0), -EMM_ERANGE);
	assert_int_equal(buddy_claim(f->harts, UINT64_MAX, 0), -EMM_ERANGE);
	assert_int_equal(buddy_claim(f->harts, 0, BUDDY_MAX_ORDER), -EMM_ERANGE);
	assert_int_equal(buddy_nr_free(&f->b), ARENA);
	fixture_delete(f);
}

/* A part of it in use, at either end; free again, it can be had. */
static void test_partly_used(void **state)
{
	static const uint64_t at[] = { 64, 64 + 15, 64 + 7 };
	struct fixture *f = fixture_new(0, 0, 1);
	unsigned int order = BUDDY_MAX_ORDER < 4 ? BUDDY_MAX_ORDER : 4;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		uint64_t start = at[i] & ~((1ULL << order) - 1);

		assert_int_equal(buddy_claim(f->harts, BASE_PFN + at[i], 0), 0);
		assert_int_equal(buddy_claim(f->harts, BASE_PFN + start, order), -EMM_EBUSY);
		assert_int_equal(buddy_nr_free(&f->b), ARENA - 1);
		assert_int_equal(buddy_free(f->harts, BASE_PFN + at[i], 0), 0);
		assert_int_equal(buddy_claim(f->harts, BASE_PFN + start, order), 0);
		assert_int_equal(buddy_free(f->harts, BASE_PFN + start, order), 0);
	}
	assert_int_equal(buddy_nr_free(&f->b), ARENA);
	fixture_delete(f);
}

/* The caller's own cached pages are free for it; another hart's are not, until it drains. */
static void test_caches(void **state)
{
	struct fixture *f = fixture_new(0, 0, 1);
	int64_t pfn;

	(void)state;
	for (unsigned int hart = 0; hart < 2; hart++) {
		pfn = buddy_alloc(&f->harts[hart], 0);
		assert_in_range((uint64_t)pfn, BASE_PFN, BASE_PFN + ARENA - 1);
		assert_int_not_equal(buddy_nr_held(&f->harts[hart]), 0);
		if (hart) {
			assert_int_equal(buddy_claim(f->harts, (uint64_t)pfn ^ 1, 0), -EMM_EBUSY);
			assert_int_equal(buddy_nr_held(&f->harts[0]), 0);
			buddy_drain(&f->harts[1]);
		}
		assert_int_equal(buddy_claim(f->harts, (uint64_t)pfn ^ 1, 0), 0);
		assert_int_equal(buddy_nr_held(&f->harts[hart]), 0);
		assert_int_equal(buddy_nr_free(&f->b), ARENA - 2);
		assert_int_equal(buddy_free(f->harts, (uint64_t)pfn & ~1ULL, 0), 0);
		assert_int_equal(buddy_free(f->harts, (uint64_t)pfn | 1, 0), 0);
	}
	assert_int_equal(buddy_nr_free(&f->b), ARENA);
	fixture_delete(f);
}

/* Rule 6: while another hart is in flight "busy" is no answer; "here it is" still is. */
static void test_in_flight(void **state)
{
	struct fixture *f = fixture_new(0, 0, 1);

	(void)state;
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + 5, 0), 0);
	f->harts[1].seq++;
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + 5, 0), -EMM_EAGAIN);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + 6, 0), 0);
	f->harts[1].seq++;
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + 5, 0), -EMM_EBUSY);
	assert_int_equal(buddy_nr_free(&f->b), ARENA - 2);
	assert_true(buddy_is_valid(&f->b));
	fixture_delete(f);
}

/* Pages that were never added, and blocks in use whose words were never written, are not read. */
static void test_unwritten_words(void **state)
{
	unsigned int order = BUDDY_RADIX_SHIFT * (BUDDY_LEVELS > 2 ? 2 : 1);
	struct fixture *f = fixture_new(1ULL << order, ARENA, 1);

	(void)state;
	for (uint64_t at = 1ULL << order; at < ARENA; at += 61)
		assert_int_equal(buddy_claim(f->harts, BASE_PFN + at, 0), -EMM_EBUSY);
	assert_int_equal(buddy_alloc(f->harts, order), BASE_PFN);
	for (uint64_t at = 0; at < 1ULL << order; at++)
		assert_int_equal(buddy_claim(f->harts, BASE_PFN + at, 0), -EMM_EBUSY);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN, order), -EMM_EBUSY);
	assert_int_equal(buddy_free(f->harts, BASE_PFN, order), 0);
	assert_int_equal(buddy_claim(f->harts, BASE_PFN + 1, 0), 0);
	assert_int_equal(buddy_nr_free(&f->b), (1ULL << order) - 1);
	fixture_delete(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_arguments),   cmocka_unit_test(test_out_of_the_whole),
		cmocka_unit_test(test_partly_used),     cmocka_unit_test(test_caches),
		cmocka_unit_test(test_unwritten_words), cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_random_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
