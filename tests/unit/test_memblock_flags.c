/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags and nodes: mark, clear and set_node isolate a range and merge again. */
#include "helper_memblock.h"

#define HOT   MEMBLOCK_HOTPLUG
#define NOMAP MEMBLOCK_NOMAP

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/*
 *  1                        7
 *  +------------------------+
 *  |         node 2         |
 *  +------------------------+
 *        3          5
 *        |<- mark ->|
 * Expect three entries, all of node 2; and one again when the mark is cleared.
 */
static void mark_isolates_and_clear_merges(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(6), 2, 0), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(3), MIB(2)), 0);
	expect_map(mb, memory, { MIB(1), MIB(2), 0, 2 }, { MIB(3), MIB(2), NOMAP, 2 },
		   { MIB(5), MIB(2), 0, 2 });
	assert_int_equal(memblock_mark_nomap(mb, MIB(3), MIB(1)), 0);
	assert_int_equal(memblock_clear_hotplug(mb, 0, PHYS_ADDR_MAX), 0);
	expect_map(mb, memory, { MIB(1), MIB(2), 0, 2 }, { MIB(3), MIB(2), NOMAP, 2 },
		   { MIB(5), MIB(2), 0, 2 });
	assert_int_equal(memblock_clear_nomap(mb, MIB(3), MIB(2)), 0);
	expect_map(mb, memory, { MIB(1), MIB(6), 0, 2 });
}

/*
 *  1      2      3      4      5
 *  +------+------+------+------+
 *  |      | HOT  |      | HOT  |
 *  +------+------+------+------+
 *         |<---- mark ------>|
 *         2                 4.5
 * Expect HOT to be one entry from 2 to 5: what becomes alike merges inside the range and past
 * both its ends.
 */
static void mark_merges_across_the_range(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(4)), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(4), MIB(1)), 0);
	assert_int_equal(mb->memory.cnt, 4);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), MIB(2) + MIB(1) / 2), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(2), MIB(3), HOT, NONE });
}

/*
 *  1           3           5           7
 *  +-----------+-----------+-----------+
 *  |           |    HOT    |           |
 *  +-----------+-----------+-----------+
 *        2                       6
 *        |<----- mark HOT ------>|
 * Expect the parts of the outer entries to join the middle one: no entry more than before.
 */
static void mark_moves_the_borders(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(6)), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(3), MIB(2)), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), MIB(4)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(2), MIB(4), HOT, NONE },
		   { MIB(6), MIB(1), 0, NONE });
}

/*
 *  1      2   3   4       6
 *  +------+   +---+       +---
 *  |      |   |   |       |
 *  +------+   +---+       +---
 *      1.5           5
 *      |<-- mark --->|
 * Expect only what is there to be marked; holes stay holes, and entries that do not touch do not
 * merge.
 */
static void mark_skips_holes(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t half = MIB(1) / 2;

	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(3), MIB(1)), 0);
	assert_int_equal(memblock_add(mb, MIB(6), MIB(1)), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(1) + half, MIB(4) - half), 0);
	expect_map(mb, memory, { MIB(1), half, 0, NONE }, { MIB(1) + half, half, NOMAP, NONE },
		   { MIB(3), MIB(1), NOMAP, NONE }, { MIB(6), MIB(1), 0, NONE });
	assert_int_equal(memblock_mark_nomap(mb, MIB(4), MIB(2)), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(8), PHYS_ADDR_MAX), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(6) + 1, 0), 0);
	assert_int_equal(mb->memory.cnt, 4);
}

/*
 *  1        2        3
 *  +--------+--------+
 *  | HOT    | NOMAP  |
 *  +--------+--------+
 *  |<-- each flag -->|
 * Expect every mark to set its own bit beside the others, and every clear to clear just that.
 */
static void each_call_has_its_own_flag(void **state)
{
	static const struct {
		int (*mark)(struct memblock *mb, phys_addr_t base, phys_addr_t size);
		int (*clear)(struct memblock *mb, phys_addr_t base, phys_addr_t size);
		uint32_t flag;
		bool reserved;
	} call[] = {
		{ memblock_mark_hotplug, memblock_clear_hotplug, 0x1, false },
		{ memblock_mark_mirror, memblock_clear_mirror, 0x2, false },
		{ memblock_mark_nomap, memblock_clear_nomap, 0x4, false },
		{ memblock_mark_driver_managed, memblock_clear_driver_managed, 0x8, false },
		{ memblock_reserved_mark_noinit, memblock_reserved_clear_noinit, 0x10, true },
		{ memblock_reserved_mark_kern, memblock_reserved_clear_kern, 0x20, true },
	};
	struct memblock *mb = map_of(state);
	const uint32_t fdt = RSRV(CAUSE_FDT);
	unsigned int i;

	assert_int_equal(memblock_add(mb, MIB(1), MIB(2)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(2), CAUSE_FDT), 0);
	for (i = 0; i < ARRAY_SIZE(call); i++) {
		const uint32_t in_memory = call[i].reserved ? 0 : call[i].flag;
		const uint32_t in_reserved = fdt | (call[i].reserved ? call[i].flag : 0);

		assert_int_equal(call[i].mark(mb, MIB(1), MIB(2)), 0);
		expect_map(mb, memory, { MIB(1), MIB(2), in_memory, NONE });
		expect_map(mb, reserved, { MIB(1), MIB(2), in_reserved, NONE });
		assert_int_equal(call[i].clear(mb, MIB(1), MIB(2)), 0);
		expect_map(mb, memory, { MIB(1), MIB(2), 0, NONE });
		expect_map(mb, reserved, { MIB(1), MIB(2), fdt, NONE });
	}
	for (i = 0; i < ARRAY_SIZE(call); i++)
		assert_int_equal(call[i].mark(mb, MIB(1), MIB(2)), 0);
	assert_int_equal(memblock_clear_mirror(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_reserved_clear_kern(mb, MIB(2), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0xd, NONE }, { MIB(2), MIB(1), 0xf, NONE });
	expect_map(mb, reserved, { MIB(1), MIB(1), fdt | 0x30, NONE },
		   { MIB(2), MIB(1), fdt | 0x10, NONE });
}

/* Expect the general calls to take a type's own flags, and to refuse all else. */
static void general_calls_check_their_type(void **state)
{
	struct memblock *mb = map_of(state);
	struct memblock_type other = mb->memory;

	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_set_flags(mb, &mb->memory, 0, MIB(9), 0x10), -EMM_EINVAL);
	assert_int_equal(memblock_set_flags(mb, &mb->reserved, 0, MIB(9), NOMAP), -EMM_EINVAL);
	assert_int_equal(memblock_clear_flags(mb, &mb->reserved, 0, MIB(9), 0x100), -EMM_EINVAL);
	assert_int_equal(memblock_set_flags(mb, &other, 0, MIB(9), HOT), -EMM_EINVAL);
	assert_int_equal(memblock_set_flags(mb, &other, 0, MIB(9), 0x10), -EMM_EINVAL);
	assert_int_equal(memblock_clear_flags(mb, &other, 0, MIB(9), 0x20), -EMM_EINVAL);
	assert_int_equal(memblock_set_node(mb, 0, MIB(9), &other, 0), -EMM_EINVAL);
	assert_int_equal(memblock_set_node(mb, 0, MIB(9), &mb->memory, -2), -EMM_EINVAL);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE });
	expect_map(mb, reserved, { MIB(1), MIB(1), 0, NONE });
	assert_int_equal(memblock_set_flags(mb, &mb->memory, 0, MIB(9), HOT | NOMAP), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), HOT | NOMAP, NONE });
	assert_int_equal(memblock_clear_flags(mb, &mb->memory, 0, MIB(9), HOT), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), NOMAP, NONE });
}

/*
 *  1        3        5        7
 *  +--------+--------+--------+
 *  | none   | node 0 | none   |
 *  +--------+--------+--------+
 *       2                6
 *       |<-- node 0 ---->|
 *  |<--------- node 1 ------->|
 * Expect set_node to split and to merge, to keep flags, and to leave one entry at the end.
 */
static void set_node_splits_and_merges(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(6), NONE, HOT), 0);
	assert_int_equal(memblock_set_node(mb, MIB(3), MIB(2), &mb->memory, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(2), HOT, NONE }, { MIB(3), MIB(2), HOT, 0 },
		   { MIB(5), MIB(2), HOT, NONE });
	assert_int_equal(memblock_set_node(mb, MIB(2), MIB(4), &mb->memory, 0), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), HOT, NONE }, { MIB(2), MIB(4), HOT, 0 },
		   { MIB(6), MIB(1), HOT, NONE });
	assert_int_equal(memblock_set_node(mb, 0, PHYS_ADDR_MAX, &mb->memory, 1), 0);
	expect_map(mb, memory, { MIB(1), MIB(6), HOT, 1 });
	assert_int_equal(memblock_set_node(mb, 0, MIB(4), &mb->memory, NONE), 0);
	expect_map(mb, memory, { MIB(1), MIB(3), HOT, NONE }, { MIB(4), MIB(3), HOT, 1 });
}

/*
 *  1        2        3        4
 *  +--------+--------+--------+
 *  |  fdt   | image  |  fdt   |
 *  +--------+--------+--------+
 *  |<-------- node 1 -------->|
 * Expect the causes to survive and to keep the entries apart, though the node is the same.
 */
static void set_node_on_reserved_keeps_causes(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(3), CAUSE_FDT), 0);
	assert_int_equal(memblock_free(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(2), MIB(1), CAUSE_IMAGE), 0);
	assert_int_equal(memblock_set_node(mb, 0, MIB(9), &mb->reserved, 1), 0);
	expect_map(mb, reserved, { MIB(1), MIB(1), RSRV(CAUSE_FDT), 1 },
		   { MIB(2), MIB(1), RSRV(CAUSE_IMAGE), 1 },
		   { MIB(3), MIB(1), RSRV(CAUSE_FDT), 1 });
	expect_empty(mb, memory);
}

/*
 * A full memory array that may not grow:
 *  0    1    2    3
 *  +----+----+----+----+--     --+
 *  |    |HOT |    |HOT |   . . . |
 *  +----+----+----+----+--     --+
 * Expect a mark that splits to fail with nothing changed, one that moves a border or merges to
 * succeed.
 */
static void mark_in_a_full_array(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;
	const unsigned long max = mb->memory.max;
	unsigned long i;

	for (i = 0; i < max; i++)
		assert_int_equal(memblock_add_node(mb, MIB(i), MIB(1), NONE, i & 1 ? HOT : 0), 0);
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_mark_nomap(mb, 4096, 4096), -EMM_ENOSPC);
	assert_int_equal(memblock_mark_nomap(mb, 0, 4096), -EMM_ENOSPC);
	assert_int_equal(memblock_set_node(mb, MIB(2), 4096, &mb->memory, 7), -EMM_ENOSPC);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2) + 4096, 4096), -EMM_ENOSPC);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(1), MIB(1)), 0);
	helper_snapshot_check(&before, mb);

	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), 4096), 0);
	assert_int_equal(mb->memory.cnt, max);
	assert_int_equal(mb->memory.regions[1].size, MIB(1) + 4096);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), MIB(3)), 0);
	assert_int_equal(mb->memory.cnt, max - 4);
	assert_int_equal(mb->memory.regions[1].size, MIB(5));
	assert_true(memblock_is_valid(mb));
}

/*
 *  1        4    5    6    7    8    9    10
 *  +--------+    +----+    +----+    +----+
 *  |   3    |    | 0  |    | 1  |    | 2  |    nodes
 *  +--------+    +----+    +----+    +----+
 *     2   3
 *     |HOT|
 * Expect the entries above to move up by two, in order, each with its node; and back again.
 */
static void isolating_keeps_what_is_above(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(3), 3, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(5), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(7), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(9), MIB(1), 2, 0), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, 3 }, { MIB(2), MIB(1), HOT, 3 },
		   { MIB(3), MIB(1), 0, 3 }, { MIB(5), MIB(1), 0, 0 }, { MIB(7), MIB(1), 0, 1 },
		   { MIB(9), MIB(1), 0, 2 });
	assert_int_equal(memblock_clear_hotplug(mb, MIB(2), MIB(1)), 0);
	expect_map(mb, memory, { MIB(1), MIB(3), 0, 3 }, { MIB(5), MIB(1), 0, 0 },
		   { MIB(7), MIB(1), 0, 1 }, { MIB(9), MIB(1), 0, 2 });
}

/*
 *  1    2    3    4    5    6    7    8
 *  +----+----+----+----+----+----+----+
 *  |    |HOT |    |HOT |    |HOT |    |    then node 1 above 8
 *  +----+----+----+----+----+----+----+
 *         |<------ clear ------->|
 *        2.5                    6.5
 * Expect one call that cuts at both ends and merges in between to do both: HOT stays at 2-2.5 and at
 * 6.5-7, one plain entry lies between.
 */
static void cut_and_merge_at_once(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t half = MIB(1) / 2;
	unsigned int i;

	assert_int_equal(memblock_add(mb, MIB(1), MIB(7)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(8), MIB(1), 1, HOT), 0);
	for (i = 2; i <= 6; i += 2)
		assert_int_equal(memblock_mark_hotplug(mb, MIB(i), MIB(1)), 0);
	assert_int_equal(memblock_clear_hotplug(mb, MIB(2) + half, MIB(4)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, NONE }, { MIB(2), half, HOT, NONE },
		   { MIB(2) + half, MIB(4), 0, NONE }, { MIB(6) + half, half, HOT, NONE },
		   { MIB(7), MIB(1), 0, NONE }, { MIB(8), MIB(1), HOT, 1 });
}

/*
 *  1      2      3      4
 *  +------+------+------+
 *  |  0   |  1   | 0 HOT|    nodes
 *  +------+------+------+
 *  |<------ mark ------>|
 * Expect the flags to be alike and the nodes to keep all three apart; then node 1 over two of them
 * to merge these, and flags that differ to keep entries of one node apart.
 */
static void changes_merge_only_alike(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(3), MIB(1), 0, HOT), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(1), MIB(3)), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), HOT, 0 }, { MIB(2), MIB(1), HOT, 1 },
		   { MIB(3), MIB(1), HOT, 0 });
	assert_int_equal(memblock_set_node(mb, MIB(3), MIB(1), &mb->memory, 1), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), HOT, 0 }, { MIB(2), MIB(2), HOT, 1 });
	assert_int_equal(memblock_clear_hotplug(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_set_node(mb, MIB(1), MIB(1), &mb->memory, 1), 0);
	expect_map(mb, memory, { MIB(1), MIB(1), 0, 1 }, { MIB(2), MIB(2), HOT, 1 });
}

/*
 *  0      1              -2 MiB       2^64
 *  +------+              +-------------|
 *  |      |              |             |
 *  +------+              +-------------|
 *                              ^^^^^^^^| ^^^     wraps
 * Expect a change to be cut at the top of the address space, not to reach address 0.
 */
static void changes_are_cut_at_the_top(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_equal(memblock_add(mb, -MIB(2), MIB(2)), 0);
	assert_int_equal(memblock_mark_nomap(mb, -MIB(1), MIB(8)), 0);
	expect_map(mb, memory, { 0, MIB(1), 0, NONE }, { -MIB(2), MIB(1), 0, NONE },
		   { -MIB(1), MIB(1) - 1, NOMAP, NONE });
	assert_int_equal(memblock_clear_nomap(mb, -MIB(1), MIB(8)), 0);
	assert_int_equal(memblock_set_node(mb, -MIB(1), MIB(8), &mb->memory, 3), 0);
	expect_map(mb, memory, { 0, MIB(1), 0, NONE }, { -MIB(2), MIB(1), 0, NONE },
		   { -MIB(1), MIB(1) - 1, 0, 3 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(mark_isolates_and_clear_merges),
		memblock_test(mark_merges_across_the_range),
		memblock_test(mark_moves_the_borders),
		memblock_test(mark_skips_holes),
		memblock_test(each_call_has_its_own_flag),
		memblock_test(general_calls_check_their_type),
		memblock_test(set_node_splits_and_merges),
		memblock_test(set_node_on_reserved_keeps_causes),
		memblock_test(mark_in_a_full_array),
		memblock_test(isolating_keeps_what_is_above),
		memblock_test(cut_and_merge_at_once),
		memblock_test(changes_merge_only_alike),
		memblock_test(changes_are_cut_at_the_top),
	};

	return cmocka_run_group_tests_name("memblock: flags and nodes", tests, NULL, NULL);
}
