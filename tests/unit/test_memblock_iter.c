/* SPDX-License-Identifier: BSD-2-Clause */
/* The walks: free ranges both ways, entries, frames. */
#include "helper_memblock.h"

struct range {
	phys_addr_t start;
	phys_addr_t end;
};

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/* Walks both ways and compares with @want; the walks must go on answering false when over. */
static void check_free(const struct memblock *mb, int nid, uint32_t flags, const struct range *want,
		       unsigned int n)
{
	struct memblock_iter it;
	phys_addr_t start = 1, end = 2;
	unsigned int i;

	memblock_iter_free_init(&it, mb, nid, flags);
	for (i = 0; i < n; i++) {
		assert_true(memblock_next_free(&it, &start, &end));
		assert_int_equal(start, want[i].start);
		assert_int_equal(end, want[i].end);
	}
	assert_false(memblock_next_free(&it, &start, &end));
	assert_false(memblock_next_free(&it, &start, &end));
	if (n) {
		assert_int_equal(start, want[n - 1].start);
		assert_int_equal(end, want[n - 1].end);
	}
	memblock_iter_free_init_reverse(&it, mb, nid, flags);
	for (i = n; i > 0; i--) {
		assert_true(memblock_prev_free(&it, &start, &end));
		assert_int_equal(start, want[i - 1].start);
		assert_int_equal(end, want[i - 1].end);
	}
	assert_false(memblock_prev_free(&it, &start, &end));
	assert_false(memblock_prev_free(&it, &start, &end));
}

#define expect_free(mb, nid, flags, ...)                                  \
	check_free(mb, nid, flags, (const struct range[]){ __VA_ARGS__ }, \
		   ARRAY_SIZE(((const struct range[]){ __VA_ARGS__ })))
#define expect_nothing_free(mb, nid, flags) check_free(mb, nid, flags, NULL, 0)

/*
 *      2     4     6     8          12     14
 *      +-----------------+          +------+
 *      |     memory      |          |memory|
 *      +-----------------+          +------+
 *  1      3     5     7                        16   17
 *  +------+     +-----+                        +----+
 *  | rsv  |     | rsv |                        |rsv |
 *  +------+     +-----+                        +----+
 * Expect 3-5, 7-8, 12-14.
 */
static void free_is_memory_minus_reserved(void **state)
{
	struct memblock *mb = map_of(state);

	expect_nothing_free(mb, NONE, 0);
	assert_int_equal(memblock_reserve(mb, MIB(1), MIB(2)), 0);
	expect_nothing_free(mb, NONE, 0);
	assert_int_equal(memblock_add(mb, MIB(2), MIB(6)), 0);
	assert_int_equal(memblock_add(mb, MIB(12), MIB(2)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(5), MIB(2)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(16), MIB(1)), 0);
	expect_free(mb, NONE, 0, { MIB(3), MIB(5) }, { MIB(7), MIB(8) }, { MIB(12), MIB(14) });
}

/*
 *  1     3     4     6     7     9     10    12
 *  +-----+     +-----+     +-----+     +-----+
 *  |     |     |     |     |     |     |     |
 *  +-----+     +-----+     +-----+     +-----+
 *     2                         8
 *     +-------------------------+
 *     |    one reservation      |
 *     +-------------------------+
 *                                   9.5        13
 *                                   +---+------+
 *                                   |fdt| image|     two that touch
 *                                   +---+------+
 * Expect a reservation over several banks to be taken out of each, and touching ones together.
 */
static void reservation_over_several_banks(void **state)
{
	struct memblock *mb = map_of(state);
	unsigned int i;

	for (i = 1; i <= 10; i += 3)
		assert_int_equal(memblock_add(mb, MIB(i), MIB(2)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(2), MIB(6)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(19) / 2, MIB(1), CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(21) / 2, MIB(5) / 2, CAUSE_IMAGE), 0);
	expect_free(mb, NONE, 0, { MIB(1), MIB(2) }, { MIB(8), MIB(9) });
	assert_int_equal(memblock_free(mb, MIB(11), 1), 0);
	expect_free(mb, NONE, 0, { MIB(1), MIB(2) }, { MIB(8), MIB(9) }, { MIB(11), MIB(11) + 1 });
}

/*
 *  0          5                  2^64 - 1
 *  +-+--------+-+----------------+-+
 *  |.|   rsv  |.|      rsv       |.|
 *  +-+--------+-+----------------+-+
 * Memory reserved to the byte, from its first to its last: expect nothing, then single bytes.
 */
static void single_bytes(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, 0, PHYS_ADDR_MAX), 0);
	expect_free(mb, NONE, 0, { 0, PHYS_ADDR_MAX });
	assert_int_equal(memblock_reserve(mb, 0, PHYS_ADDR_MAX), 0);
	expect_nothing_free(mb, NONE, 0);
	assert_int_equal(memblock_free(mb, 0, 1), 0);
	assert_int_equal(memblock_free(mb, MIB(5), 1), 0);
	assert_int_equal(memblock_free(mb, PHYS_ADDR_MAX - 1, 1), 0);
	expect_free(mb, NONE, 0, { 0, 1 }, { MIB(5), MIB(5) + 1 },
		    { PHYS_ADDR_MAX - 1, PHYS_ADDR_MAX });
}

/*
 *  1     2     3     4     5     6
 *  +-----+-----+-----+-----+-----+
 *  |     | HOT |MIRR.|NOMAP|DRIV.|
 *  +-----+-----+-----+-----+-----+
 * Expect NOMAP and DRIVER_MANAGED never, not even when asked for; HOTPLUG unless movable nodes are
 * asked for; only MIRROR if MIRROR is asked for. Entries that touch are separate ranges.
 */
static void flags_filter(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(1), MIB(5)), 0);
	assert_int_equal(memblock_mark_hotplug(mb, MIB(2), MIB(1)), 0);
	assert_int_equal(memblock_mark_mirror(mb, MIB(3), MIB(1)), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(4), MIB(1)), 0);
	assert_int_equal(memblock_mark_driver_managed(mb, MIB(5), MIB(1)), 0);
	expect_free(mb, NONE, 0, { MIB(1), MIB(2) }, { MIB(2), MIB(3) }, { MIB(3), MIB(4) });
	expect_free(mb, NONE, 0xff & ~(uint32_t)MEMBLOCK_MIRROR, { MIB(1), MIB(2) },
		    { MIB(2), MIB(3) }, { MIB(3), MIB(4) });
	expect_free(mb, NONE, MEMBLOCK_MIRROR, { MIB(3), MIB(4) });
	mb->movable_node = true;
	expect_free(mb, NONE, 0, { MIB(1), MIB(2) }, { MIB(3), MIB(4) });
	expect_free(mb, NONE, MEMBLOCK_HOTPLUG, { MIB(1), MIB(2) }, { MIB(2), MIB(3) },
		    { MIB(3), MIB(4) });
	assert_int_equal(memblock_mark_nomap(mb, MIB(3), MIB(1)), 0);
	expect_nothing_free(mb, NONE, MEMBLOCK_MIRROR);
	expect_nothing_free(mb, NONE, MEMBLOCK_MIRROR | MEMBLOCK_NOMAP);
}

/*
 *  1     2     3     4     5
 *  +-----+-----+-----+-----+
 *  |  0  |  1  |  0  |none |
 *  +-----+-----+-----+-----+
 *     1.5               4.5
 *     +-----------------+
 *     |    reserved, then freed at 3
 *     +-----------------+
 * Expect each node's own ranges, all of them for no node, and none for a node that is not there.
 */
static void node_filter(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t half = MIB(1) / 2;

	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(3), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add(mb, MIB(4), MIB(1)), 0);
	expect_free(mb, 0, 0, { MIB(1), MIB(2) }, { MIB(3), MIB(4) });
	expect_free(mb, 1, 0, { MIB(2), MIB(3) });
	assert_int_equal(memblock_reserve(mb, MIB(1) + half, MIB(3)), 0);
	expect_free(mb, NONE, 0, { MIB(1), MIB(1) + half }, { MIB(4) + half, MIB(5) });
	assert_int_equal(memblock_free(mb, MIB(3), half), 0);
	expect_free(mb, 0, 0, { MIB(1), MIB(1) + half }, { MIB(3), MIB(3) + half });
	expect_nothing_free(mb, 1, 0);
	expect_nothing_free(mb, 2, 0);
}

/*
 *  1     2     3     4
 *  +-----+-----+-----+
 *  |  0  |  1  |  0  |
 *  +-----+-----+-----+
 * Expect the entries in order, those of one node if asked for, and NULL at the end.
 */
static void entries(void **state)
{
	struct memblock *mb = map_of(state);
	struct memblock_iter it;

	memblock_iter_region_init(&it, &mb->memory, NONE);
	assert_null(memblock_next_region(&it));
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), 0, MEMBLOCK_NOMAP), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(3), MIB(1), 0, 0), 0);
	assert_int_equal(memblock_reserve(mb, 5, 5), 0);
	memblock_iter_region_init(&it, &mb->memory, NONE);
	assert_ptr_equal(memblock_next_region(&it), &mb->memory.regions[0]);
	assert_ptr_equal(memblock_next_region(&it), &mb->memory.regions[1]);
	assert_ptr_equal(memblock_next_region(&it), &mb->memory.regions[2]);
	assert_null(memblock_next_region(&it));
	assert_null(memblock_next_region(&it));
	memblock_iter_region_init(&it, &mb->memory, 0);
	assert_ptr_equal(memblock_next_region(&it), &mb->memory.regions[0]);
	assert_ptr_equal(memblock_next_region(&it), &mb->memory.regions[2]);
	assert_null(memblock_next_region(&it));
	memblock_iter_region_init(&it, &mb->reserved, NONE);
	assert_ptr_equal(memblock_next_region(&it), &mb->reserved.regions[0]);
	assert_null(memblock_next_region(&it));
}

/*
 * frames:  0      1      2      3      4      5      6      7
 *          +------+------+------+------+------+------+------+
 *             [A        ]   [B]    [C       ][D      ]
 *             node 0       node 0   NOMAP     node 1
 * Expect A to give frame 1, B none, C (4 only) and D theirs: memory goes inward.
 */
static void memory_frames_go_inward(void **state)
{
	struct memblock *mb = map_of(state);
	const struct memblock_region *r = NULL;
	const phys_addr_t p = PAGE_SIZE;
	struct memblock_iter it;
	uint64_t start = 0, end = 0;

	assert_int_equal(memblock_add_node(mb, p / 2, p * 3 / 2, 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, p * 2 + 8, p - 16, 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, p * 4 - 1, p + 1, NONE, MEMBLOCK_NOMAP), 0);
	assert_int_equal(memblock_add_node(mb, p * 5, p + 5, 1, 0), 0);
	memblock_iter_region_init(&it, &mb->memory, NONE);
	assert_true(memblock_next_mem_pfn_range(&it, &start, &end, &r));
	assert_int_equal(start, 1);
	assert_int_equal(end, 2);
	assert_ptr_equal(r, &mb->memory.regions[0]);
	assert_true(memblock_next_mem_pfn_range(&it, &start, &end, &r));
	assert_int_equal(start, 4);
	assert_int_equal(end, 5);
	assert_int_equal(r->flags, MEMBLOCK_NOMAP);
	assert_true(memblock_next_mem_pfn_range(&it, &start, &end, NULL));
	assert_int_equal(start, 5);
	assert_int_equal(end, 6);
	assert_false(memblock_next_mem_pfn_range(&it, &start, &end, &r));
	memblock_iter_region_init(&it, &mb->memory, 1);
	assert_true(memblock_next_mem_pfn_range(&it, &start, &end, &r));
	assert_int_equal(r->nid, 1);
	assert_int_equal(start, 5);
	assert_false(memblock_next_mem_pfn_range(&it, &start, &end, &r));
}

/*
 * frames:  0      1      2      3      4      5      6
 *          +------+------+------+------+------+------+
 *           [A]  [B] [C]    [D              ]   [E]
 * Expect A to have frame 0, B frame 1 (0 is A's), C none, D 2 to 4, E 5: reserved goes outward,
 * and no frame is reported twice.
 */
static void reserved_frames_go_outward(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t p = PAGE_SIZE;
	static const struct {
		uint64_t start, end;
		enum memblock_cause cause;
	} want[] = {
		{ 0, 1, CAUSE_FDT },
		{ 1, 2, CAUSE_IMAGE },
		{ 2, 5, CAUSE_METADATA },
		{ 5, 6, CAUSE_OTHER },
	};
	const struct memblock_region *r = NULL;
	struct memblock_iter it;
	uint64_t start, end;
	unsigned int i;

	assert_int_equal(memblock_reserve_cause(mb, 100, 100, CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_cause(mb, p - 10, 20, CAUSE_IMAGE), 0);
	assert_int_equal(memblock_reserve_cause(mb, p + 100, 100, CAUSE_INITRD), 0);
	assert_int_equal(memblock_reserve_cause(mb, p * 2 + 10, p * 2, CAUSE_METADATA), 0);
	assert_int_equal(memblock_reserve(mb, p * 6 - 1, 1), 0);
	memblock_iter_region_init(&it, &mb->reserved, NONE);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(memblock_next_reserved_pfn_range(&it, &start, &end, &r));
		assert_int_equal(start, want[i].start);
		assert_int_equal(end, want[i].end);
		assert_int_equal(MEMBLOCK_CAUSE(r->flags), want[i].cause);
	}
	assert_false(memblock_next_reserved_pfn_range(&it, &start, &end, NULL));
	/* At the top the last, partial frame counts. */
	assert_int_equal(memblock_reserve(mb, PHYS_ADDR_MAX - 1, PHYS_ADDR_MAX), 0);
	memblock_iter_region_init(&it, &mb->reserved, NONE);
	for (i = 0; i <= ARRAY_SIZE(want); i++)
		assert_true(memblock_next_reserved_pfn_range(&it, &start, &end, NULL));
	assert_int_equal(start, PFN_DOWN(PHYS_ADDR_MAX));
	assert_int_equal(end, PFN_DOWN(PHYS_ADDR_MAX) + 1);
}

/*
 *  1     2     3     4     5     6     7
 *  +-----+     +-----+     +-----+
 *  |   X |     |   X |     |   X |     the end of each bank is reserved
 *  +-----+     +-----+     +-----+
 * Expect a walk to go on where it was, in both arrays: one that starts over at each step finds the
 * same, in quadratic time.
 */
static void walks_do_not_start_over(void **state)
{
	struct memblock *mb = map_of(state);
	const struct memblock_region *mem = mb->memory.regions, *rsv = mb->reserved.regions;
	struct memblock_iter it;
	phys_addr_t start, end;
	unsigned int i;

	for (i = 1; i <= 5; i += 2) {
		assert_int_equal(memblock_add(mb, MIB(i), MIB(1)), 0);
		assert_int_equal(memblock_reserve(mb, MIB(i + 1) - 4096, 4096), 0);
	}
	memblock_iter_free_init(&it, mb, NONE, 0);
	for (i = 0; i < 3; i++) {
		assert_true(memblock_next_free(&it, &start, &end));
		assert_ptr_equal(it.mem, mem + i);
		assert_ptr_equal(it.rsv, rsv + i);
	}
	memblock_iter_free_init_reverse(&it, mb, NONE, 0);
	for (i = 3; i > 0; i--) {
		assert_true(memblock_prev_free(&it, &start, &end));
		assert_ptr_equal(it.mem, mem + i);
		assert_ptr_equal(it.rsv, rsv + i - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(free_is_memory_minus_reserved),
		memblock_test(reservation_over_several_banks),
		memblock_test(single_bytes),
		memblock_test(flags_filter),
		memblock_test(node_filter),
		memblock_test(entries),
		memblock_test(memory_frames_go_inward),
		memblock_test(reserved_frames_go_outward),
		memblock_test(walks_do_not_start_over),
	};

	return cmocka_run_group_tests_name("memblock: walks", tests, NULL, NULL);
}
