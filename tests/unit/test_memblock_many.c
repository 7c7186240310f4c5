/* SPDX-License-Identifier: BSD-2-Clause */
/* Ten thousand reservations and as many banks, in three orders, with all the growth they need. */
#include "helper_memblock.h"

#include <stdlib.h>
#include <time.h>

#define MANY 10000UL

/* The bank that holds the arrays: 4 MiB at 64 MiB. All else lies from 4 GiB on. */
#define RAM      MIB(64)
#define RAM_SIZE MIB(4)
#define FIELD    GIB(4)
#define STEP     (2 * PAGE_SIZE)

enum order { ASCENDING, DESCENDING, ALTERNATING, RANDOM, NR_ORDERS };

static const char *const order_name[NR_ORDERS] = { "ascending", "descending", "alternating",
						   "random" };

/* Which place is the @i-th to be filled. @shuffled: a permutation of 0 .. MANY - 1. */
static unsigned long place_of(enum order order, unsigned long i, const unsigned long *shuffled)
{
	switch (order) {
	case DESCENDING:
		return MANY - 1 - i;
	case ALTERNATING: /* every second place first, the gaps from the top afterwards */
		return i < MANY / 2 ? 2 * i : 2 * (MANY - i) - 1;
	case RANDOM:
		return shuffled[i];
	default:
		return i;
	}
}

static unsigned long *shuffle(void)
{
	unsigned long *p = malloc(MANY * sizeof(*p)), i;
	uint64_t x = 42;

	assert_non_null(p);
	for (i = 0; i < MANY; i++)
		p[i] = i;
	for (i = MANY - 1; i > 0; i--) {
		unsigned long j, t = p[i];

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = x % (i + 1);
		p[i] = p[j];
		p[j] = t;
	}
	return p;
}

/* Only the map's own bank may take the arrays: the others are out of simulated memory. */
static void set_up(struct memblock *mb)
{
	assert_int_equal(memblock_add(mb, RAM, RAM_SIZE), 0);
	memblock_set_current_limit(mb, RAM + RAM_SIZE);
	memblock_allow_resize(mb);
}

static void check_places(const struct memblock_type *type, unsigned long first)
{
	unsigned long i;

	for (i = 0; i < MANY; i++) {
		const struct memblock_region *r = &type->regions[first + i];

		if (r->base != FIELD + i * STEP || r->size != PAGE_SIZE)
			fail_msg("entry %lu is 0x%llx +0x%llx", i, (unsigned long long)r->base,
				 (unsigned long long)r->size);
	}
}

/*
 *  64   arrays  68       4096                             each a page, a page apart
 *  +-----+------+        +-+ +-+ +-+ +-+ +-+ +-+
 *  | RAM |      |        | | | | | | | | | | | |  . . .   10 000
 *  +-----+------+        +-+ +-+ +-+ +-+ +-+ +-+
 * Expect each in its place, the array doubled as often as needed and no old one left; all in well
 * under a second. Then all gone again, down to the array itself.
 */
static void reserve_many(struct helper_memblock *h, enum order order, const unsigned long *shuffled)
{
	struct memblock *mb = &h->mb;
	clock_t start;
	unsigned long i, first;

	set_up(mb);
	start = clock();
	for (i = 0; i < MANY; i++)
		assert_int_equal(memblock_reserve(mb, FIELD + place_of(order, i, shuffled) * STEP,
						  PAGE_SIZE),
				 0);
	print_message("%lu reservations, %s: %ld ms\n", MANY, order_name[order],
		      (long)((clock() - start) * 1000 / CLOCKS_PER_SEC));
	/* Generous, since a sanitizer and a busy machine may be in play; n^2 log n takes minutes. */
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	first = mb->reserved.cnt - MANY;
	check_places(&mb->reserved, first);
	assert_int_equal(mb->reserved.max, 16384);
	assert_int_equal(mb->reserved.total_size, MANY * PAGE_SIZE + mb->reserved_array.size);
	assert_true(memblock_is_valid(mb));
	/* The gaps: one call joins all into one entry. */
	assert_int_equal(memblock_reserve(mb, FIELD, MANY * STEP), 0);
	assert_int_equal(mb->reserved.cnt, first + 1);
	assert_int_equal(mb->reserved.regions[first].size, MANY * STEP);
	assert_int_equal(memblock_free(mb, FIELD, MANY * STEP), 0);
	assert_int_equal(mb->reserved.cnt, 1);
	assert_true(memblock_is_valid(mb));
}

/* The same with banks of memory; @order also for their removal. */
static void add_many(struct helper_memblock *h, enum order order, const unsigned long *shuffled)
{
	struct memblock *mb = &h->mb;
	unsigned long i, n = 0;
	struct memblock_iter it;
	phys_addr_t from, to;

	set_up(mb);
	for (i = 0; i < MANY; i++)
		assert_int_equal(memblock_add(mb, FIELD + place_of(order, i, shuffled) * STEP,
					      PAGE_SIZE),
				 0);
	assert_int_equal(mb->memory.cnt, MANY + 1);
	assert_int_equal(mb->memory.max, 16384);
	check_places(&mb->memory, 1);
	assert_int_equal(mb->reserved.total_size, mb->memory_array.size);
	assert_true(memblock_is_valid(mb));
	/* Every second one reserved, by a range that leaves it a hole; then a walk over all. */
	for (i = 0; i < MANY; i += 2)
		assert_int_equal(memblock_reserve(mb, FIELD + i * STEP, PAGE_SIZE), 0);
	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &from, &to))
		n += from >= FIELD && to - from == PAGE_SIZE;
	assert_int_equal(n, MANY / 2);
	memblock_iter_free_init_reverse(&it, mb, NONE, 0);
	while (memblock_prev_free(&it, &from, &to))
		n -= from >= FIELD && to - from == PAGE_SIZE;
	assert_int_equal(n, 0);
	for (i = 0; i < MANY; i++)
		assert_int_equal(memblock_remove(mb, FIELD + place_of(order, i, shuffled) * STEP,
						 PAGE_SIZE),
				 0);
	expect_map(mb, memory, { RAM, RAM_SIZE, 0, NONE });
}

static void in_each_order(void (*f)(struct helper_memblock *, enum order, const unsigned long *))
{
	unsigned long *shuffled = shuffle();
	unsigned int order;

	for (order = 0; order < NR_ORDERS; order++) {
		void *state = NULL;

		assert_int_equal(helper_memblock_setup(&state), 0);
		helper_memblock_arena(state, RAM, RAM_SIZE);
		f(state, (enum order)order, shuffled);
		helper_memblock_teardown(&state);
	}
	free(shuffled);
}

static void ten_thousand_reservations(void **state)
{
	(void)state;
	in_each_order(reserve_many);
}

static void ten_thousand_banks(void **state)
{
	(void)state;
	in_each_order(add_many);
}

/*
 * 10 000 entries that alternate between two kinds, then a change that makes them alike:
 *  +---+---+---+---+---+---+
 *  | 0 |HOT| 0 |HOT| 0 |HOT| . . .
 *  +---+---+---+---+---+---+
 * Expect one entry, in one pass, and 10 000 again by the other way round.
 */
static void change_merges_ten_thousand(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	unsigned long i;

	helper_memblock_arena(h, RAM, RAM_SIZE);
	set_up(mb);
	assert_int_equal(memblock_add(mb, FIELD, MANY * PAGE_SIZE), 0);
	for (i = 1; i < MANY; i += 2)
		assert_int_equal(memblock_mark_hotplug(mb, FIELD + i * PAGE_SIZE, PAGE_SIZE), 0);
	assert_int_equal(mb->memory.cnt, MANY + 1);
	assert_true(memblock_is_valid(mb));
	assert_int_equal(memblock_set_node(mb, FIELD, MANY * PAGE_SIZE, &mb->memory, 1), 0);
	assert_int_equal(mb->memory.cnt, MANY + 1);
	assert_int_equal(memblock_clear_hotplug(mb, 0, PHYS_ADDR_MAX), 0);
	expect_map(mb, memory, { RAM, RAM_SIZE, 0, NONE }, { FIELD, MANY * PAGE_SIZE, 0, 1 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_reservations),
		cmocka_unit_test(ten_thousand_banks),
		memblock_test(change_merges_ten_thousand),
	};

	return cmocka_run_group_tests_name("memblock: many entries", tests, NULL, NULL);
}
