/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation: placement, bounds, alignment, what is skipped, zeroing, failure. */
#include "helper_memblock.h"

#include <string.h>

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/*
 *  16                              32
 *  +----------------------+--------+
 *  |                      | first  |
 *  +----------------------+--------+
 *                    ^^^^^            second
 * Expect the highest fit each time, and the exact size on record; both merge.
 */
static void top_down_takes_the_highest(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(16), MIB(16)), 0);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(31));
	expect_map(mb, reserved, { MIB(31), MIB(1), ALLOC(CAUSE_ALLOC), NONE });
	assert_int_equal(helper_alloc(mb, 4096, 4096), MIB(31) - 4096);
	expect_map(mb, reserved, { MIB(31) - 4096, MIB(1) + 4096, ALLOC(CAUSE_ALLOC), NONE });
}

/*
 *  16                              32
 *  +-------+-----------------------+
 *  | first |                       |
 *  +-------+-----------------------+
 *           ^^^^^^                     second
 * Expect the lowest fit each time.
 */
static void bottom_up_takes_the_lowest(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(16), MIB(16)), 0);
	memblock_set_bottom_up(mb, true);
	assert_int_equal(helper_alloc(mb, 100, 4096), MIB(16));
	assert_int_equal(helper_alloc(mb, 100, 4096), MIB(16) + 4096);
	expect_map(mb, reserved, { MIB(16), 100, ALLOC(CAUSE_ALLOC), NONE },
		   { MIB(16) + 4096, 100, ALLOC(CAUSE_ALLOC), NONE });
	memblock_set_bottom_up(mb, false);
	assert_int_equal(helper_alloc(mb, MIB(1), 4096), MIB(31));
}

/*
 *  16     18  19       22   23        32
 *  +------+   +--------+    +---------+
 *  |      |   |        |    |XXXXXXXXX|   reserved
 *  +------+   +--------+    +---------+
 *                ^^^^^^^                   3 MiB + 1: nowhere; 2 MiB: at 20; then at 16
 * Expect holes and reservations to be passed over, an exact fit to be taken, and no block to span
 * two entries.
 */
static void placement_passes_over_what_is_taken(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(16), MIB(2)), 0);
	assert_int_equal(memblock_add(mb, MIB(19), MIB(3)), 0);
	assert_int_equal(memblock_add(mb, MIB(23), MIB(9)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(23), MIB(9)), 0);
	helper_no_alloc(mb, MIB(3) + 1, 1, 0, ANY, -EMM_ENOMEM);
	assert_int_equal(helper_alloc(mb, MIB(2), 1), MIB(20));
	assert_int_equal(helper_alloc(mb, MIB(2), 1), MIB(16));
	assert_int_equal(helper_alloc(mb, MIB(1), 1), MIB(19));
	helper_no_alloc(mb, 1, 1, 0, ANY, -EMM_ENOMEM);
}

/*
 *  16           20
 *  +------------+         top-down: round_down(end - size, align), so a gap stays above;
 *  |     +---+--|         bottom-up: round_up(start, align), so a gap stays below.
 *  +------------+
 * Expect align 0 to mean a cache line, other alignments to be kept exactly, and the record to have
 * the size that was asked for.
 */
static void alignment(void **state)
{
	struct memblock *mb = map_of(state);
	const phys_addr_t line = SMP_CACHE_BYTES;

	/* Half a cache line short at both ends. */
	assert_int_equal(memblock_add(mb, MIB(16) + line / 2, MIB(4) - line), 0);
	assert_int_equal(helper_alloc(mb, 10, 0), MIB(20) - line);
	assert_int_equal(helper_alloc(mb, 5, 1), MIB(20) - line / 2 - 5);
	assert_int_equal(helper_alloc(mb, 10, 0), MIB(20) - 2 * line);
	assert_int_equal(helper_alloc(mb, 10, MIB(1)), MIB(19));
	memblock_set_bottom_up(mb, true);
	assert_int_equal(helper_alloc(mb, 10, 0), MIB(16) + line);
	assert_int_equal(helper_alloc(mb, 15, 1), MIB(16) + line / 2);
	assert_int_equal(helper_alloc(mb, 10, MIB(2)), MIB(18));
	assert_int_equal(mb->reserved.total_size, 70);
}

/* Expect size 0, alignments that are no power of two, bad nodes and causes to be refused. */
static void bad_requests_are_refused(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa = 42;
	void *ptr = mb;

	assert_int_equal(memblock_add(mb, MIB(16), MIB(16)), 0);
	helper_no_alloc(mb, 0, 64, 0, ANY, -EMM_EINVAL);
	helper_no_alloc(mb, 0, 0, 0, ANY, -EMM_EINVAL);
	helper_no_alloc(mb, 64, 3 << 20, 0, ANY, -EMM_EINVAL);
	helper_no_alloc(mb, 64, 12, 0, ANY, -EMM_EINVAL);
	helper_no_alloc(mb, 64, PHYS_ADDR_MAX, 0, ANY, -EMM_EINVAL);
	assert_int_equal(memblock_phys_alloc(mb, 1, 0, 0, ANY, -2, CAUSE_ALLOC, &pa), -EMM_EINVAL);
	assert_int_equal(memblock_phys_alloc(mb, 1, 0, 0, ANY, NONE, NR_CAUSES, &pa), -EMM_EINVAL);
	assert_int_equal(memblock_phys_alloc_range(mb, 0, 1, 0, ANY, CAUSE_ALLOC, &pa),
			 -EMM_EINVAL);
	assert_int_equal(memblock_alloc(mb, 0, 64, &ptr), -EMM_EINVAL);
	assert_int_equal(memblock_alloc_raw(mb, 64, 48, &ptr), -EMM_EINVAL);
	assert_int_equal(pa, 42);
	assert_ptr_equal(ptr, mb);
	expect_empty(mb, reserved);
	/* Hostile sizes and alignments do not wrap. */
	helper_no_alloc(mb, PHYS_ADDR_MAX, 1, 0, ANY, -EMM_ENOMEM);
	helper_no_alloc(mb, PHYS_ADDR_MAX, (phys_addr_t)1 << 63, 0, ANY, -EMM_ENOMEM);
	helper_no_alloc(mb, 1, (phys_addr_t)1 << 63, 0, ANY, -EMM_ENOMEM);
	memblock_set_bottom_up(mb, true);
	helper_no_alloc(mb, PHYS_ADDR_MAX, 1, 0, ANY, -EMM_ENOMEM);
	helper_no_alloc(mb, 1, (phys_addr_t)1 << 63, 0, ANY, -EMM_ENOMEM);
}

/*
 *  0      1 page                 -2 pages         2^64
 *  +------+------+                +----------------|
 *  | never|      |                |                |
 *  +------+------+                +----------------|
 * Expect page 0 never to be handed out, in either direction, nor any part of it; and memory at the
 * very top to be usable.
 */
static void page_0_is_never_handed_out(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa;

	assert_int_equal(memblock_add(mb, 0, PAGE_SIZE), 0);
	helper_no_alloc(mb, 1, 1, 0, ANY, -EMM_ENOMEM);
	helper_no_alloc(mb, 1, 1, PAGE_SIZE / 2, ANY, -EMM_ENOMEM);
	helper_no_alloc(mb, 1, 1, MIB(1), ANY,
			-EMM_ENOMEM); /* min_addr is dropped, page 0 is not taken */
	assert_int_equal(memblock_add(mb, PAGE_SIZE, PAGE_SIZE), 0);
	helper_no_alloc(mb, PAGE_SIZE + 1, 1, 0, ANY, -EMM_ENOMEM);
	memblock_set_bottom_up(mb, true);
	helper_no_alloc(mb, PAGE_SIZE + 1, 1, 0, ANY, -EMM_ENOMEM);
	assert_int_equal(helper_alloc(mb, 1, 1), PAGE_SIZE);
	memblock_set_bottom_up(mb, false);
	assert_int_equal(helper_alloc(mb, PAGE_SIZE - 1, 1), PAGE_SIZE + 1);
	helper_no_alloc(mb, 1, 1, 0, ANY, -EMM_ENOMEM);
	assert_int_equal(memblock_phys_alloc_range(mb, 1, 1, 0, ANY, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_add(mb, -(2 * PAGE_SIZE), PHYS_ADDR_MAX), 0);
	assert_true(helper_alloc(mb, 1, 1) == PHYS_ADDR_MAX - 1);
	assert_true(helper_alloc(mb, PAGE_SIZE, PAGE_SIZE) == -(2 * PAGE_SIZE));
}

/*
 *  16          20          24          32
 *  +-----------+-----------+-----------+
 *  |           |           |           |
 *  +-----------+-----------+-----------+
 *                          ^ max_addr: hard
 *              ^ current_limit: hard, and the lower of the two counts
 *                    ^ min_addr: dropped on failure
 */
static void bounds(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa;

	assert_int_equal(memblock_add(mb, MIB(16), MIB(16)), 0);
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), 0, MIB(24), NONE, CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(23));
	memblock_set_current_limit(mb, MIB(20));
	assert_int_equal(memblock_get_current_limit(mb), MIB(20));
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), 0, MIB(24), NONE, CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(19));
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), MIB(18));
	/* min_addr is above all that is allowed: dropped. */
	assert_int_equal(
		memblock_phys_alloc(mb, MIB(1), MIB(1), MIB(25), ANY, NONE, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(17));
	/* max_addr below all memory, in page 0, and 0: no memory, rather than somewhere else. */
	helper_no_alloc(mb, 4096, 4096, 0, MIB(16), -EMM_ENOMEM);
	helper_no_alloc(mb, 4096, 4096, MIB(16), 100, -EMM_ENOMEM);
	helper_no_alloc(mb, 1, 1, 0, 0, -EMM_ENOMEM);
	helper_no_alloc(mb, MIB(1) + 1, 1, 0, MIB(17), -EMM_ENOMEM);
	memblock_set_current_limit(mb, 0);
	helper_no_alloc(mb, 1, 1, 0, ANY, -EMM_ENOMEM);
	memblock_set_current_limit(mb, PHYS_ADDR_MAX);
	/* A block ends at max_addr, not beyond; and starts at min_addr, if it can. */
	assert_int_equal(memblock_phys_alloc(mb, 10, 1, MIB(30), MIB(31), NONE, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(31) - 10);
	memblock_set_bottom_up(mb, true);
	assert_int_equal(memblock_phys_alloc(mb, 10, 1, MIB(30), MIB(31), NONE, CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(30));
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), 1, MIB(29) + MIB(1) / 2, MIB(30), NONE,
					     CAUSE_FDT, &pa),
			 0);
	assert_int_equal(pa, MIB(16));
}

/*
 *  16          20          24          32
 *  +-----------+-----------+-----------+
 *  |           |<- range ->|           |
 *  +-----------+-----------+-----------+
 * Expect both bounds of memblock_phys_alloc_range to be hard, and memblock_find_in_range to say
 * the same without recording it.
 */
static void range_is_hard(void **state)
{
	struct memblock *mb = map_of(state);
	phys_addr_t pa = 42;

	assert_int_equal(memblock_add(mb, MIB(16), MIB(16)), 0);
	assert_int_equal(memblock_find_in_range(mb, MIB(20), MIB(24), MIB(3), MIB(1), &pa), 0);
	assert_int_equal(pa, MIB(21));
	expect_empty(mb, reserved);
	assert_int_equal(
		memblock_phys_alloc_range(mb, MIB(3), MIB(1), MIB(20), MIB(24), CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(21));
	pa = 42;
	assert_int_equal(memblock_phys_alloc_range(mb, MIB(2), MIB(1), MIB(20), MIB(24), CAUSE_FDT,
						   &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_find_in_range(mb, MIB(20), MIB(24), MIB(2), MIB(1), &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_phys_alloc_range(mb, 1, 1, MIB(24), MIB(20), CAUSE_FDT, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(pa, 42);
	assert_int_equal(
		memblock_phys_alloc_range(mb, MIB(1), MIB(1), MIB(20), MIB(24), CAUSE_FDT, &pa), 0);
	assert_int_equal(pa, MIB(20));
	expect_map(mb, reserved, { MIB(20), MIB(4), ALLOC(CAUSE_FDT), NONE });
}

/*
 *  16                    24
 *  +---------------------+
 *  |a5 a5 a5  ... a5 a5 a5|    memory is not zero on a board
 *  +---------------------+
 * Expect the plain forms to zero exactly what they give, the raw ones to leave it; all of them to
 * reserve, with the cause alloc, where their names say.
 */
static void pointers(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	static const unsigned char zero[1000];
	unsigned char garbage[1000];
	void *ptr[8];

	memset(garbage, ARENA_FILL, sizeof(garbage));
	helper_memblock_arena(h, MIB(16), MIB(8));
	assert_int_equal(memblock_add_node(mb, MIB(16), MIB(4), 0, 0), 0);
	assert_int_equal(memblock_add_node(mb, MIB(20), MIB(4), 1, 0), 0);
	assert_int_equal(memblock_alloc(mb, 1000, 4096, &ptr[0]), 0);
	assert_ptr_equal(ptr[0], helper_memblock_at(h, MIB(24) - 4096));
	assert_memory_equal(ptr[0], zero, 1000);
	assert_memory_equal((unsigned char *)ptr[0] + 1000, garbage, 1000);
	assert_memory_equal((unsigned char *)ptr[0] - 1000, garbage, 1000);
	assert_int_equal(memblock_alloc_raw(mb, 1000, 4096, &ptr[1]), 0);
	assert_ptr_equal(ptr[1], helper_memblock_at(h, MIB(24) - 2 * 4096));
	assert_memory_equal(ptr[1], garbage, 1000);
	assert_int_equal(memblock_alloc_try_nid(mb, 1000, 4096, 0, ANY, 0, &ptr[2]), 0);
	assert_ptr_equal(ptr[2], helper_memblock_at(h, MIB(20) - 4096));
	assert_memory_equal(ptr[2], zero, 1000);
	assert_int_equal(memblock_alloc_try_nid_raw(mb, 1000, 4096, 0, MIB(18), 1, &ptr[3]), 0);
	assert_ptr_equal(ptr[3], helper_memblock_at(h, MIB(18) - 4096));
	assert_memory_equal(ptr[3], garbage, 1000);
	assert_int_equal(memblock_alloc_exact_nid_raw(mb, 1000, 4096, 0, MIB(22), 1, &ptr[4]), 0);
	assert_ptr_equal(ptr[4], helper_memblock_at(h, MIB(22) - 4096));
	assert_memory_equal(ptr[4], garbage, 1000);
	assert_int_equal(memblock_alloc_exact_nid_raw(mb, 1, 1, 0, MIB(18), 1, &ptr[5]),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_alloc_node(mb, 1000, 4096, 0, &ptr[5]), 0);
	assert_ptr_equal(ptr[5], helper_memblock_at(h, MIB(20) - 2 * 4096));
	assert_memory_equal(ptr[5], zero, 1000);
	memblock_set_bottom_up(mb, true);
	assert_int_equal(memblock_alloc_from(mb, 1000, 4096, MIB(21), &ptr[6]), 0);
	assert_ptr_equal(ptr[6], helper_memblock_at(h, MIB(21)));
	assert_memory_equal(ptr[6], zero, 1000);
	assert_int_equal(mb->reserved.cnt, 7);
	assert_int_equal(mb->reserved.total_size, 7000);
	assert_int_equal(mb->reserved.regions[0].flags, ALLOC(CAUSE_ALLOC));
}

/*
 *         2^32 - 1 MiB     2^32     2^32 + 1 MiB
 *              +------------+------------+
 *              |            |            |
 *              +------------+------------+
 * Expect memblock_alloc_low to stay below 4 GiB and to use its last byte.
 */
static void alloc_low_stays_low(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	const unsigned char zero[64] = { 0 };
	void *ptr;

	helper_memblock_arena(h, GIB(4) - MIB(1), MIB(2));
	assert_int_equal(memblock_add(mb, GIB(4) - MIB(1), MIB(2)), 0);
	assert_int_equal(memblock_alloc_low(mb, 64, 64, &ptr), 0);
	assert_memory_equal(ptr, zero, sizeof(zero));
	expect_map(mb, reserved, { GIB(4) - 64, 64, ALLOC(CAUSE_ALLOC), NONE });
	assert_int_equal(memblock_alloc_low(mb, MIB(1), 1, &ptr), -EMM_ENOMEM);
	assert_int_equal(memblock_alloc(mb, MIB(1), 1, &ptr), 0);
}

/*
 *  16        17        18
 *  +---------+---------+
 *  | reached | not     |     by phys_to_virt
 *  +---------+---------+
 *                     ^      the highest fit
 * Expect the allocation to fail, to record nothing, and not to settle for a lower place.
 */
static void unreachable_memory(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;
	void *ptr = h;

	helper_memblock_arena(h, MIB(16), MIB(1));
	assert_int_equal(memblock_add(mb, MIB(16), MIB(2)), 0);
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_alloc(mb, 64, 64, &ptr), -EMM_EFAULT);
	mb->map = NULL;
	assert_int_equal(memblock_alloc_raw(mb, 64, 64, &ptr), -EMM_EFAULT);
	helper_snapshot_check(&before, mb);
	assert_ptr_equal(ptr, h);
}

/*
 *    1 2 3 4 5         255                1022  1023  1024
 *  +-+-+-+-+-+--     --+-+-----------------+-----+-----+
 *  | |X| |X| |  . . .  |X|                 |  ^  |alloc|    128 entries, all there may be
 *  +-+-+-+-+-+--     --+-+-----------------+-----+-----+
 * Expect an allocation to fail where it needs an entry (another alignment or cause), and to succeed
 * where it merges.
 */
static void full_array(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	phys_addr_t pa;

	assert_int_equal(memblock_add(mb, 0, GIB(1)), 0);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), GIB(1) - MIB(1));
	helper_memblock_fill_reserved(h, MIB(1), MIB(2), mb->reserved.max - 1);
	helper_no_alloc(mb, MIB(2), MIB(4), 0, ANY, -EMM_ENOSPC);
	assert_int_equal(memblock_phys_alloc(mb, MIB(1), MIB(1), 0, ANY, NONE, CAUSE_FDT, &pa),
			 -EMM_ENOSPC);
	assert_int_equal(helper_alloc(mb, MIB(1), MIB(1)), GIB(1) - MIB(2));
	assert_int_equal(mb->reserved.cnt, mb->reserved.max);
}

/*
 *  16                       23    24
 *  +-----------+------------+-----+
 *  |           |  3 blocks  |other|     the other one is no allocation by pointer
 *  +-----------+------------+-----+
 *                ^^^ ^^       ^ ^^^^
 * Expect a block, a part of one, and all that merged to be freed by pointer; NULL and size 0 to be
 * nothing; and what no block holds, or not all of it, to be refused.
 */
static void free_by_pointer(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	unsigned char *block[3];
	struct helper_snapshot before;
	unsigned int i;

	helper_memblock_arena(h, MIB(16), MIB(8));
	assert_int_equal(memblock_add(mb, MIB(16), MIB(8)), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(23), MIB(1), CAUSE_FDT), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(memblock_alloc(mb, 4096, 4096, (void **)&block[i]), 0);
	expect_map(mb, reserved, { MIB(23) - 12288, 12288, ALLOC(CAUSE_ALLOC), NONE },
		   { MIB(23), MIB(1), RSRV(CAUSE_FDT), NONE });

	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_free_ptr(mb, NULL, 4096), 0);
	assert_int_equal(memblock_free_ptr(mb, block[0], 0), 0);
	assert_int_equal(memblock_free_ptr(mb, h, 0), 0);
	assert_int_equal(memblock_free_ptr(mb, block[0], 4097), -EMM_ENOENT);
	assert_int_equal(memblock_free_ptr(mb, block[2] - 1, 1), -EMM_ENOENT);
	assert_int_equal(memblock_free_ptr(mb, block[2], PHYS_ADDR_MAX), -EMM_ENOENT);
	assert_int_equal(memblock_free_ptr(mb, block[0] + 4096, 1), -EMM_ENOENT);
	h->unreachable = true;
	assert_int_equal(memblock_free_ptr(mb, block[0], 4096), -EMM_ENOENT);
	h->unreachable = false;
	mb->map = NULL;
	assert_int_equal(memblock_free_ptr(mb, block[0], 4096), -EMM_ENOENT);
	mb->map = &h->map;
	helper_snapshot_check(&before, mb);

	assert_int_equal(memblock_free_ptr(mb, block[1], 100), 0);
	expect_map(mb, reserved, { MIB(23) - 12288, 4096, ALLOC(CAUSE_ALLOC), NONE },
		   { MIB(23) - 8092, 8092, ALLOC(CAUSE_ALLOC), NONE },
		   { MIB(23), MIB(1), RSRV(CAUSE_FDT), NONE });
	assert_int_equal(memblock_free_ptr(mb, block[1] + 100, 8092), 0);
	assert_int_equal(memblock_free_ptr(mb, block[2], 4096), 0);
	expect_map(mb, reserved, { MIB(23), MIB(1), RSRV(CAUSE_FDT), NONE });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(top_down_takes_the_highest),
		memblock_test(bottom_up_takes_the_lowest),
		memblock_test(placement_passes_over_what_is_taken),
		memblock_test(alignment),
		memblock_test(bad_requests_are_refused),
		memblock_test(page_0_is_never_handed_out),
		memblock_test(bounds),
		memblock_test(range_is_hard),
		memblock_test(pointers),
		memblock_test(alloc_low_stays_low),
		memblock_test(unreachable_memory),
		memblock_test(full_array),
		memblock_test(free_by_pointer),
	};

	return cmocka_run_group_tests_name("memblock: allocation", tests, NULL, NULL);
}
