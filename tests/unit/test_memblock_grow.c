/* SPDX-License-Identifier: BSD-2-Clause */
/* Growth of the arrays: when, where, what it costs, and that a failure changes nothing. */
#include "helper_memblock.h"

#define OWN ALLOC(CAUSE_MEMBLOCK)

/* Simulated memory: 16 MiB at 64 MiB. Reservations that fill the array lie outside it, at 1 GiB. */
#define RAM      MIB(64)
#define RAM_SIZE MIB(16)
#define RAM_END  (RAM + RAM_SIZE)

/* Bytes of an array of @max entries. */
static phys_addr_t array_bytes(unsigned long max)
{
	return (max * sizeof(struct memblock_region) + PAGE_SIZE - 1) & PAGE_MASK;
}

/* Memory is known and resizing allowed; the reserved array is full to @spare entries. */
static struct helper_memblock *full_map(void **state, unsigned long spare)
{
	struct helper_memblock *h = *state;

	helper_memblock_arena(h, RAM, RAM_SIZE);
	assert_int_equal(memblock_add(&h->mb, RAM, RAM_SIZE), 0);
	helper_memblock_fill_reserved(h, GIB(1), MIB(2), h->mb.reserved.max - spare);
	memblock_allow_resize(&h->mb);
	return h;
}

/* Alternating entries that never merge fill the memory array to @spare entries. */
static void fill_memory(struct helper_memblock *h, unsigned long spare)
{
	while (h->mb.memory.cnt + spare < h->mb.memory.max)
		assert_int_equal(memblock_add(&h->mb, GIB(4) + MIB(2 * h->mb.memory.cnt), MIB(1)),
				 0);
}

/* The bytes that are reserved as memblock's own. */
static phys_addr_t own_bytes(const struct memblock *mb)
{
	phys_addr_t total = 0;
	unsigned long i;

	for (i = 0; i < mb->reserved.cnt; i++) {
		if (MEMBLOCK_CAUSE(mb->reserved.regions[i].flags) == CAUSE_MEMBLOCK)
			total += mb->reserved.regions[i].size;
	}
	return total;
}

/* Both arrays lie where the struct says, in reserved memory, and nothing else is memblock's. */
static void check_arrays(struct helper_memblock *h)
{
	struct memblock *mb = &h->mb;
	const struct memblock_type *type[2] = { &mb->memory, &mb->reserved };
	const struct memblock_array *array[2] = { &mb->memory_array, &mb->reserved_array };
	unsigned int i;

	assert_true(memblock_is_valid(mb));
	assert_int_equal(own_bytes(mb), array[0]->size + array[1]->size);
	for (i = 0; i < 2; i++) {
		if (!array[i]->size)
			continue;
		assert_ptr_equal(type[i]->regions, helper_memblock_at(h, array[i]->base));
		assert_int_equal(array[i]->size, array_bytes(type[i]->max));
		assert_int_equal(array[i]->base % PAGE_SIZE, 0);
		assert_int_equal(memblock_search(&mb->reserved, array[i]->base)->flags, OWN);
	}
}

/* Nothing outside the arrays has been written to. */
static void check_untouched(struct helper_memblock *h)
{
	const struct memblock *mb = &h->mb;
	uint64_t i;

	for (i = 0; i < h->arena_size; i++) {
		phys_addr_t pa = h->arena_base + i;

		if (pa - mb->memory_array.base < mb->memory_array.size ||
		    pa - mb->reserved_array.base < mb->reserved_array.size)
			continue;
		if (h->arena[i] != ARENA_FILL)
			fail_msg("0x%llx was written to", (unsigned long long)pa);
	}
}

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
	struct helper_memblock *h = full_map(state, 1);
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
	assert_int_equal(mb->reserved_array.base, RAM_END - array_bytes(2 * max));
	check_arrays(h);
	check_untouched(h);
	assert_int_equal(mb->reserved.regions[0].base, mb->reserved_array.base);
	assert_int_equal(mb->reserved.regions[0].size, mb->reserved_array.size);
	assert_int_equal(mb->reserved.regions[0].flags, OWN);
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
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;

	assert_int_equal(memblock_reserve_cause(mb, MIB(72), MIB(8), CAUSE_FDT), 0);
	assert_int_equal(mb->reserved_array.base, MIB(72) - array_bytes(mb->reserved.max));
	assert_int_equal(memblock_search(&mb->reserved, MIB(72))->size, MIB(8));
	check_arrays(h);
}

/* The same for a range in the middle of memory that leaves room on both sides: the higher one. */
static void growth_takes_the_higher_side(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = array_bytes(2 * mb->reserved.max);

	/* Above the range there is exactly room enough. */
	assert_int_equal(memblock_reserve_cause(mb, MIB(72), MIB(8) - bytes, CAUSE_FDT), 0);
	assert_int_equal(mb->reserved_array.base, RAM_END - bytes);
	check_arrays(h);
}

static void growth_one_page_short_goes_below(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = array_bytes(2 * mb->reserved.max);

	assert_int_equal(memblock_reserve_cause(mb, MIB(72), MIB(8) - bytes + 1, CAUSE_FDT), 0);
	assert_int_equal(mb->reserved_array.base, MIB(72) - bytes);
	check_arrays(h);
}

static void allocation_that_grows(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	phys_addr_t pa = 0;

	assert_int_equal(memblock_phys_alloc(mb, MIB(1), 4096, 0, MEMBLOCK_ALLOC_ANYWHERE, NONE,
					     CAUSE_ALLOC, &pa),
			 0);
	assert_int_equal(pa, MIB(79));
	assert_int_equal(mb->reserved_array.base, MIB(79) - array_bytes(mb->reserved.max));
	check_arrays(h);
	check_untouched(h);
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
	struct helper_memblock *h = full_map(state, 10);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->memory.max;

	fill_memory(h, 0);
	/* What is highest must not be reachable by growth, so that it ends up in our RAM. */
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_mark_nomap(mb, MIB(78), MIB(2)), 0);
	assert_int_equal(mb->memory.cnt, max + 1);
	assert_int_equal(mb->memory.max, 2 * max);
	assert_int_equal(mb->memory_array.base, MIB(78) - array_bytes(2 * max));
	assert_int_equal(mb->memory.regions[0].size, MIB(14));
	assert_int_equal(mb->memory.regions[1].base, MIB(78));
	assert_int_equal(mb->memory.regions[1].flags, MEMBLOCK_NOMAP);
	assert_int_equal(mb->memory.regions[2].base, GIB(4) + MIB(2));
	check_arrays(h);
	check_untouched(h);
}

/* memblock_remove in the middle of an entry, array full: the same, above the hole. */
static void remove_that_grows(void **state)
{
	struct helper_memblock *h = full_map(state, 10);
	struct memblock *mb = &h->mb;

	fill_memory(h, 0);
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_remove(mb, MIB(65), MIB(15) - 100), 0);
	assert_int_equal(mb->memory_array.base, MIB(65) - array_bytes(mb->memory.max));
	assert_int_equal(mb->memory.regions[0].size, MIB(1));
	assert_int_equal(mb->memory.regions[1].size, 100);
	check_arrays(h);
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
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;

	assert_int_equal(memblock_free(mb, GIB(1) + 4096, 4096), 0);
	assert_int_equal(mb->reserved.max, 2 * max);
	assert_int_equal(mb->reserved.cnt, max + 2);
	assert_int_equal(mb->reserved.regions[1].size, 4096);
	assert_int_equal(mb->reserved.regions[2].base, GIB(1) + 8192);
	check_arrays(h);
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
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;
	unsigned long i;

	assert_int_equal(memblock_reserve_cause(mb, GIB(1), MIB(2) * max, CAUSE_FDT), 0);
	assert_int_equal(mb->reserved.cnt, 2 * max + 1);
	assert_int_equal(mb->reserved.max, 4 * max);
	check_arrays(h);
	check_untouched(h);
	for (i = 0; i < 2 * max; i++) {
		assert_int_equal(mb->reserved.regions[i + 1].base, GIB(1) + MIB(i));
		assert_int_equal(mb->reserved.regions[i + 1].flags, i & 1 ? RSRV(CAUSE_FDT) : 0);
	}
}

/* Growth over growth: expect the old array's memory back each time, and no entry lost. */
static void old_arrays_are_freed(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	unsigned long i, max = mb->reserved.max;
	phys_addr_t first;

	assert_int_equal(memblock_reserve(mb, GIB(8), MIB(1)), 0);
	first = mb->reserved_array.base;
	for (i = 1; i < 2000; i++) {
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * i), MIB(1)), 0);
		check_arrays(h);
	}
	assert_int_equal(mb->reserved.max, 32 * max);
	assert_int_equal(mb->reserved.total_size, MIB(128 + 2000) + mb->reserved_array.size);
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
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->memory.max;

	fill_memory(h, 0);
	memblock_set_current_limit(mb, GIB(1));
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_equal(mb->memory.max, 2 * max);
	assert_int_equal(mb->reserved.max, 2 * max);
	assert_int_equal(mb->reserved_array.base, RAM_END - array_bytes(2 * max));
	assert_int_equal(mb->memory_array.base, RAM_END - 2 * array_bytes(2 * max));
	assert_int_equal(mb->memory.cnt, max + 1);
	assert_int_equal(mb->reserved.cnt, max + 1);
	check_arrays(h);
	check_untouched(h);
}

/* The same without room for the second array: expect an error and nothing changed at all. */
static void growth_of_both_fails_as_one(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;

	fill_memory(h, 0);
	/* Free memory below the limit: one array's worth, at the start of RAM. */
	memblock_set_current_limit(mb, RAM + array_bytes(2 * mb->reserved.max));
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_add(mb, 0, MIB(1)), -EMM_ENOSPC);
	helper_snapshot_check(&before, mb);
	check_untouched(h);
	memblock_set_current_limit(mb, RAM + 2 * array_bytes(2 * mb->reserved.max));
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	check_arrays(h);
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

	helper_memblock_arena(h, RAM, RAM_SIZE);
	assert_int_equal(memblock_add(mb, 0, PAGE_SIZE), 0);
	assert_int_equal(memblock_add(mb, RAM, RAM_SIZE), 0);
	assert_int_equal(memblock_mark_nomap(mb, MIB(66), MIB(4)), 0);
	assert_int_equal(memblock_mark_driver_managed(mb, MIB(74), MIB(6)), 0);
	helper_memblock_fill_reserved(h, GIB(1), MIB(2), mb->reserved.max - 1);
	assert_int_equal(memblock_reserve(mb, MIB(70), MIB(1)), 0);
	memblock_allow_resize(mb);
	memblock_set_bottom_up(mb, true);
	memblock_set_current_limit(mb, MIB(73) + 100);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	assert_int_equal(mb->reserved_array.base, MIB(73) - array_bytes(mb->reserved.max));
	check_arrays(h);
	check_untouched(h);
}

/* Only page 0 and a page of NOMAP are free: expect no place for an array. */
static void growth_without_room_fails(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	struct helper_snapshot before;
	const phys_addr_t bytes = array_bytes(2 * mb->reserved.max);

	assert_int_equal(memblock_add(mb, 0, bytes), 0);
	assert_int_equal(memblock_add_node(mb, MIB(1), MIB(1), NONE, MEMBLOCK_NOMAP), 0);
	helper_memblock_arena(h, 0, MIB(4));
	helper_memblock_fill_reserved(h, GIB(1), MIB(2), mb->reserved.max);
	memblock_allow_resize(mb);
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), -EMM_ENOSPC);
	assert_int_equal(memblock_free(mb, GIB(1) + 5, 1), -EMM_ENOSPC);
	helper_snapshot_check(&before, mb);
	check_untouched(h);
	assert_int_equal(memblock_add(mb, bytes, PAGE_SIZE), 0);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	assert_int_equal(mb->reserved_array.base, PAGE_SIZE);
	check_arrays(h);
}

/* phys_to_virt fails, or there is none: expect -EMM_EFAULT and nothing changed. */
static void growth_into_unreachable_memory(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
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
	check_arrays(h);
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
	struct helper_memblock *h = full_map(state, 0);
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
	check_arrays(h);
}

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
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const phys_addr_t bytes = 1000 * sizeof(struct memblock_region);
	unsigned long i, cnt = mb->reserved.cnt;

	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66), 1000), 0);
	assert_int_equal(mb->reserved.max, 1000);
	assert_int_equal(mb->reserved.cnt, cnt);
	assert_ptr_equal(mb->reserved.regions, helper_memblock_at(h, MIB(66)));
	assert_true(memblock_is_valid(mb));
	check_untouched(h);
	assert_int_equal(memblock_reserve_cause(mb, MIB(66), bytes, CAUSE_MEMBLOCK), 0);
	for (i = mb->reserved.cnt; i < 1000; i++)
		assert_int_equal(memblock_reserve(mb, GIB(8) + MIB(2 * i), 1), 0);
	assert_int_equal(mb->reserved.max, 1000);
	assert_int_equal(mb->reserved_array.base, MIB(66));
	assert_int_equal(memblock_reserve(mb, GIB(32), 1), 0);
	assert_int_equal(mb->reserved.max, 2000);
	assert_false(memblock_is_reserved(mb, MIB(66)));
	check_arrays(h);
}

/*
 * A placed array that its caller reserved as part of something else, and one not reserved at all:
 * expect growth to leave the former reserved, and to keep clear of the latter.
 */
static void placed_arrays_that_are_not_reserved(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	const unsigned long max = mb->reserved.max;
	const phys_addr_t bytes = max * sizeof(struct memblock_region);

	assert_int_equal(memblock_place_array(mb, &mb->reserved, RAM_END - bytes, max), 0);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(78), 4), 0);
	assert_int_equal(memblock_reserve(mb, GIB(8), 1), 0);
	/* Clear of the placed one, to the byte, though the map says that it is free. */
	assert_int_equal(mb->reserved_array.base,
			 ((RAM_END - bytes) & PAGE_MASK) - array_bytes(2 * max));
	assert_false(memblock_is_reserved(mb, RAM_END - 1));
	assert_int_equal(memblock_reserve_cause(mb, MIB(78), MIB(1), CAUSE_IMAGE), 0);
	memblock_set_current_limit(mb, GIB(1));
	fill_memory(h, 0);
	assert_int_equal(memblock_add(mb, 0, MIB(1)), 0);
	assert_int_equal(mb->memory.max, 16); /* room for the entry and some to spare */
	assert_int_equal(memblock_search(&mb->reserved, MIB(78))->size, MIB(1));
	check_arrays(h);
}

/* Expect bad places to be refused, with nothing changed. */
static void place_array_refuses(void **state)
{
	struct helper_memblock *h = full_map(state, 0);
	struct memblock *mb = &h->mb;
	struct memblock_type other = mb->memory;
	struct helper_snapshot before;
	const unsigned long max = mb->reserved.max, size = sizeof(struct memblock_region);

	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_place_array(mb, &other, MIB(66), 500), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66) + 4, 500), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->reserved, MIB(66), max - 1), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), 0), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, MIB(66), ~0UL), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, -MIB(1), MIB(1)), -EMM_EINVAL);
	assert_int_equal(memblock_place_array(mb, &mb->memory, RAM_END - 8, 500), -EMM_EFAULT);
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

/* An array over the struct itself, which simulated memory makes possible: expect a refusal. */
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
		memblock_test(growth_of_both_fails_as_one),
		memblock_test(growth_honours_limits_and_flags),
		memblock_test(growth_without_room_fails),
		memblock_test(growth_into_unreachable_memory),
		memblock_test(range_over_the_old_array),
		memblock_test(place_array),
		memblock_test(placed_arrays_that_are_not_reserved),
		memblock_test(place_array_refuses),
		memblock_test(place_array_over_the_struct),
	};

	return cmocka_run_group_tests_name("memblock: growth", tests, NULL, NULL);
}
