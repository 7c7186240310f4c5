/* SPDX-License-Identifier: BSD-2-Clause */
/* memblock_add, memblock_add_node, memblock_reserve*: insertion, overlap and merging. */
#include "helper_memblock.h"

#define HOT MEMBLOCK_HOTPLUG

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/* Expect an empty map: no entries, defaults as documented, and every query answered. */
static void init_makes_an_empty_map(void **state)
{
	struct memblock *mb = map_of(state);

	expect_empty(mb, memory);
	expect_empty(mb, reserved);
	assert_int_equal(INIT_MEMBLOCK_REGIONS, 128);
	assert_int_equal(mb->memory.max, INIT_MEMBLOCK_REGIONS);
	assert_int_equal(mb->reserved.max, INIT_MEMBLOCK_REGIONS);
	assert_string_equal(mb->memory.name, "memory");
	assert_string_equal(mb->reserved.name, "reserved");
	assert_true(mb->current_limit == PHYS_ADDR_MAX);
	assert_false(mb->bottom_up);
	assert_false(mb->can_resize);
	assert_false(mb->movable_node);
	assert_null(mb->debug);
	assert_null(mb->warn);
}

/*
 *      1    2      4    5      7    8
 *      +----+      +----+      +----+
 *      | B  |      | C  |      | A  |       (added in the order A, B, C)
 *      +----+      +----+      +----+
 * Expect to find them sorted, without a node.
 */
static void add_sorts(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(7), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(4), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(4), MIB(1), 0, NONE },
		   { MIB(7), MIB(1), 0, NONE });
	expect_empty(mb, reserved);
}

/*
 *  1      2      3      4
 *  +------+------+------+
 *  |  A   |  C   |  B   |
 *  +------+------+------+
 * Expect to merge with the left neighbour, the right one, and both at once.
 */
static void add_merges_neighbours(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(3), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(3), MIB(1), 0, NONE });
	assert_int_equal(memblock_add(mb, MIB(2), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(3), 0, NONE });
	assert_int_equal(memblock_add(mb, MIB(4), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(4), 0, NONE });
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	expect_map(mb, memory, { 0, MIB(5), 0, NONE });
}

/*
 *  1       2       3       4       5
 *  +-------+-------+-------+-------+
 *  | node0 | node1 | node1 | node1 |
 *  |       |       |  HOT  |       |
 *  +-------+-------+-------+-------+
 * Expect four entries: neighbours that differ in node or flags never merge.
 */
static void add_merges_only_alike(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(3), MIB(1), 1, HOT), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(4), MIB(1), 1, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, 0 }, { MIB(2), MIB(1), 0, 1 },
		   { MIB(3), MIB(1), HOT, 1 }, { MIB(4), MIB(1), 0, 1 });
}

/*
 *      2           4
 *      +-----------+
 *      | HOT node0 |
 *      +-----------+
 *  1      +-----+        6
 *  +------|-----|--------+
 *  |      node1          |     added over it
 *  +---------------------+
 * Expect three entries: what was there keeps its flags and node, only the gaps are added.
 */
static void add_over_keeps_what_was_there(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(2), 0, HOT), 0);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(5), 1, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, 1 }, { MIB(2), MIB(2), HOT, 0 },
		   { MIB(4), MIB(2), 0, 1 });
}

/*
 *      2     4     5     7     8     10
 *      +-----+     +-----+     +-----+
 *      |  0  |     |  1  |     |  0  |      nodes
 *      +-----+     +-----+     +-----+
 *  1                                    12
 *  +--------------------------------------+
 *  |                  0                   |  added over all
 *  +--------------------------------------+
 * Expect the gaps to merge with the entries of node 0 and to stop at that of node 1.
 */
static void add_over_several_merges_where_alike(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(2), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(5), MIB(2), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(8), MIB(2), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(11), 0, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(4), 0, 0 }, { MIB(5), MIB(2), 0, 1 },
		   { MIB(7), MIB(5), 0, 0 });
}

/*
 *      2  3     4  5     6  7
 *      +--+     +--+     +--+      +--+
 *      |1 |     |1 |     |1 |      |1 |     node 1, the last at 20
 *      +--+     +--+     +--+      +--+
 *   1                         8
 *   +--------------------------+
 *   |            2             |            node 2 added
 *   +--------------------------+
 * Expect every gap to become an entry, in the right place, and the entry above to move up.
 */
static void add_over_several_unlike(void **state)
{
	struct memblock *mb = map_of(state);
	unsigned int i;

	for (i = 2; i <= 6; i += 2)
		assert_int_equal(memblock_add_node(mb, MIB(i), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(20), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(7), 2, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, 2 }, { MIB(2), MIB(1), 0, 1 },
		   { MIB(3), MIB(1), 0, 2 }, { MIB(4), MIB(1), 0, 1 }, { MIB(5), MIB(1), 0, 2 },
		   { MIB(6), MIB(1), 0, 1 }, { MIB(7), MIB(1), 0, 2 }, { MIB(20), MIB(1), 0, 1 });
}

/*
 *  1          4            1          4             1          4
 *  +----------+            +----------+             +----------+
 *  |          |            |          |             |          |
 *  +----------+            +----------+             +----------+
 *    2    3             1      2                            3       6
 *    +----+             +------+                            +-------+
 * Expect one entry each time: within it, at its start, over its end.
 */
static void add_overlapping_alike(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(3)), 0);
	assert_int_equal(memblock_add(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(1), MIB(3)), 0);
	expect_map(mb, memory, { MIB(1), MIB(3), 0, NONE });
	assert_int_equal(memblock_add(mb, MIB(3), MIB(3)), 0);
	expect_map(mb, memory, { MIB(1), MIB(5), 0, NONE });
	assert_int_equal(memblock_add(mb, MIB(0), MIB(2)), 0);
	expect_map(mb, memory, { MIB(0), MIB(6), 0, NONE });
}

/*
 *                      2^64 - 2 MiB        2^64
 *                            +----------------|------- - -
 *                            |                |            added, wraps
 *                            +----------------|------- - -
 * Expect the range to end at the top of the address space, one byte short; also when added again,
 * and a range that would begin there to be nothing.
 */
static void add_is_cut_at_the_top(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t base = -MIB(2);

	assert_int_equal(memblock_add(mb, base, MIB(8)), 0);
	expect_map(mb, memory, { base, MIB(2) - 1, 0, NONE });
	assert_int_equal(memblock_add(mb, base, MIB(2)), 0);
	assert_int_equal(memblock_add(mb, base + MIB(1), PHYS_ADDR_MAX), 0);
	assert_int_equal(memblock_add(mb, PHYS_ADDR_MAX, PHYS_ADDR_MAX), 0);
	expect_map(mb, memory, { base, MIB(2) - 1, 0, NONE });
	assert_int_equal(memblock_reserve(mb, PHYS_ADDR_MAX - 7, PHYS_ADDR_MAX), 0);
	expect_map(mb, reserved, { PHYS_ADDR_MAX - 7, 7, 0, NONE });
}

/*
 *  1        2
 *  +--------+
 *  |        |
 *  +--------+
 *  ^   ^    ^            ^    ranges of size 0, the last at the top
 * Expect none of them to change anything, nor one in an empty map.
 */
static void size_0_changes_nothing(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), 0), 0);
	assert_int_equal(memblock_reserve(mb, MIB(1), 0), 0);
	expect_empty(mb, memory);
	expect_empty(mb, reserved);
	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(1) + 9, 0, 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), 0, 1, 0), 0);
	assert_int_equal(memblock_add(mb, PHYS_ADDR_MAX, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE });
}

/* Expect nodes below -1, flags of reservations, and causes that do not exist to be refused. */
static void bad_arguments_are_refused(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), -2, 0), -EMM_EINVAL);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, MEMBLOCK_RSRV_NOINIT),
			 -EMM_EINVAL);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, 0x100), -EMM_EINVAL);
	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(1), NR_CAUSES), -EMM_EINVAL);
	assert_int_equal(memblock_reserve_kern(mb, MIB(1), MIB(1), (enum memblock_cause) - 1),
			 -EMM_EINVAL);
	expect_empty(mb, memory);
	expect_empty(mb, reserved);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), NONE,
					   MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR | MEMBLOCK_NOMAP |
						   MEMBLOCK_DRIVER_MANAGED),
			 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0xf, NONE });
}

/*
 *  1       2       3       4       5
 *  +-------+-------+-------+-------+
 *  | image | fdt   | fdt   | none  |
 *  +-------+-------+-------+-------+
 * Expect equal causes to merge and different ones to stay apart.
 */
static void reservations_merge_by_cause(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(1), CAUSE_IMAGE), 0);
	assert_int_equal(memblock_reserve(mb, MIB(4), MIB(1)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(2), MIB(1), CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(3), MIB(1), CAUSE_FDT), 0);
	expect_map(mb, reserved, { MIB(1), MIB(1), RSRV(CAUSE_IMAGE), NONE },
		   { MIB(2), MIB(2), RSRV(CAUSE_FDT), NONE }, { MIB(4), MIB(1), 0, NONE });
	expect_empty(mb, memory);
}

/*
 *      2        4
 *      +--------+
 *      |  fdt   |
 *      +--------+
 *  1       3               6
 *  +-----------------------+
 *  |        initrd         |
 *  +-----------------------+
 * Expect a byte that is reserved twice to keep the cause it had first.
 */
static void first_cause_wins(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_reserve_cause(mb, MIB(2), MIB(2), CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(5), CAUSE_INITRD), 0);
	expect_map(mb, reserved, { MIB(1), MIB(1), RSRV(CAUSE_INITRD), NONE },
		   { MIB(2), MIB(2), RSRV(CAUSE_FDT), NONE },
		   { MIB(4), MIB(2), RSRV(CAUSE_INITRD), NONE });
	assert_int_equal(mb->reserved.total_size, MIB(5));
}

/*
 *  1        2        3
 *  +--------+--------+
 *  |  fdt   | fdt    |
 *  |        | KERN   |
 *  +--------+--------+
 * Expect memblock_reserve_kern to set the flag, which keeps the two apart.
 */
static void reserve_kern_sets_its_flag(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(1), CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_kern(mb, MIB(2), MIB(1), CAUSE_FDT), 0);
	expect_map(mb, reserved, { MIB(1), MIB(1), RSRV(CAUSE_FDT), NONE },
		   { MIB(2), MIB(1), ALLOC(CAUSE_FDT), NONE });
}

/*
 * A full array: 128 entries, 1 MiB each, 1 MiB apart.
 *  0  1  2  3  4  5              254 255
 *  +--+  +--+  +--+               +--+
 *  |  |  |  |  |  |     . . .     |  |
 *  +--+  +--+  +--+               +--+
 * Expect what merges or is there already to succeed, and what needs an entry to fail with nothing
 * changed, though the array may not grow.
 */
static void full_array_takes_what_needs_no_entry(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;
	const unsigned long max = mb->reserved.max;

	helper_memblock_fill_reserved(h, 0, MIB(2), max);
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_reserve(mb, MIB(2 * max), MIB(1)), -EMM_ENOSPC);
	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(1), CAUSE_FDT), -EMM_ENOSPC);
	assert_int_equal(memblock_reserve_cause(mb, 0, MIB(9), CAUSE_FDT), -EMM_ENOSPC);
	assert_int_equal(memblock_reserve(mb, MIB(2), MIB(1)), 0);
	helper_snapshot_check(&before, mb);

	/* Two merge into one; and the entry that this freed can be used, also in one call. */
	assert_int_equal(memblock_reserve(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(mb->reserved.cnt, max - 1);
	assert_int_equal(mb->reserved.regions[0].size, MIB(3));
	assert_int_equal(memblock_reserve_cause(mb, MIB(3), MIB(1), CAUSE_FDT), 0);
	assert_int_equal(mb->reserved.cnt, max);
	assert_true(memblock_is_valid(mb));
}

/*
 * A full array again; the last entry of the range below has a cause of its own.
 *  0  1  2  3  4  5  6
 *  +--+  +--+  +--+  +---
 *  |  |  |  |  |  |  |fdt
 *  +--+  +--+  +--+  +---
 *  0                 6
 *  +-----------------+     gaps: two that join two entries, one that joins the left one
 * Expect a single call that both merges and fills to need no growth.
 */
static void merging_call_needs_no_room(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;

	helper_memblock_fill_reserved(h, 0, MIB(2), 3);
	assert_int_equal(memblock_reserve_cause(mb, MIB(6), MIB(1), CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(8), MIB(1), CAUSE_FDT), 0);
	helper_memblock_fill_reserved(h, MIB(10), MIB(2), max - 5);
	assert_int_equal(mb->reserved.cnt, max);
	/* Gaps 1-2 and 3-4 join two each, 5-6 joins one, 7-8 becomes an entry: 128 - 2 + 1. */
	assert_int_equal(memblock_reserve(mb, 0, MIB(9)), 0);
	assert_int_equal(mb->reserved.cnt, max - 1);
	assert_int_equal(mb->reserved.regions[0].size, MIB(6));
	assert_int_equal(mb->reserved.regions[1].flags, RSRV(CAUSE_FDT));
	assert_int_equal(mb->reserved.regions[2].base, MIB(7));
	assert_int_equal(mb->reserved.regions[2].flags, 0);
	assert_int_equal(mb->reserved.regions[3].base, MIB(8));
	assert_int_equal(mb->reserved.regions[4].base, MIB(10));
	assert_true(memblock_is_valid(mb));
}

/*
 *  1      2      3      4      5      6              9
 *  +------+      +------+      +------+
 *  | none |      | none |      | fdt  |
 *  +------+      +------+      +------+
 *  |<---------------- none -------------------------->|
 * Expect the first gap to join two entries, the second to join one, and the last, behind which
 * there is nothing, to become an entry: all in one call.
 */
static void join_and_append_at_once(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_reserve(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(3), MIB(1)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(5), MIB(1), CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve(mb, MIB(1), MIB(8)), 0);
	expect_map(mb, reserved, { MIB(1), MIB(4), 0, NONE },
		   { MIB(5), MIB(1), RSRV(CAUSE_FDT), NONE }, { MIB(6), MIB(3), 0, NONE });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(init_makes_an_empty_map),
		memblock_test(add_sorts),
		memblock_test(add_merges_neighbours),
		memblock_test(add_merges_only_alike),
		memblock_test(add_over_keeps_what_was_there),
		memblock_test(add_over_several_merges_where_alike),
		memblock_test(add_over_several_unlike),
		memblock_test(add_overlapping_alike),
		memblock_test(add_is_cut_at_the_top),
		memblock_test(size_0_changes_nothing),
		memblock_test(bad_arguments_are_refused),
		memblock_test(reservations_merge_by_cause),
		memblock_test(first_cause_wins),
		memblock_test(reserve_kern_sets_its_flag),
		memblock_test(full_array_takes_what_needs_no_entry),
		memblock_test(merging_call_needs_no_room),
		memblock_test(join_and_append_at_once),
	};

	return cmocka_run_group_tests_name("memblock: add and reserve", tests, NULL, NULL);
}
