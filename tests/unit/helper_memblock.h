/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of memblock share: a map, simulated physical memory for its arrays and its
 * allocations, a printer that keeps the text, and a comparison of a whole array at once.
 */
#ifndef TESTS_UNIT_HELPER_MEMBLOCK_H
#define TESTS_UNIT_HELPER_MEMBLOCK_H

#include "test.h"

#include <earlymm/error.h>
#include <earlymm/memblock.h>

#define MIB(n) ((phys_addr_t)(n) << 20)
#define GIB(n) ((phys_addr_t)(n) << 30)
#define NONE   NUMA_NO_NODE

/* What simulated memory is filled with: never zero, so that zeroing and leaving alone both show. */
#define ARENA_FILL 0xa5

/* A reserved entry's flags for @cause, by memblock_reserve_cause() and by an allocation. */
#define RSRV(cause)  ((uint32_t)(cause) << MEMBLOCK_CAUSE_SHIFT)
#define ALLOC(cause) (RSRV(cause) | MEMBLOCK_RSRV_KERN)

struct helper_text {
	char text[1 << 15];
	size_t len;
};

struct helper_memblock {
	struct memblock mb;
	struct phys_map map;
	struct printer printer;
	struct helper_text out;
	phys_addr_t arena_base; /* physical address of arena[0] */
	uint64_t arena_size;
	unsigned char *arena;
	bool unreachable; /* phys_to_virt answers NULL */
};

/* cmocka's set-up and tear-down: *state is a fresh struct helper_memblock, its map empty. */
int helper_memblock_setup(void **state);
int helper_memblock_teardown(void **state);

/* Backs [base, base + size) with host memory, filled with ARENA_FILL. */
void helper_memblock_arena(struct helper_memblock *h, phys_addr_t base, uint64_t size);

/* The host's address of @pa, which must be in the arena. */
unsigned char *helper_memblock_at(struct helper_memblock *h, phys_addr_t pa);

/* A map of @n separate reservations from @base on, each @step / 2 bytes long, no cause. */
void helper_memblock_fill_reserved(struct helper_memblock *h, phys_addr_t base, phys_addr_t step,
				   unsigned long n);

/*
 * Simulated RAM, and the reserved array full to @spare entries, with reservations of 1 MiB, 2 MiB
 * apart, from 1 GiB on, outside it; resizing is allowed. Returns @h.
 */
#define HELPER_RAM      MIB(64)
#define HELPER_RAM_SIZE MIB(16)
#define HELPER_RAM_END  (HELPER_RAM + HELPER_RAM_SIZE)
struct helper_memblock *helper_memblock_full(struct helper_memblock *h, unsigned long spare);

/* Fills the memory array to @spare entries with banks from 4 GiB on that never merge. */
void helper_memblock_fill_memory(struct helper_memblock *h, unsigned long spare);

/* The bytes that a grown array of @max entries takes. */
phys_addr_t helper_array_bytes(unsigned long max);

/* Both arrays lie where the struct says, in reserved memory, and nothing else is memblock's. */
void helper_check_arrays(struct helper_memblock *h);

/* Nothing in the arena outside the arrays has been written to. */
void helper_check_untouched(struct helper_memblock *h);

void helper_expect_map(const struct memblock *mb, const struct memblock_type *type,
		       const struct memblock_region *want, unsigned long n, const char *file,
		       int line);

/* The whole array, entry by entry: { base, size, flags, nid }; and the map is valid. */
#define expect_map(mb, type, ...)                                                                  \
	helper_expect_map(mb, &(mb)->type, (const struct memblock_region[]){ __VA_ARGS__ },        \
			  ARRAY_SIZE(((const struct memblock_region[]){ __VA_ARGS__ })), __FILE__, \
			  __LINE__)
#define expect_empty(mb, type) helper_expect_map(mb, &(mb)->type, NULL, 0, __FILE__, __LINE__)

/* A copy of both maps as they are, and the check that they are still so. */
struct helper_snapshot {
	struct memblock mb;
	struct memblock_region *regions[2];
};
void helper_snapshot_take(struct helper_snapshot *s, const struct memblock *mb);
void helper_snapshot_check(struct helper_snapshot *s, const struct memblock *mb); /* and frees it */

#define ANY MEMBLOCK_ALLOC_ANYWHERE

/* An allocation without preferences, which must succeed; returns its address, which is never 0. */
phys_addr_t helper_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align);

/* One that must fail with @err and change nothing. */
void helper_no_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align, phys_addr_t min,
		     phys_addr_t max, int err);

/* A test with set-up and tear-down as above. */
#define memblock_test(f) \
	cmocka_unit_test_setup_teardown(f, helper_memblock_setup, helper_memblock_teardown)

#endif
