/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile ranges: bases and sizes from the corners of the 64-bit space, in random sequences. The
 * model is a set of points, each in the map or not, whose membership is plain arithmetic.
 */
#include "helper_memblock.h"

#define HALF ((phys_addr_t)1 << 63)

static const phys_addr_t corner[] = {
	0,
	1,
	2,
	PAGE_SIZE - 1,
	PAGE_SIZE,
	PAGE_SIZE + 1,
	2 * PAGE_SIZE,
	0xffffffff,
	0x100000000,
	0x100000001,
	HALF - 1,
	HALF,
	HALF + 1,
	PHYS_ADDR_MAX - 2 * PAGE_SIZE,
	PHYS_ADDR_MAX - PAGE_SIZE,
	PHYS_ADDR_MAX - PAGE_SIZE + 1,
	PHYS_ADDR_MAX - 2,
	PHYS_ADDR_MAX - 1,
	PHYS_ADDR_MAX,
};

#define POINTS ARRAY_SIZE(corner)

static uint64_t seed = 42;

static unsigned long below(unsigned long n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned long)(seed >> 11) % n;
}

/* Whether @point lies in the range as memblock defines it: cut at PHYS_ADDR_MAX, exclusive. */
static bool covers(phys_addr_t base, phys_addr_t size, phys_addr_t point)
{
	return point >= base && point - base < size && point != PHYS_ADDR_MAX;
}

static void check_points(const struct memblock *mb, const bool *memory, const bool *reserved)
{
	unsigned int i;

	assert_true(memblock_is_valid(mb));
	for (i = 0; i < POINTS; i++) {
		assert_int_equal(memblock_is_memory(mb, corner[i]), memory[i]);
		assert_int_equal(memblock_is_reserved(mb, corner[i]), reserved[i]);
	}
}

/* Free ranges lie in memory and clear of reservations, and every free point is in one. */
static void check_free(const struct memblock *mb, const bool *memory, const bool *reserved)
{
	bool free[POINTS] = { false };
	struct memblock_iter it;
	phys_addr_t start, end, last = 0;
	unsigned int i;

	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &start, &end)) {
		assert_true(start >= last && start < end);
		last = end;
		assert_true(memblock_is_region_memory(mb, start, end - start));
		assert_false(memblock_is_region_reserved(mb, start, end - start));
		for (i = 0; i < POINTS; i++)
			free[i] |= corner[i] >= start && corner[i] < end;
	}
	for (i = 0; i < POINTS; i++)
		assert_int_equal(free[i], memory[i] && !reserved[i]);
}

static void try_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align, phys_addr_t min,
		      phys_addr_t max)
{
	phys_addr_t pa = 0;
	int err = memblock_phys_alloc(mb, size, align, min, max, NONE, CAUSE_ALLOC, &pa);

	if (err) {
		assert_int_equal(pa, 0);
		return;
	}
	assert_true(size && pa >= PAGE_SIZE && pa <= max - size && size <= max);
	assert_int_equal(pa % (align ? align : SMP_CACHE_BYTES), 0);
	assert_true(memblock_is_region_memory(mb, pa, size));
	assert_true(memblock_is_region_reserved(mb, pa, size));
	assert_int_equal(memblock_free(mb, pa, size), 0);
}

static void corners_in_random_order(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	bool memory[POINTS] = { false }, reserved[POINTS] = { false };
	unsigned long n, i;

	for (n = 0; n < 100000; n++) {
		const phys_addr_t base = corner[below(POINTS)];
		/* A size, or the distance to a point: both kinds of corner. */
		const phys_addr_t size = corner[below(POINTS)] - (below(2) ? base : 0);
		const unsigned long what = below(6);
		int err = 0;

		if (what == 0)
			err = memblock_add(mb, base, size);
		else if (what == 1)
			err = memblock_remove(mb, base, size);
		else if (what == 2)
			err = memblock_reserve_cause(mb, base, size, CAUSE_FDT);
		else if (what == 3)
			err = memblock_free(mb, base, size);
		else if (what == 4)
			err = memblock_set_node(mb, base, size, &mb->memory, (int)below(3));
		else
			try_alloc(mb, size, below(2) ? 0 : (phys_addr_t)1 << below(64), base,
				  corner[below(POINTS)]);
		assert_int_equal(err, 0);
		for (i = 0; i < POINTS; i++) {
			if (!covers(base, size, corner[i]))
				continue;
			if (what < 2)
				memory[i] = what == 0;
			else if (what < 4)
				reserved[i] = what == 2;
		}
		if (below(100) == 0)
			memblock_set_bottom_up(mb, below(2));
		check_points(mb, memory, reserved);
		check_free(mb, memory, reserved);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(corners_in_random_order),
	};

	return cmocka_run_group_tests_name("memblock: corners", tests, NULL, NULL);
}
