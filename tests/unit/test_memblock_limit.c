/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits: trim, memory limits, capping. */
#include "helper_memblock.h"

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/*
 *       64 KiB steps:  0    1    2    3    4    5
 *                      +----+----+----+----+----+
 *                        [    A    ] [B] [HOT][C]        HOT and C meet inside step 4
 * Expect A cut inward to 1-2, B gone, HOT cut at 4, C gone; and the total to agree.
 */
static void trim_cuts_inward(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t k = 1 << 10, step = 64 * k;

	assert_int_equal(memblock_add(mb, 32 * k, 108 * k), 0);
	assert_int_equal(memblock_add(mb, 2 * step + 20 * k, 16 * k), 0);
	assert_int_equal(memblock_add_node(mb, 3 * step, step + 8 * k, 1, MEMBLOCK_HOTPLUG), 0);
	assert_int_equal(memblock_add(mb, 4 * step + 8 * k, 40 * k), 0);
	assert_int_equal(memblock_trim_memory(mb, step), 0);
	expect_map(mb, memory, { step, step, 0, NONE }, { 3 * step, step, MEMBLOCK_HOTPLUG, 1 });
	assert_int_equal(memblock_phys_mem_size(mb), 2 * step);
	assert_int_equal(memblock_trim_memory(mb, 2 * step), 0);
	expect_empty(mb, memory);
}

/*
 *                         2^64
 *      +-------------------|
 *      |                   |   ends one byte short of the top
 *      +-------------------|
 * Expect the last, partial step to go, and a range within it to vanish, not to wrap.
 */
static void trim_at_the_top(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, -MIB(4) + 1, MIB(4)), 0);
	assert_int_equal(memblock_trim_memory(mb, MIB(1)), 0);
	expect_map(mb, memory, { -MIB(3), MIB(2), 0, NONE });
	assert_int_equal(memblock_add(mb, -(phys_addr_t)100, 50), 0);
	assert_int_equal(memblock_trim_memory(mb, 1), 0);
	expect_map(mb, memory, { -MIB(3), MIB(2), 0, NONE }, { -(phys_addr_t)100, 50, 0, NONE });
	assert_int_equal(memblock_trim_memory(mb, MIB(1)), 0);
	expect_map(mb, memory, { -MIB(3), MIB(2), 0, NONE });
}

/* Expect alignments that are no power of two to be refused. */
static void trim_refuses(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, 1, MIB(8)), 0);
	assert_int_equal(memblock_trim_memory(mb, 0), -EMM_EINVAL);
	assert_int_equal(memblock_trim_memory(mb, MIB(3)), -EMM_EINVAL);
	expect_map(mb, memory, { 1, MIB(8), 0, NONE });
}

/* The map of the limit tests. */
static void set_map(struct memblock *mb)
{
	assert_int_equal(memblock_add_node(mb, MIB(16), MIB(4), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(24), MIB(4), 1, 0), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(26), MIB(1)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(32), MIB(1), 0, MEMBLOCK_NOMAP), 0);
	assert_int_equal(memblock_reserve(mb, MIB(18), MIB(7)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(27), MIB(1), CAUSE_FDT), 0);
}

/*
 *  16      20      24   26   27  28      32    33
 *  +-------+       +----+----+---+       +-----+
 *  |   0   |       | 1  |NOMP| 1 |       |NOMAP|
 *  +-------+       +----+----+---+       +-----+
 *      18             25    27  28
 *      +---------------+     +--+
 *      |     rsv       |     |  |
 *      +---------------+     +--+
 *  |<- 4 ->|       |1|  limit of 5 MiB: counted in bytes of memory, so it ends at 25
 * Expect all above to go, NOMAP too, and the reservations with it.
 */
static void enforce_counts_bytes(void **state)
{
	struct memblock *mb = map_of(state);

	set_map(mb);
	memblock_enforce_memory_limit(mb, 0);
	memblock_enforce_memory_limit(mb, MIB(10));
	memblock_enforce_memory_limit(mb, PHYS_ADDR_MAX);
	assert_int_equal(memblock_phys_mem_size(mb), MIB(9));
	assert_int_equal(memblock_reserved_size(mb), MIB(8));
	memblock_enforce_memory_limit(mb, MIB(9) / 2);
	expect_map(mb, memory, { MIB(16), MIB(4), 0, 0 }, { MIB(24), MIB(1) / 2, 0, 1 });
	expect_map(mb, reserved, { MIB(18), MIB(13) / 2, 0, NONE });
	/* Exactly the first bank: nothing of the second one is left. */
	memblock_enforce_memory_limit(mb, MIB(4));
	expect_map(mb, memory, { MIB(16), MIB(4), 0, 0 });
	expect_map(mb, reserved, { MIB(18), MIB(2), 0, NONE });
	memblock_enforce_memory_limit(mb, 1);
	expect_map(mb, memory, { MIB(16), 1, 0, 0 });
	expect_empty(mb, reserved);
}

/*
 *  16      20      24   26   27  28      32    33
 *  +-------+       +----+----+---+       +-----+
 *  |   0   |       | 1  |NOMP| 1 |       |NOMAP|
 *  +-------+       +----+----+---+       +-----+
 *      |<----- cap ------->|
 *      17                 26.5
 * Expect memory outside to go, NOMAP entries to stay whole, reservations to be cut at both ends.
 */
static void cap_keeps_nomap(void **state)
{
	struct memblock *mb = map_of(state);
	const uint32_t nomap = MEMBLOCK_NOMAP;

	/* Without memory nothing happens, also to reservations. */
	assert_int_equal(memblock_reserve(mb, MIB(17), 5), 0);
	memblock_cap_memory_range(mb, MIB(1), MIB(1));
	expect_empty(mb, memory);
	expect_map(mb, reserved, { MIB(17), 5, 0, NONE });
	assert_int_equal(memblock_free(mb, MIB(17), 5), 0);
	set_map(mb);
	assert_int_equal(memblock_reserve(mb, 0, MIB(17) + 1), 0);
	memblock_cap_memory_range(mb, MIB(17), 0);
	assert_int_equal(memblock_phys_mem_size(mb), MIB(9));
	memblock_cap_memory_range(mb, MIB(17), MIB(19) / 2);
	expect_map(mb, memory, { MIB(17), MIB(3), 0, 0 }, { MIB(24), MIB(2), 0, 1 },
		   { MIB(26), MIB(1), nomap, 1 }, { MIB(32), MIB(1), nomap, 0 });
	expect_map(mb, reserved, { MIB(17), 1, 0, NONE }, { MIB(18), MIB(7), 0, NONE });
	/* A range that passes the top is cut there. */
	memblock_cap_memory_range(mb, MIB(25), PHYS_ADDR_MAX);
	expect_map(mb, memory, { MIB(25), MIB(1), 0, 1 }, { MIB(26), MIB(1), nomap, 1 },
		   { MIB(32), MIB(1), nomap, 0 });
	expect_empty(mb, reserved);
}

/*
 *  16      20      24   26   27  28      32    33
 *  +-------+       +----+----+---+       +-----+
 *  |   0   |       | 1  |NOMP| 1 |       |NOMAP|
 *  +-------+       +----+----+---+       +-----+
 *  |<- 4 ->|       |1|
 * Expect the same limit of 5 MiB, with the NOMAP entries above it kept.
 */
static void limit_remove_map_keeps_nomap(void **state)
{
	struct memblock *mb = map_of(state);
	const uint32_t nomap = MEMBLOCK_NOMAP;

	set_map(mb);
	memblock_mem_limit_remove_map(mb, 0);
	memblock_mem_limit_remove_map(mb, MIB(10));
	assert_int_equal(memblock_phys_mem_size(mb), MIB(9));
	memblock_mem_limit_remove_map(mb, MIB(5));
	expect_map(mb, memory, { MIB(16), MIB(4), 0, 0 }, { MIB(24), MIB(1), 0, 1 },
		   { MIB(26), MIB(1), nomap, 1 }, { MIB(32), MIB(1), nomap, 0 });
	expect_map(mb, reserved, { MIB(18), MIB(7), 0, NONE });
}

/*
 *  16      20      24    28
 *  +-------+       +-----+
 *  |       |       |     |
 *  +-------+       +-----+
 *      18             26   30   31
 *      +---------------+   +----+
 *      |      rsv      |   |rsv |
 *      +---------------+   +----+
 *  |<- 4 ->|  then all 8: a limit of just what there is
 * Expect the limit that ends with a bank to take all behind it, also a reservation that goes on; and
 * one of all memory to drop only what is reserved outside.
 */
static void limit_at_the_end_of_a_bank(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(16), MIB(4)), 0);
	assert_int_equal(memblock_add(mb, MIB(24), MIB(4)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(18), MIB(8)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(30), MIB(1)), 0);
	memblock_enforce_memory_limit(mb, MIB(8) + 1);
	assert_int_equal(mb->reserved.cnt, 2);
	memblock_mem_limit_remove_map(mb, MIB(8) + 1);
	assert_int_equal(mb->reserved.cnt, 2);
	memblock_enforce_memory_limit(mb, MIB(8));
	expect_map(mb, memory, { MIB(16), MIB(4), 0, NONE }, { MIB(24), MIB(4), 0, NONE });
	expect_map(mb, reserved, { MIB(18), MIB(8), 0, NONE });
	memblock_mem_limit_remove_map(mb, MIB(4));
	expect_map(mb, memory, { MIB(16), MIB(4), 0, NONE });
	expect_map(mb, reserved, { MIB(18), MIB(2), 0, NONE });
}

/*
 *  64            79         80    81       1024
 *  +-------------+----+-----+-----+        +--+  +--+
 *  |             |img.|array| fdt |        |  |  |  | . . .
 *  +-------------+----+-----+-----+        +--+  +--+
 *  |<- 1 ->|
 * Expect the entry that holds an array in use to stay, whole, though there is no memory: memory that
 * is added there later must not be handed out over it. All other reservations go.
 */
static void limits_keep_arrays(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	struct memblock_array array;
	phys_addr_t pa = 0;

	assert_int_equal(memblock_reserve_cause(mb, MIB(79), MIB(1) / 2, CAUSE_IMAGE), 0);
	array = mb->reserved_array;
	assert_int_not_equal(array.size, 0);
	/* Right before the array, and right behind it. */
	assert_int_equal(memblock_reserve_cause(mb, array.base - 9, 9, CAUSE_IMAGE), 0);
	assert_int_equal(memblock_reserve_cause(mb, HELPER_RAM_END, MIB(1), CAUSE_FDT), 0);
	memblock_enforce_memory_limit(mb, MIB(1));
	expect_map(mb, memory, { HELPER_RAM, MIB(1), 0, NONE });
	expect_map(mb, reserved, { array.base, array.size, ALLOC(CAUSE_MEMBLOCK), NONE });
	memblock_mem_limit_remove_map(mb, MIB(1) / 2);
	memblock_cap_memory_range(mb, HELPER_RAM, MIB(1) / 4);
	expect_map(mb, reserved, { array.base, array.size, ALLOC(CAUSE_MEMBLOCK), NONE });
	assert_int_equal(memblock_add(mb, array.base, array.size), 0);
	assert_int_equal(memblock_phys_alloc(mb, 64, 64, 0, MEMBLOCK_ALLOC_ANYWHERE, NONE,
					     CAUSE_ALLOC, &pa),
			 0);
	assert_int_equal(pa, HELPER_RAM + MIB(1) / 4 - 64);
	helper_check_arrays(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(trim_cuts_inward),
		memblock_test(trim_at_the_top),
		memblock_test(trim_refuses),
		memblock_test(enforce_counts_bytes),
		memblock_test(cap_keeps_nomap),
		memblock_test(limit_remove_map_keeps_nomap),
		memblock_test(limit_at_the_end_of_a_bank),
		memblock_test(limits_keep_arrays),
	};

	return cmocka_run_group_tests_name("memblock: limits", tests, NULL, NULL);
}
