/* SPDX-License-Identifier: BSD-2-Clause */
/* Growth of the arrays: when, where, what it costs, and that a failure changes nothing. */
#include "helper_memblock.h"

/*
 *  64                         80            1024
 *  +--------------------+-----+             +--+  +--+       +--+
 *  |       RAM          |array|             |  |  |  | . . . |  |  128, then the 129th
 *  +--------------------+-----+             +--+  +--+       +--+
 * Expect growth with the 129th reservation, not before: twice the entries, whole pages at the top
 * of memory, an entry of its own, and all that was there still there.
 */
static void reserved_doubles_when_needed(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 1);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;
	unsigned long i;

	assert_int_equal(memblock_reserve(mb, GIB(2), MIB(1)), 0);
	assert_int_equal(mb->reserved.cnt, max);
	assert_int_equal(mb->reserved.max, max);
	assert_ptr_equal(mb->reserved.regions, mb->reserved_init_regions);
	assert_int_equal(memblock_reserve(mb, GIB(3), MIB(1)), 0);
	assert_int_equal(mb->reserved.max, 2 * max);
	assert_int_equal(mb->reserved.cnt, max + 2);
	assert_int_equal(mb->reserved_array.base, HELPER_RAM_END - helper_array_bytes(2 * max));
	helper_check_arrays(h);
	helper_check_untouched(h);
	assert_int_equal(mb->reserved.regions[0].base, mb->reserved_array.base);
	assert_int_equal(mb->reserved.regions[0].size, mb->reserved_array.size);
	assert_int_equal(mb->reserved.regions[0].flags, ALLOC(CAUSE_MEMBLOCK));
	for (i = 1; i < max; i++)
		assert_int_equal(mb->reserved.regions[i].base, GIB(1) + MIB(2) * (i - 1));
	assert_int_equal(mb->reserved.regions[max].base, GIB(2));
	assert_int_equal(mb->reserved.regions[max + 1].base, GIB(3));
	assert_int_equal(mb->memory_array.size, 0);
}

/*
 *  64                  72           80
 *  +-------------------+------------+
 *  |            array->|the 129th   |    reserved up to the end of memory
 *  +-------------------+------------+
 * Expect the new array below the range that is being reserved; also where an allocation, a mark, a
 * removal or a free is what needs the room.
 */
static void growth_keeps_clear_of_the_range(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;

	assert_int_equal(memblock_reserve_cause(mb, MIB(72), MIB(8), CAUSE_FDT), 0);
	assert_int_equal(mb->reserved_array.base, MIB(72) - helper_array_bytes(mb->reserved.max));
	assert_int_equal(memblock_search(&mb->reserved, MIB(72))->size, MIB(8));
	helper_check_arrays(h);
}

/*
 *  64         72            ....  80
 *  +----------+-------------+-----+
 *  |          |the 129th    |array|
 *  +----------+-------------+-----+
 * Expect the new array on the higher side of the range, where there is exactly room enough.
 */
static void growth_takes_the_higher_side(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = helper_array_bytes(2 * mb->reserved.max);

	assert_int_equal(memblock_reserve_cause(mb, MIB(72), MIB(8) - bytes, CAUSE_FDT), 0);
	assert_int_equal(mb->reserved_array.base, HELPER_RAM_END - bytes);
	helper_check_arrays(h);
}

/*
 *  64         72             .... 80
 *  +----+-----+--------------+----+
 *  |    |array|the 129th     |    |    a byte less than an array takes
 *  +----+-----+--------------+----+
 * Expect the new array below the range.
 */
static void growth_one_page_short_goes_below(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = helper_array_bytes(2 * mb->reserved.max);

	assert_int_equal(memblock_reserve_cause(mb, MIB(72), MIB(8) - bytes + 1, CAUSE_FDT), 0);
	assert_int_equal(mb->reserved_array.base, MIB(72) - bytes);
	helper_check_arrays(h);
}

/*
 *  64                       79    80
 *  +-----------------+------+-----+
 *  |                 | array|block|
 *  +-----------------+------+-----+
 * Expect an allocation's block where it would be without growth, and the array below it.
 */
static void allocation_that_grows(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	phys_addr_t pa = 0;

	assert_int_equal(memblock_phys_alloc(mb, MIB(1), 4096, 0, MEMBLOCK_ALLOC_ANYWHERE, NONE,
					     CAUSE_ALLOC, &pa),
			 0);
	assert_int_equal(pa, MIB(79));
	assert_int_equal(mb->reserved_array.base, MIB(79) - helper_array_bytes(mb->reserved.max));
	helper_check_arrays(h);
	helper_check_untouched(h);
}

/*
 *  64                      78    80                  4 GiB
 *  +-----------------------+-----+                   +--+  +--+
 *  |                array->|NOMAP|                   |  |  |  | . . .   memory, array full
 *  +-----------------------+-----+                   +--+  +--+
 * Expect a mark to need an entry of the memory array, and that array not to be put into what is
 * being marked.
 */
static void mark_that_grows(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 10);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->memory.max;

	helper_memblock_fill_memory(h, 0);
	/* What is highest must not be reachable by growth, so that it ends up in our RAM. */
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_mark_nomap(mb, MIB(78), MIB(2)), 0);
	assert_int_equal(mb->memory.cnt, max + 1);
	assert_int_equal(mb->memory.max, 2 * max);
	assert_int_equal(mb->memory_array.base, MIB(78) - helper_array_bytes(2 * max));
	assert_int_equal(mb->memory.regions[0].size, MIB(14));
	assert_int_equal(mb->memory.regions[1].base, MIB(78));
	assert_int_equal(mb->memory.regions[1].flags, MEMBLOCK_NOMAP);
	assert_int_equal(mb->memory.regions[2].base, GIB(4) + MIB(2));
	helper_check_arrays(h);
	helper_check_untouched(h);
}

/*
 *  64     65                      80
 *  +------+-----------------+-----+
 *  |  array| removed        |     |    100 bytes are left above
 *  +------+-----------------+-----+
 * Expect memblock_remove in the middle of an entry to need one more, and the array below the hole.
 */
static void remove_that_grows(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 10);
	struct memblock *mb = &h->mb;

	helper_memblock_fill_memory(h, 0);
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_remove(mb, MIB(65), MIB(15) - 100), 0);
	assert_int_equal(mb->memory_array.base, MIB(65) - helper_array_bytes(mb->memory.max));
	assert_int_equal(mb->memory.regions[0].size, MIB(1));
	assert_int_equal(mb->memory.regions[1].size, 100);
	helper_check_arrays(h);
}

/*
 *  1024                       1025
 *  +--------------------------+
 *  |          ^^^^^           |     the middle of an entry of a full array
 *  +--------------------------+
 * Expect a free that splits to grow the array, and to free what it was asked to.
 */
static void free_that_grows(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;

	assert_int_equal(memblock_free(mb, GIB(1) + 4096, 4096), 0);
	assert_int_equal(mb->reserved.max, 2 * max);
	assert_int_equal(mb->reserved.cnt, max + 2);
	assert_int_equal(mb->reserved.regions[1].size, 4096);
	assert_int_equal(mb->reserved.regions[2].base, GIB(1) + 8192);
	helper_check_arrays(h);
}

/*
 * Entries of no cause, 128 of them with gaps; a range with a cause over all of them:
 *  +--+  +--+  +--+       +--+
 *  |  |  |  |  |  | . . . |  |
 *  +--+  +--+  +--+       +--+
 *  |<------------ fdt -------->|
 * Expect all 128 gaps to become entries: what is needed is counted first, so the array is doubled
 * twice at once.
 */
static void one_call_that_needs_many(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;
	unsigned long i;

	assert_int_equal(memblock_reserve_cause(mb, GIB(1), MIB(2) * max, CAUSE_FDT), 0);
	assert_int_equal(mb->reserved.cnt, 2 * max + 1);
	assert_int_equal(mb->reserved.max, 4 * max);
	helper_check_arrays(h);
	helper_check_untouched(h);
	for (i = 0; i < 2 * max; i++) {
		assert_int_equal(mb->reserved.regions[i + 1].base, GIB(1) + MIB(i));
		assert_int_equal(mb->reserved.regions[i + 1].flags, i & 1 ? RSRV(CAUSE_FDT) : 0);
	}
}

/*
 *  64                             80        8 GiB
 *  +--------+---------+-----+-----+         +--+  +--+       +--+
 *  |        | 4th     | 3rd |     |         |  |  |  | . . . |  |  2000
 *  +--------+---------+-----+-----+         +--+  +--+       +--+
 * Growth over growth: expect the old array's memory back each time, and no entry lost.
 */
static void old_arrays_are_freed(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	unsigned long i, max = mb->reserved.max;
	phys_addr_t first;

	assert_int_equal(memblock_reserve(mb, GIB(8), MIB(1)), 0);
	first = mb->reserved_array.base;
	for (i = 1; i < 2000; i++) {
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * i), MIB(1)), 0);
		helper_check_arrays(h);
	}
	/* Doubled as often as needed, and no more: with four entries to spare. */
	assert_int_equal(mb->reserved.max & (mb->reserved.max - 1), 0);
	assert_true(mb->reserved.max / 2 < mb->reserved.cnt + 4);
	assert_int_equal(mb->reserved.total_size, MIB(max + 2000) + mb->reserved_array.size);
	assert_int_not_equal(mb->reserved_array.base, first);
	for (i = 0; i < 2000; i++)
		assert_true(memblock_is_reserved(mb, GIB(8) + MIB(2 * i)));
}

/*
 * Both arrays full. Adding a bank needs a memory array, whose own reservation needs a reserved one.
 *  64                               80
 *  +--------------+--------+--------+
 *  |              | memory |reserved|
 *  +--------------+--------+--------+
 * Expect both to grow, next to each other.
 */
static void both_arrays_grow(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->memory.max;

	helper_memblock_fill_memory(h, 0);
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_equal(mb->memory.max, 2 * max);
	assert_int_equal(mb->reserved.max, 2 * max);
	assert_int_equal(mb->reserved_array.base, HELPER_RAM_END - helper_array_bytes(2 * max));
	assert_int_equal(mb->memory_array.base, HELPER_RAM_END - 2 * helper_array_bytes(2 * max));
	assert_int_equal(mb->memory.cnt, max + 1);
	assert_int_equal(mb->reserved.cnt, max + 1);
	helper_check_arrays(h);
	helper_check_untouched(h);
}

/*
 * The memory array full, the reserved one with a single entry to spare:
 *  64                               80
 *  +--------------+--------+--------+
 *  |              | memory |reserved|
 *  +--------------+--------+--------+
 * Expect both to grow: the new array takes that entry, and freeing an old one may need another.
 */
static void a_single_entry_is_not_enough(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 1);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;

	helper_memblock_fill_memory(h, 0);
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_true(mb->memory.max > max && mb->reserved.max > max);
	helper_check_arrays(h);
}

/*
 *  64     current_limit             80
 *  +------+ . . . . . . . . . . . . +
 *  | room for one array             |
 *  +------+ . . . . . . . . . . . . +
 * The same without room for the second array: expect an error and nothing changed at all.
 */
static void growth_of_both_fails_as_one(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;

	helper_memblock_fill_memory(h, 0);
	/* Free memory below the limit: one array's worth, at the start of RAM. */
	memblock_set_current_limit(mb, HELPER_RAM + helper_array_bytes(2 * mb->reserved.max));
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_add(mb, 0, MIB(1)), -EMM_ENOSPC);
	helper_snapshot_check(&before, mb);
	helper_check_untouched(h);
	memblock_set_current_limit(mb, HELPER_RAM + 2 * helper_array_bytes(2 * mb->reserved.max));
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	helper_check_arrays(h);
}

/*
 *  0  1 page    64    66      70     74      80
 *  +--+         +-----+-------+------+-------+
 *  |  |         |     | NOMAP |      |DRIVER |     memory; current_limit at 73
 *  +--+         +-----+-------+------+-------+
 *                          70   71
 *                          +----+
 *                          |rsv |
 *                          +----+
 * Expect the array below the limit, in memory that may be used, whichever way allocations go.
 */
static void growth_honours_limits_and_flags(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;

	helper_memblock_arena(h, HELPER_RAM, HELPER_RAM_SIZE);
	assert_int_equal(memblock_add(mb, 0, PAGE_SIZE), 0);
	assert_int_equal(memblock_add(mb, HELPER_RAM, HELPER_RAM_SIZE), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(66), MIB(4)), 0);
	assert_int_equal(memblock_mark_driver_managed(mb, MIB(74), MIB(6)), 0);
	helper_memblock_fill_reserved(h, GIB(1), MIB(2), mb->reserved.max - 1);
	assert_int_equal(memblock_reserve(mb, MIB(70), MIB(1)), 0);
	memblock_allow_resize(mb);
	memblock_set_bottom_up(mb, true);
	memblock_set_current_limit(mb, MIB(73) + 100);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	assert_int_equal(mb->reserved_array.base, MIB(73) - helper_array_bytes(mb->reserved.max));
	helper_check_arrays(h);
	helper_check_untouched(h);
}

/*
 *  0   1 page           1024 KiB        2048
 *  +---+---------+      +---------------+
 *  | 0 | a page short   |     NOMAP     |
 *  +---+---------+      +---------------+
 * Only page 0, a page less than an array takes, and NOMAP are free: expect no place for an array.
 */
static void growth_without_room_fails(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;
	const phys_addr_t bytes = helper_array_bytes(2 * mb->reserved.max);

	assert_int_equal(memblock_add(mb, 0, bytes), 0);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), NONE, MEMBLOCK_NOMAP), 0);
	helper_memblock_arena(h, 0, MIB(4));
	helper_memblock_fill_reserved(h, GIB(1), MIB(2), mb->reserved.max);
	memblock_allow_resize(mb);
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), -EMM_ENOSPC);
	assert_int_equal(memblock_free(mb, GIB(1) + 5, 1), -EMM_ENOSPC);
	helper_snapshot_check(&before, mb);
	helper_check_untouched(h);
	assert_int_equal(memblock_add(mb, bytes, PAGE_SIZE), 0);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	assert_int_equal(mb->reserved_array.base, PAGE_SIZE);
	helper_check_arrays(h);
}

/*
 *  64                        80
 *  +-------------------------+
 *  |  not to be reached      |
 *  +-------------------------+
 * phys_to_virt fails, or there is none: expect -EMM_EFAULT and nothing changed.
 */
static void growth_into_unreachable_memory(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;
	phys_addr_t pa = 42;

	helper_snapshot_take(&before, mb);
	h->unreachable = true;
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), -EMM_EFAULT);
	assert_int_equal(memblock_phys_alloc(mb, 64, 64, 0, MEMBLOCK_ALLOC_ANYWHERE, NONE,
					     CAUSE_ALLOC, &pa),
			 -EMM_EFAULT);
	mb->map = NULL;
	assert_int_equal(memblock_free(mb, GIB(1) + 5, 1), -EMM_EFAULT);
	helper_snapshot_check(&before, mb);
	assert_int_equal(pa, 42);
	mb->map = &h->map;
	h->unreachable = false;
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	helper_check_arrays(h);
}

/*
 *  64                 old array      80
 *  +--------------------+-----+------+
 *  |                    |     |      |
 *  +--------------------+-----+------+
 *               |<-- fdt reserved -->|     needs room, over the array that growth frees
 * Expect the range to be reserved without a hole where the old array was.
 */
static void range_over_the_old_array(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	phys_addr_t old;

	assert_int_equal(memblock_reserve(mb, MIB(79), MIB(1)), 0);
	old = mb->reserved_array.base;
	while (mb->reserved.cnt < mb->reserved.max)
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * mb->reserved.cnt), 1), 0);
	assert_int_equal(memblock_reserve_cause(mb, old - MIB(1), MIB(3), CAUSE_FDT), 0);
	assert_true(mb->reserved_array.base < old - MIB(1));
	assert_int_equal(memblock_search(&mb->reserved, old)->flags, RSRV(CAUSE_FDT));
	assert_int_equal(memblock_search(&mb->reserved, old)->base, old - MIB(1));
	assert_int_equal(memblock_search(&mb->reserved, MIB(79))->flags, 0);
	helper_check_arrays(h);
}

/*
 *  64          70    72            80
 *  +-----------+-----+-------------+
 *  |           |MIRR.|             |
 *  +-----------+-----+-------------+
 * Expect the array in mirrored memory while there is room, in any other after that, which is no
 * reason for a warning; and the old one freed each time.
 */
static void growth_prefers_mirrored_memory(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;

	mb->warn = &h->printer;
	assert_int_equal(memblock_mark_mirror(mb, MIB(70), MIB(2)), 0);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	assert_int_equal(mb->reserved_array.base, MIB(72) - mb->reserved_array.size);
	assert_int_equal(memblock_reserve(mb, MIB(70), MIB(1) * 3 / 2), 0);
	while (mb->reserved.max <= 256)
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * mb->reserved.cnt), 1), 0);
	helper_check_arrays(h);
	assert_int_equal(memblock_reserve(mb, MIB(70), MIB(2)), 0);
	while (mb->reserved.max <= 512)
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * mb->reserved.cnt), 1), 0);
	assert_int_equal(mb->reserved_array.base, HELPER_RAM_END - mb->reserved_array.size);
	assert_string_equal(h->out.text, "");
	assert_true(memblock_is_valid(mb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(reserved_doubles_when_needed),
		memblock_test(growth_keeps_clear_of_the_range),
		memblock_test(growth_takes_the_higher_side),
		memblock_test(growth_one_page_short_goes_below),
		memblock_test(allocation_that_grows),
		memblock_test(mark_that_grows),
		memblock_test(remove_that_grows),
		memblock_test(free_that_grows),
		memblock_test(one_call_that_needs_many),
		memblock_test(old_arrays_are_freed),
		memblock_test(both_arrays_grow),
		memblock_test(a_single_entry_is_not_enough),
		memblock_test(growth_of_both_fails_as_one),
		memblock_test(growth_honours_limits_and_flags),
		memblock_test(growth_without_room_fails),
		memblock_test(growth_into_unreachable_memory),
		memblock_test(range_over_the_old_array),
		memblock_test(growth_prefers_mirrored_memory),
	};

	return cmocka_run_group_tests_name("memblock: growth", tests, NULL, NULL);
}
