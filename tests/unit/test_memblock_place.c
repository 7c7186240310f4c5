/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock_place_array: an array at a place that the caller chose. */
#include "helper_memblock.h"

/*
 *  64     66            68
 *  +------+-------------+-----
 *  |      | 1000 entries|
 *  +------+-------------+-----
 * Expect the entries to move to the place that the caller chose, without a reservation; and once
 * it is reserved, growth to free it when it is outgrown.
 */
static void place_array(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = 1000 * sizeof(struct memblock_region);
	unsigned long i, cnt = mb->reserved.cnt;

	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66), 1000), 0);
	assert_int_equal(mb->reserved.max, 1000);
	assert_int_equal(mb->reserved.cnt, cnt);
	assert_ptr_equal(mb->reserved.regions, helper_memblock_at(h, MIB(66)));
	assert_true(memblock_is_valid(mb));
	helper_check_untouched(h);
	assert_int_equal(memblock_reserve_cause(mb, MIB(66), bytes, CAUSE_MEMBLOCK), 0);
	for (i = mb->reserved.cnt; i < 1000; i++)
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * i), 1), 0);
	assert_int_equal(mb->reserved.max, 1000);
	assert_int_equal(mb->reserved_array.base, MIB(66));
	assert_int_equal(memblock_reserve(mb, GIB(32), 1), 0);
	assert_int_equal(mb->reserved.max, 2000);
	assert_false(memblock_is_reserved(mb, MIB(66)));
	helper_check_arrays(h);
}

/*
 *  64                78    79          80
 *  +-----------------+-----+------+----+
 *  |                 |image|      |    |
 *  +-----------------+-----+------+----+
 *                     ^^^          ^^^^    placed arrays: of memory, of reserved
 * A placed array that its caller reserved as part of something else, and one not reserved at all:
 * expect growth to leave the former reserved, and to keep clear of the latter.
 */
static void placed_arrays_that_are_not_reserved(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;
	const phys_addr_t bytes = max * sizeof(struct memblock_region);

	assert_int_equal(memblock_place_array(mb, &mb->reserved, HELPER_RAM_END - bytes, max), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(78), 4), 0);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	/* Clear of the placed one, to the byte, though the map says that it is free. */
	assert_int_equal(mb->reserved_array.base,
			 ((HELPER_RAM_END - bytes) & PAGE_MASK) - helper_array_bytes(2 * max));
	assert_false(memblock_is_reserved(mb, HELPER_RAM_END - 1));
	assert_int_equal(memblock_reserve_cause(mb, MIB(78), MIB(1), CAUSE_IMAGE), 0);
	memblock_set_current_limit(mb, GIB(1));
	helper_memblock_fill_memory(h, 0);
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_equal(mb->memory.max, 16); /* room for the entry and some to spare */
	assert_int_equal(memblock_search(&mb->reserved, MIB(78))->size, MIB(1));
	helper_check_arrays(h);
}

/*
 *  64   66                 80
 *  +----+------+-----------+
 *  |    |array |           |
 *  +----+------+-----------+
 *    ^^^^^  ^^^^^         ^^^^      over the array in use; not all of it in memory that is reached
 * Expect bad places to be refused, with nothing changed.
 */
static void place_array_refuses(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	struct memblock_type other = mb->memory;
	struct helper_snapshot before;
	const unsigned long max = mb->reserved.max, size = sizeof(struct memblock_region);

	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_place_array(mb, &other, MIB(66), 500), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66) + 4, 500), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66), max - 1), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), 0), -EMM_EINVAL);
	assert_int_equal(memblock_remove(mb, HELPER_RAM, HELPER_RAM_SIZE), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), 0), -EMM_EINVAL);
	assert_int_equal(memblock_add(mb, HELPER_RAM, HELPER_RAM_SIZE), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), ~0UL), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, -MIB(1), MIB(1)), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, HELPER_RAM_END - 8, 500),
			 -EMM_EFAULT);
	mb->map = NULL;
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), 500), -EMM_EFAULT);
	mb->map = &h->map;
	helper_snapshot_check(&before, mb);

	/* Over itself, over the other type's array; then a full reserved array blocks the free. */
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), 500), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66) + size, 500), -EMM_EOVERLAP);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66) + 499 * size, 500),
			 -EMM_EOVERLAP);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66) - 500 * size + 8, 500),
			 -EMM_EOVERLAP);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(68), 500), -EMM_ENOSPC);
	assert_int_equal(mb->memory_array.base, MIB(66));
	assert_int_equal(memblock_free(mb, GIB(1), MIB(1)), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(68), 500), 0);
	assert_int_equal(mb->memory_array.base, MIB(68));
	assert_true(memblock_is_valid(mb));
}

/*
 *  +--------------------------+
 *  |     struct memblock      |
 *  +--------------------------+
 *  ^^^^                   ^^^^
 * An array over the struct itself, which simulated memory makes possible: expect a refusal.
 */
static void place_array_over_the_struct(void **state)
{
	struct helper_memblock *h = *state;
	unsigned char *arena;

	arena = h->arena;
	h->arena = (unsigned char *)&h->mb;
	h->arena_base = MIB(1);
	h->arena_size = sizeof(h->mb);
	assert_int_equal(memblock_place_array(&h->mb, &h->mb.memory, MIB(1), 4), -EMM_EOVERLAP);
	assert_int_equal(
		memblock_place_array(&h->mb, &h->mb.memory,
				     MIB(1) + offsetof(struct memblock, reserved_init_regions), 4),
		-EMM_EOVERLAP);
	h->arena = arena;
	h->arena_size = 0;
	expect_empty(&h->mb, memory);
}

/*
 *  64   66     67              80
 *  +----+------+------+---------+
 *  |    |      |      | 2 arrays|   grown, then placed at 66 and 67
 *  +----+------+------+---------+
 * Expect the array that growth had taken to be freed when its entries move out, for either type.
 */
static void placing_frees_a_grown_array(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;

	helper_memblock_fill_memory(h, 0);
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_not_equal(mb->reserved_array.size, 0);
	assert_int_not_equal(mb->memory_array.size, 0);
	helper_check_arrays(h);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), 500), 0);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(67), 500), 0);
	assert_false(memblock_is_region_reserved(mb, HELPER_RAM, HELPER_RAM_SIZE));
	assert_true(memblock_is_valid(mb));
}

/*
 *  64                          80
 *  +-------------------+-----+--+
 *  |                   |array|  |     whole pages: the end of the last one holds no entry
 *  +-------------------+-----+--+
 *                            ^^
 * Expect a place in what rounding up gave a grown array to be refused: it goes when that does.
 */
static void place_array_behind_a_grown_one(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	phys_addr_t behind;

	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	behind = mb->reserved_array.base + mb->reserved.max * sizeof(struct memblock_region);
	assert_true(behind + 4 * sizeof(struct memblock_region) <= HELPER_RAM_END);
	assert_int_equal(memblock_place_array(mb, &mb->memory, behind, 4), -EMM_EOVERLAP);
	helper_check_arrays(h);
}

/*
 *  64    66                    80
 *  +-----+------+---+------+---+
 *  |     |before|old|behind|   |
 *  +-----+------+---+------+---+
 * Expect a place right before and one right behind an array in use to be taken: touching is no
 * overlap.
 */
static void place_array_beside_another(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 1);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = 200 * sizeof(struct memblock_region);

	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66), 200), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66) - bytes, 200), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66) + bytes, 200), 0);
	assert_int_equal(mb->memory_array.base, MIB(66) + bytes);
	assert_true(memblock_is_valid(mb));
}

/*
 *  64    66            68                80
 *  +-----+-------------+-----------------+
 *  |     |placed, full | larger          |
 *  +-----+-------------+-----------------+
 * Expect the entries to move though the old array has no entry to spare: the new one has.
 */
static void place_larger_array(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 1);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;
	const phys_addr_t bytes = max * sizeof(struct memblock_region);

	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66), max), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(66), bytes, CAUSE_MEMBLOCK), 0);
	assert_int_equal(mb->reserved.cnt, max);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(68), max), -EMM_ENOSPC);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(68), max + 1), 0);
	assert_false(memblock_is_reserved(mb, MIB(66)));
	assert_int_equal(mb->reserved.cnt, max - 1);
	assert_true(memblock_is_valid(mb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(place_array),
		memblock_test(placed_arrays_that_are_not_reserved),
		memblock_test(place_array_refuses),
		memblock_test(place_array_over_the_struct),
		memblock_test(placing_frees_a_grown_array),
		memblock_test(place_array_behind_a_grown_one),
		memblock_test(place_array_beside_another),
		memblock_test(place_larger_array),
	};

	return cmocka_run_group_tests_name("memblock: placed arrays", tests, NULL, NULL);
}
