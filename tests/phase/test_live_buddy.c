/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy of a machine that is up: all memory taken and given back, in blocks of many orders. */
#include "live_buddy.h"

#include <stdlib.h>

/* Blocks at a time: where there are more, not all of them are taken. */
#define MAX_BLOCKS (1UL << 15)
#define NR_STAMPS  256U

struct block {
	uint64_t pfn;
	unsigned int order;
};

static void take(const struct selftest_env *env, struct block *to, unsigned int order)
{
	int64_t pfn = buddy_alloc(env->hart, order);

	assert_true(pfn > 0);
	assert_int_equal((uint64_t)pfn & ((1UL << order) - 1), 0);
	assert_true(map_has_free(env, (uint64_t)pfn));
	assert_true(map_has_free(env, (uint64_t)pfn + (1UL << order) - 1));
	*to = (struct block){ (uint64_t)pfn, order };
}

/* Every third first, so that neighbours come back at different times. */
static void give_all(const struct selftest_env *env, const struct block *blocks, uint64_t nr)
{
	for (uint64_t first = 0; first < 3; first++)
		for (uint64_t i = first; i < nr; i += 3)
			assert_int_equal(buddy_free(env->hart, blocks[i].pfn, blocks[i].order), 0);
}

/* Pages that are neither in the trees nor in the hart's caches: a block given twice shows here. */
static uint64_t nr_gone(const struct selftest_env *env, const struct buddy_state *was)
{
	return was->nr_free - buddy_nr_free(&env->mm->buddy) - buddy_nr_held(env->hart);
}

/* Of each order as many blocks as there are must be had, and not one more. */
static void exhaust_each_order(void **state)
{
	const struct selftest_env *env = *state;
	struct block *blocks = malloc(MAX_BLOCKS * sizeof(*blocks));
	struct buddy_state s;

	assert_non_null(blocks);
	buddy_state_take(&s, env);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++) {
		const uint64_t there = nr_blocks_of(&s, order);
		const uint64_t nr = there < MAX_BLOCKS ? there : MAX_BLOCKS;

		for (uint64_t i = 0; i < nr; i++)
			take(env, &blocks[i], order);
		assert_int_equal(nr_gone(env, &s), nr << order);
		if (nr == there)
			assert_int_equal(buddy_alloc(env->hart, order), -EMM_ENOMEM);
		give_all(env, blocks, nr);
		buddy_state_check(&s, env);
	}
	free(blocks);
}

/* Every order at once, largest first and smallest first, until there is nothing left of any. */
static void exhaust_all_orders(void **state)
{
	const struct selftest_env *env = *state;
	struct block *blocks = malloc(MAX_BLOCKS * sizeof(*blocks));
	struct buddy_state s;

	assert_non_null(blocks);
	buddy_state_take(&s, env);
	for (int up = 0; up < 2; up++) {
		uint64_t nr = 0, pages = 0;

		for (unsigned int i = 0; i <= BUDDY_MAX_ORDER; i++) {
			const unsigned int order = up ? i : BUDDY_MAX_ORDER - i;
			int64_t pfn;

			/* Smallest first a few of each: else there would be nothing for the rest. */
			for (unsigned int n = 0; nr < MAX_BLOCKS && (!up || n < 5); n++) {
				pfn = buddy_alloc(env->hart, order);
				if (pfn < 0) {
					assert_int_equal(pfn, -EMM_ENOMEM);
					break;
				}
				blocks[nr++] = (struct block){ (uint64_t)pfn, order };
				pages += 1UL << order;
			}
		}
		assert_int_equal(nr_gone(env, &s), pages);
		if (!up && nr < MAX_BLOCKS)
			assert_int_equal(pages, s.nr_free);
		give_all(env, blocks, nr);
		buddy_state_check(&s, env);
	}
	free(blocks);
}

/* Each page has a stamp of its own at both ends, and keeps it while others are written. */
static void pages_are_distinct(void **state)
{
	const struct selftest_env *env = *state;
	const struct phys_map *map = env->mb->map;
	struct block blocks[NR_STAMPS];
	struct buddy_state s;

	buddy_state_take(&s, env);
	for (unsigned int i = 0; i < NR_STAMPS; i++) {
		uint64_t *word;

		take(env, &blocks[i], i % 4);
		for (uint64_t n = 0; n < 1UL << blocks[i].order; n++) {
			word = phys_to_virt(map, PFN_PHYS(blocks[i].pfn + n), PAGE_SIZE);
			assert_non_null(word);
			word[0] = blocks[i].pfn + n;
			word[PAGE_SIZE / sizeof(*word) - 1] = ~(blocks[i].pfn + n);
		}
	}
	for (unsigned int i = 0; i < NR_STAMPS; i++) {
		const uint64_t *word;

		for (uint64_t n = 0; n < 1UL << blocks[i].order; n++) {
			word = phys_to_virt(map, PFN_PHYS(blocks[i].pfn + n), PAGE_SIZE);
			assert_int_equal(word[0], blocks[i].pfn + n);
			assert_int_equal(word[PAGE_SIZE / sizeof(*word) - 1], ~(blocks[i].pfn + n));
		}
	}
	give_all(env, blocks, NR_STAMPS);
	buddy_state_check(&s, env);
}

/* Wrong frees are refused, and change nothing. */
static void wrong_frees(void **state)
{
	const struct selftest_env *env = *state;
	struct buddy_state s;
	struct block b;

	buddy_state_take(&s, env);
	take(env, &b, 3);
	assert_int_equal(buddy_free(env->hart, b.pfn + 1, 3), -EMM_EINVAL);
	assert_int_equal(buddy_free(env->hart, b.pfn, BUDDY_MAX_ORDER + 1), -EMM_EINVAL);
	assert_int_equal(buddy_free(env->hart, 1UL << 51, 0), -EMM_ERANGE);
	assert_int_equal(buddy_free(env->hart, b.pfn, 3), 0);
	assert_int_equal(buddy_free(env->hart, b.pfn, 3), -EMM_EDOUBLE);
	buddy_drain(env->hart);
	assert_int_equal(buddy_free(env->hart, b.pfn, 3), -EMM_EDOUBLE);
	assert_int_equal(buddy_free(env->hart, b.pfn, 0), -EMM_EDOUBLE);
	buddy_state_check(&s, env);
}

/* A block of each order goes back in parts. */
static void split_blocks(void **state)
{
	const struct selftest_env *env = *state;
	struct buddy_state s;

	buddy_state_take(&s, env);
	for (unsigned int order = 1; order <= 12; order++) {
		struct block b;

		if (!nr_blocks_of(&s, order))
			break;
		take(env, &b, order);
		assert_int_equal(buddy_split(env->hart, b.pfn, order), 0);
		for (uint64_t i = 1; i < 1UL << order; i++)
			assert_int_equal(buddy_free(env->hart, b.pfn + i, 0), 0);
		assert_int_equal(nr_gone(env, &s), 1);
		assert_int_equal(buddy_free(env->hart, b.pfn, 0), 0);
		buddy_state_check(&s, env);
	}
}

int main(void)
{
	/* Splitting first: words that nobody has written yet are below large blocks. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_blocks),       cmocka_unit_test(exhaust_each_order),
		cmocka_unit_test(exhaust_all_orders), cmocka_unit_test(pages_are_distinct),
		cmocka_unit_test(wrong_frees),
	};

	return live_run(SELFTEST_BUDDY, tests);
}
