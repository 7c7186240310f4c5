/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock_remove and memblock_free: trimming, splitting, removing whole entries. */
#include "helper_memblock.h"

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/*
 *  1    2    3         5    6
 *  +----+    +---------+----+
 *  | A  |    |    B    | C  |    C on another node
 *  +----+    +---------+----+
 *            ^^^^^^^^^^^           removed
 * Expect A and C to stay.
 */
static void remove_whole_entry(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(3), MIB(2)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(5), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_remove(mb, MIB(3), MIB(2)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(5), MIB(1), 0, 1 });
}

/*
 *  1                         7
 *  +-------------------------+
 *  |      HOT, node 3        |
 *  +-------------------------+
 *  ^^^^     ^^^^^^^^      ^^^^
 *  1  2     3      4      6  7+
 * Expect the start and the end to be trimmed, the middle to split the entry, and all that is left
 * to keep flags and node.
 */
static void remove_trims_and_splits(void **state)
{
	struct memblock *mb = map_of(state);
	const uint32_t hot = MEMBLOCK_HOTPLUG;

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(6), 3, hot), 0);
	assert_int_equal(memblock_remove(mb, 0, MIB(2)), 0);
	expect_map(mb, memory, { MIB(2), MIB(5), hot, 3 });
	assert_int_equal(memblock_remove(mb, MIB(6), MIB(9)), 0);
	expect_map(mb, memory, { MIB(2), MIB(4), hot, 3 });
	assert_int_equal(memblock_remove(mb, MIB(3), MIB(1)), 0);
	expect_map(mb, memory, { MIB(2), MIB(1), hot, 3 }, { MIB(4), MIB(2), hot, 3 });
}

/*
 *  1      3      4      5      6      8
 *  +------+      +------+      +------+
 *  |  A   |      |  B   |      |  C   |
 *  +------+      +------+      +------+
 *      ^^^^^^^^^^^^^^^^^^^^^^^^^^^
 *      2                         7
 * Expect the end of A and the start of C to go, and all of B.
 */
static void remove_across_entries(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(2)), 0);
	assert_int_equal(memblock_add(mb, MIB(4), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(6), MIB(2)), 0);
	assert_int_equal(memblock_add(mb, MIB(9), MIB(1)), 0);
	assert_int_equal(memblock_remove(mb, MIB(2), MIB(5)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(7), MIB(1), 0, NONE },
		   { MIB(9), MIB(1), 0, NONE });
}

/*
 *        2      3
 *        +------+
 *  ^^^^^^|      |^^^^^^
 *        +------+
 * Expect ranges that only touch an entry, lie outside it or are empty to change nothing; so on an
 * empty map.
 */
static void remove_what_is_not_there(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_remove(mb, 0, PHYS_ADDR_MAX), 0);
	assert_int_equal(memblock_free(mb, 0, 0), 0);
	assert_int_equal(memblock_free(mb, 0, PHYS_ADDR_MAX), 0);
	expect_empty(mb, memory);
	assert_int_equal(memblock_add(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(memblock_remove(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_remove(mb, MIB(3), MIB(1)), 0);
	assert_int_equal(memblock_remove(mb, MIB(2) + 1, 0), 0);
	assert_int_equal(memblock_free(mb, MIB(2) + 1, 0), 0);
	assert_int_equal(memblock_free(mb, 0, MIB(2)), 0);
	assert_int_equal(memblock_free(mb, PHYS_ADDR_MAX, PHYS_ADDR_MAX), 0);
	expect_map(mb, memory, { MIB(2), MIB(1), 0, NONE });
	expect_map(mb, reserved, { MIB(2), MIB(1), 0, NONE });
}

/*
 *  1      2      3
 *  +------+------+
 *  |  0   |  1   |   nodes
 *  +------+------+
 *  ^^^^^^^^^^^^^^^^^ ... top
 * Expect nothing to be left, and the first entry to read as zero.
 */
static void removing_all_leaves_zero(void **state)
{
	struct memblock *mb = map_of(state);
	const struct memblock_region zero = { 0 };

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_remove(mb, MIB(1), PHYS_ADDR_MAX), 0);
	expect_empty(mb, memory);
	assert_memory_equal(&mb->memory.regions[0], &zero, sizeof(zero));
	assert_int_equal(memblock_reserve_cause(mb, 5, 3, CAUSE_FDT), 0);
	assert_int_equal(memblock_free(mb, 5, 3), 0);
	expect_empty(mb, reserved);
	assert_memory_equal(&mb->reserved.regions[0], &zero, sizeof(zero));
}

/*
 *  1            4           6
 *  +------------+-----------+
 *  |   image    |    fdt    |
 *  +------------+-----------+
 *       ^^^^                     2-3
 *            ^^^^^^^^            3-5
 * Expect freed parts to go whatever their cause, and the rest to keep its own; memory stays.
 */
static void free_splits_and_keeps_causes(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, 0, MIB(9)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(3), CAUSE_IMAGE), 0);
	assert_int_equal(memblock_reserve_kern(mb, MIB(4), MIB(2), CAUSE_FDT), 0);
	assert_int_equal(memblock_set_node(mb, MIB(1), MIB(3), &mb->reserved, 2), 0);
	assert_int_equal(memblock_free(mb, MIB(2), MIB(1)), 0);
	expect_map(mb, reserved, { MIB(1), MIB(1), RSRV(CAUSE_IMAGE), 2 },
		   { MIB(3), MIB(1), RSRV(CAUSE_IMAGE), 2 },
		   { MIB(4), MIB(2), ALLOC(CAUSE_FDT), NONE });
	assert_int_equal(memblock_free(mb, MIB(3), MIB(2)), 0);
	expect_map(mb, reserved, { MIB(1), MIB(1), RSRV(CAUSE_IMAGE), 2 },
		   { MIB(5), MIB(1), ALLOC(CAUSE_FDT), NONE });
	expect_map(mb, memory, { 0, MIB(9), 0, NONE });
}

/*
 *  0             2^64
 *  ----------------|
 *     +------------|
 *     |            |    memory up to the top
 *     +------------|
 *        ^^^^^^^^^^| ^^^   removed, wraps
 * Expect the range to be cut at the top, not to wrap to address 0.
 */
static void remove_is_cut_at_the_top(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_equal(memblock_add(mb, -MIB(4), MIB(4)), 0);
	assert_int_equal(memblock_remove(mb, -MIB(2), MIB(3)), 0);
	expect_map(mb, memory, { 0, MIB(1), 0, NONE }, { -MIB(4), MIB(2), 0, NONE });
	assert_int_equal(memblock_reserve(mb, 0, MIB(1)), 0);
	assert_int_equal(memblock_reserve(mb, -MIB(4), MIB(4)), 0);
	assert_int_equal(memblock_free(mb, -MIB(2), MIB(3)), 0);
	expect_map(mb, reserved, { 0, MIB(1), 0, NONE }, { -MIB(4), MIB(2), 0, NONE });
}

/*
 * 128 entries, an array that may not grow, a range in the middle of one of them:
 *  +------+ +------+
 *  | ^^^^ | |      | . . .
 *  +------+ +------+
 * Expect a split to fail with nothing changed, a trim and a removal to succeed.
 */
static void split_in_a_full_array_fails(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;

	helper_memblock_fill_reserved(h, 0, MIB(2), mb->reserved.max);
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_free(mb, 4096, 4096), -EMM_ENOSPC);
	helper_snapshot_check(&before, mb);
	assert_int_equal(memblock_free(mb, 0, 4096), 0);
	assert_int_equal(mb->reserved.regions[0].base, 4096);
	assert_int_equal(memblock_free(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(mb->reserved.cnt, mb->reserved.max - 1);
	assert_int_equal(memblock_free(mb, 8192, 4096), 0);
	assert_int_equal(mb->reserved.cnt, mb->reserved.max);
	assert_true(memblock_is_valid(mb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(remove_whole_entry),
		memblock_test(remove_trims_and_splits),
		memblock_test(remove_across_entries),
		memblock_test(remove_what_is_not_there),
		memblock_test(removing_all_leaves_zero),
		memblock_test(free_splits_and_keeps_causes),
		memblock_test(remove_is_cut_at_the_top),
		memblock_test(split_in_a_full_array_fails),
	};

	return cmocka_run_group_tests_name("memblock: remove and free", tests, NULL, NULL);
}
