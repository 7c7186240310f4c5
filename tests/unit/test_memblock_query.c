/* SPDX-License-Identifier: BSD-2-Clause */
/* The queries, and memblock_is_valid itself. */
#include "helper_memblock.h"

static struct memblock *map_of(void **state)
{
	return &((struct helper_memblock *)*state)->mb;
}

/* Expect defined answers about an empty map. */
static void empty_map(void **state)
{
	struct memblock *mb = map_of(state);
	uint64_t start, end;
	int nid;

	assert_int_equal(memblock_phys_mem_size(mb), 0);
	assert_int_equal(memblock_reserved_size(mb), 0);
	assert_int_equal(memblock_start_of_DRAM(mb), 0);
	assert_int_equal(memblock_end_of_DRAM(mb), 0);
	assert_false(memblock_is_memory(mb, 0));
	assert_false(memblock_is_map_memory(mb, 0));
	assert_false(memblock_is_reserved(mb, 0));
	assert_false(memblock_is_region_memory(mb, 0, 1));
	assert_false(memblock_is_region_reserved(mb, 0, PHYS_ADDR_MAX));
	assert_false(memblock_overlaps_region(&mb->memory, 0, PHYS_ADDR_MAX));
	assert_null(memblock_search(&mb->memory, 0));
	assert_int_equal(memblock_search_pfn_nid(mb, 0, &start, &end, &nid), -EMM_ENOENT);
	assert_true(memblock_is_valid(mb));
}

/* The same with the array in the midst of garbage: expect nothing in front of it to be read. */
static void empty_map_elsewhere(void **state)
{
	struct helper_memblock *h = *state;

	helper_memblock_arena(h, 0, MIB(2));
	assert_int_equal(memblock_place_array(&h->mb, &h->mb.memory, MIB(1), 8), 0);
	assert_int_equal(memblock_place_array(&h->mb, &h->mb.reserved, MIB(1) / 2, 8), 0);
	empty_map(state);
}

/*
 *  2       4       6       8
 *  +-------+       +-------+
 *  |       |       |       |
 *  +-------+       +-------+
 *  3   3.5
 *  +---+
 *  |rsv|
 *  +---+
 * Expect sums, first byte and end.
 */
static void sizes_and_ends(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(6), MIB(2)), 0);
	assert_int_equal(memblock_add(mb, MIB(2), MIB(2)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(3), MIB(1) / 2), 0);
	assert_int_equal(memblock_phys_mem_size(mb), MIB(4));
	assert_int_equal(memblock_reserved_size(mb), MIB(1) / 2);
	assert_int_equal(memblock_start_of_DRAM(mb), MIB(2));
	assert_int_equal(memblock_end_of_DRAM(mb), MIB(8));
	assert_int_equal(memblock_mark_nomap(mb, MIB(7), MIB(1)), 0);
	assert_int_equal(memblock_phys_mem_size(mb), MIB(4));
	assert_int_equal(memblock_end_of_DRAM(mb), MIB(8));
}

/*
 *  2       4       5       6
 *  +-------+       +-------+
 *  |       |       | NOMAP |
 *  +-------+       +-------+
 * Expect the first and the last byte in, those beside them out; NOMAP is memory, not map memory.
 */
static void single_bytes(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(2), MIB(2)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(5), MIB(1), NONE, MEMBLOCK_NOMAP), 0);
	assert_int_equal(memblock_reserve(mb, MIB(8), 1), 0);
	assert_false(memblock_is_memory(mb, MIB(2) - 1));
	assert_true(memblock_is_memory(mb, MIB(2)));
	assert_true(memblock_is_memory(mb, MIB(4) - 1));
	assert_false(memblock_is_memory(mb, MIB(4)));
	assert_true(memblock_is_memory(mb, MIB(5)));
	assert_false(memblock_is_memory(mb, MIB(8)));
	assert_true(memblock_is_map_memory(mb, MIB(2)));
	assert_false(memblock_is_map_memory(mb, MIB(4)));
	assert_false(memblock_is_map_memory(mb, MIB(5)));
	assert_false(memblock_is_reserved(mb, MIB(8) - 1));
	assert_true(memblock_is_reserved(mb, MIB(8)));
	assert_false(memblock_is_reserved(mb, MIB(8) + 1));
	assert_false(memblock_is_reserved(mb, MIB(2)));
	assert_ptr_equal(memblock_search(&mb->memory, MIB(3)), &mb->memory.regions[0]);
	assert_ptr_equal(memblock_search(&mb->memory, MIB(5)), &mb->memory.regions[1]);
	assert_null(memblock_search(&mb->memory, MIB(9)));
}

/*
 *  2       4       6       8       9
 *  +-------+-------+-------+       +---
 *  |       | HOT   | node 1|       |
 *  +-------+-------+-------+       +---
 * Expect a range over entries that touch to be memory, one over a hole not, an empty one never.
 */
static void region_memory(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_add(mb, MIB(2), MIB(2)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(4), MIB(2), NONE, MEMBLOCK_HOTPLUG), 0);
	assert_int_equal(memblock_add_node(mb, MIB(6), MIB(2), 1, 0), 0);
	assert_int_equal(memblock_add(mb, MIB(9), MIB(1)), 0);
	assert_true(memblock_is_region_memory(mb, MIB(2), MIB(2)));
	assert_true(memblock_is_region_memory(mb, MIB(2), MIB(6)));
	assert_true(memblock_is_region_memory(mb, MIB(4) - 1, 2));
	assert_true(memblock_is_region_memory(mb, MIB(7), MIB(1)));
	assert_false(memblock_is_region_memory(mb, MIB(2) - 1, 2));
	assert_false(memblock_is_region_memory(mb, MIB(2), MIB(6) + 1));
	assert_false(memblock_is_region_memory(mb, MIB(2), MIB(8)));
	assert_false(memblock_is_region_memory(mb, MIB(8), MIB(1)));
	assert_false(memblock_is_region_memory(mb, MIB(9), PHYS_ADDR_MAX));
	assert_false(memblock_is_region_memory(mb, MIB(3), 0));
	assert_false(memblock_is_region_memory(mb, PHYS_ADDR_MAX, 1));
}

/*
 *      2       4
 *      +-------+
 *      |  rsv  |
 *      +-------+
 *  ^^^^         ^^^^   touch: no      ^ one byte in: yes
 */
static void overlaps(void **state)
{
	struct memblock *mb = map_of(state);

	assert_int_equal(memblock_reserve(mb, MIB(2), MIB(2)), 0);
	assert_int_equal(memblock_reserve(mb, MIB(9), MIB(1)), 0);
	assert_false(memblock_is_region_reserved(mb, 0, MIB(2)));
	assert_true(memblock_is_region_reserved(mb, 0, MIB(2) + 1));
	assert_false(memblock_is_region_reserved(mb, MIB(4), MIB(5)));
	assert_true(memblock_is_region_reserved(mb, MIB(4) - 1, 1));
	assert_true(memblock_is_region_reserved(mb, MIB(3), 1));
	assert_true(memblock_is_region_reserved(mb, 0, PHYS_ADDR_MAX));
	assert_true(memblock_is_region_reserved(mb, MIB(5), PHYS_ADDR_MAX));
	assert_false(memblock_is_region_reserved(mb, MIB(3), 0));
	assert_false(memblock_is_region_reserved(mb, MIB(10), PHYS_ADDR_MAX));
	assert_false(memblock_overlaps_region(&mb->memory, 0, PHYS_ADDR_MAX));
	assert_true(memblock_overlaps_region(&mb->reserved, MIB(9), 1));
}

/*
 * frames:  2        5      8        16
 *          +--------+      +--------+
 *          | node 3 |      | none   |
 *          +--------+      +--------+
 * Expect frames and node of the entry that holds a frame's start; a hit without a node is a hit.
 */
static void pfn_search(void **state)
{
	struct memblock *mb = map_of(state);
	uint64_t start = 0, end = 0;
	int nid = 9;

	assert_int_equal(memblock_add_node(mb, 2 * PAGE_SIZE, 3 * PAGE_SIZE, 3, 0), 0);
	assert_int_equal(memblock_add(mb, 8 * PAGE_SIZE + 1, 8 * PAGE_SIZE), 0);
	assert_int_equal(memblock_search_pfn_nid(mb, 4, &start, &end, &nid), 0);
	assert_int_equal(start, 2);
	assert_int_equal(end, 5);
	assert_int_equal(nid, 3);
	assert_int_equal(memblock_search_pfn_nid(mb, 5, &start, &end, &nid), -EMM_ENOENT);
	assert_int_equal(memblock_search_pfn_nid(mb, 8, &start, &end, &nid), -EMM_ENOENT);
	assert_int_equal(memblock_search_pfn_nid(mb, 1, &start, &end, &nid), -EMM_ENOENT);
	assert_int_equal(nid, 3);
	assert_int_equal(memblock_search_pfn_nid(mb, 9, &start, &end, &nid), 0);
	assert_int_equal(start, 8);
	assert_int_equal(end, 16);
	assert_int_equal(nid, NONE);
	/* A frame number beyond the address space does not wrap to one that is there. */
	assert_int_equal(memblock_search_pfn_nid(mb, 4 + (PHYS_ADDR_MAX / PAGE_SIZE + 1), &start,
						 &end, &nid),
			 -EMM_ENOENT);
	assert_int_equal(memblock_search_pfn_nid(mb, UINT64_MAX, &start, &end, &nid), -EMM_ENOENT);
}

/* Each way to break the invariant, one at a time; expect memblock_is_valid to see every one. */
static void validity(void **state)
{
	struct memblock *mb = map_of(state);
	struct memblock_region *m = mb->memory.regions, *r = mb->reserved.regions;
	struct memblock_region *elsewhere = m + 1;

#define sees(where, value)                           \
	do {                                         \
		__typeof__(where) was = (where);     \
		(where) = (value);                   \
		assert_false(memblock_is_valid(mb)); \
		(where) = was;                       \
		assert_true(memblock_is_valid(mb));  \
	} while (0)

	assert_true(memblock_is_valid(mb));
	sees(m[0].base, 1);
	sees(r[0].nid, 1);
	sees(r[0].flags, 1);
	sees(mb->memory.total_size, 1);
	sees(mb->memory.max, 0);
	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_int_equal(memblock_add_node(mb, MIB(2), MIB(1), 1, 0), 0);
	assert_int_equal(memblock_reserve_cause(mb, MIB(1), MIB(1), CAUSE_FDT), 0);
	assert_true(memblock_is_valid(mb));
	sees(m[1].nid, NONE); /* should have merged */
	sees(m[1].nid, -2);
	sees(m[1].base, MIB(2) - 1); /* overlap */
	sees(m[1].base, MIB(0)); /* order */
	sees(m[1].base, PHYS_ADDR_MAX - 5); /* past the top */
	sees(m[1].size, 0);
	sees(m[1].size, MIB(1) + 1); /* total */
	sees(m[1].flags, MEMBLOCK_RSRV_KERN);
	sees(m[1].flags, RSRV(CAUSE_FDT));
	sees(r[0].flags, MEMBLOCK_NOMAP);
	sees(r[0].flags, (uint32_t)NR_CAUSES << MEMBLOCK_CAUSE_SHIFT);
	sees(mb->reserved.total_size, 0);
	sees(mb->memory.cnt, mb->memory.max + 1);
	sees(mb->memory.max, 1);
	sees(mb->memory.regions, NULL);
	sees(mb->memory.name, NULL);
	sees(mb->memory_array.size, 4096);
	sees(mb->reserved.regions, elsewhere);
#undef sees
	/* An empty entry, though the total is right. */
	m[1].size = 0;
	mb->memory.total_size -= MIB(1);
	assert_false(memblock_is_valid(mb));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(empty_map),      memblock_test(empty_map_elsewhere),
		memblock_test(sizes_and_ends), memblock_test(single_bytes),
		memblock_test(region_memory),  memblock_test(overlaps),
		memblock_test(pfn_search),     memblock_test(validity),
	};

	return cmocka_run_group_tests_name("memblock: queries", tests, NULL, NULL);
}
