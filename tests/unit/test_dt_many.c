/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps that do not fit memblock's first arrays: thousands of banks, reservations and requests, in
 * any order.
 */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 10000U

enum order {
	UP,
	DOWN,
	SHUFFLED,
};

/* The number at place @i of 0 … n - 1 in some order; n must not be a multiple of 7919. */
static uint64_t at(enum order order, uint64_t i, uint64_t n)
{
	return order == UP ? i : order == DOWN ? n - 1 - i : i * 7919 % n;
}

static void begin(struct tree *t)
{
	tree_begin_sized(t, 2 << 20);
	tree_root(t, 2);
}

/* @n children a page each, every 64 KiB from 0x90000000. */
static void *reserved_tree(uint64_t n, enum order order, const char *flag)
{
	struct tree t;
	uint64_t i;

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(2));
	tree_reserved(&t);
	for (i = 0; i < n; i++)
		tree_region(&t, "r", 0x90000000 + at(order, i, n) * 0x10000, 0x1000, flag);
	tree_end(&t);
	return tree_finish(&t);
}

/* Linux: 123 boot, 124 are a panic without a word. */
static void test_reserved_nodes(void **state)
{
	static const uint64_t counts[] = { 1,   40,  60,  122, 123, 124, 125,
					   126, 127, 128, 129, 300, MANY };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < 3 * ARRAY_SIZE(counts); i++) {
		uint64_t n = counts[i / 3];

		machine_boot(m, reserved_tree(n, (enum order)(i % 3), NULL));
		assert_string_equal(m->text, "");
		assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), n);
		assert_int_equal(memblock_reserved_size(&m->mb), n * 0x1000 + IMAGE_SIZE +
									 m->info.totalsize +
									 m->mb.reserved_array.size);
		check_arrays(m);
		machine_free(m);
		machine_init(m);
	}
}

/* Linux: 58 boot, 60 are a panic. */
static void test_nomap_nodes(void **state)
{
	static const uint64_t counts[] = { 58, 59, 60, 63, 64, 65, 200, MANY };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < 3 * ARRAY_SIZE(counts); i++) {
		uint64_t n = counts[i / 3];

		machine_boot(m, reserved_tree(n, (enum order)(i % 3), "no-map"));
		assert_string_equal(m->text, "");
		assert_int_equal(m->mb.memory.cnt, 2 * n + 1);
		check_arrays(m);
		machine_free(m);
		machine_init(m);
	}
}

/* Linux: 121 boot, 127 are a panic. @nodes: as nodes, else as entries of one. */
static void *banks_tree(uint64_t n, enum order order, bool nodes)
{
	uint64_t *reg = calloc(2 * n, sizeof(*reg)), i;
	struct tree t;

	assert_non_null(reg);
	for (i = 0; i < n; i++) {
		reg[2 * i] = 0x80000000 + at(order, i, n) * MIB(4);
		reg[2 * i + 1] = MIB(3);
	}
	begin(&t);
	if (nodes) {
		for (i = 0; i < n; i++)
			tree_memory(&t, reg[2 * i], reg[2 * i + 1]);
	} else {
		tree_node(&t, "memory@80000000");
		tree_string(&t, "device_type", "memory");
		tree_list(&t, "reg", (int)(2 * n), reg);
		tree_end(&t);
	}
	free(reg);
	return tree_finish(&t);
}

static void test_banks(void **state)
{
	static const uint64_t counts[] = { 56, 121, 127, 128, 129, 500, MANY };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < 6 * ARRAY_SIZE(counts); i++) {
		uint64_t n = counts[i / 6];

		m->fixed[0].base = 0x80000000;
		m->fdt_pa = 0x80080000;
		machine_boot(m, banks_tree(n, (enum order)(i / 2 % 3), i % 2));
		assert_string_equal(m->text, "");
		assert_int_equal(m->mb.memory.cnt, n);
		assert_int_equal(memblock_phys_mem_size(&m->mb), n * MIB(3));
		check_arrays(m);
		machine_free(m);
		machine_init(m);
	}
}

static void test_memreserve(void **state)
{
	struct machine *m = *state;
	struct tree t;
	uint64_t i;
	int order;

	for (order = UP; order <= SHUFFLED; order++) {
		tree_begin_sized(&t, 2 << 20);
		for (i = 0; i < MANY; i++)
			tree_memreserve(&t, 0x90000000 + at((enum order)order, i, MANY) * 0x10000,
					0x1000);
		tree_root(&t, 2);
		tree_memory(&t, 0x80000000, GIB(2));
		machine_boot(m, tree_finish(&t));
		assert_string_equal(m->text, "");
		assert_int_equal(count_cause(m, CAUSE_MEMRESERVE), MANY);
		check_arrays(m);
		machine_free(m);
		machine_init(m);
	}
}

/* One more entry of everything than the arrays begin with, at once, all of it touching nothing. */
static void test_entries_of_one_child(void **state)
{
	uint64_t *reg = calloc(2ULL * MANY, sizeof(*reg)), i;
	struct machine *m = *state;
	struct tree t;

	assert_non_null(reg);
	for (i = 0; i < MANY; i++) {
		reg[2 * i] = 0xc0000000 - i * 0x2000;
		reg[2 * i + 1] = 0x1000;
	}
	begin(&t);
	tree_memory(&t, 0x80000000, GIB(2));
	tree_reserved(&t);
	tree_node(&t, "many");
	tree_list(&t, "reg", (int)(2 * MANY), reg);
	tree_end(&t);
	tree_end(&t);
	free(reg);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), MANY);
	check_arrays(m);
}

/* One region over the gaps between many: each gap is an entry. */
static void test_region_over_many(void **state)
{
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	tree_begin(&t);
	for (i = 0; i < 80; i++)
		tree_memreserve(&t, 0x90000000 + i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "all", 0x90000000, 81 * 0x2000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(count_cause(m, CAUSE_MEMRESERVE), 80);
	assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), 80);
	check_arrays(m);
}

/* The tail end of an array that is to be grown by memblock itself later. */
static void test_growth_afterwards(void **state)
{
	struct machine *m = *state;
	phys_addr_t pa;
	int i;

	machine_boot(m, reserved_tree(200, UP, NULL));
	memblock_allow_resize(&m->mb);
	for (i = 0; i < 1000; i++)
		assert_int_equal(memblock_phys_alloc(&m->mb, 0x100, 0x2000, 0, PHYS_ADDR_MAX,
						     NUMA_NO_NODE, CAUSE_ALLOC, &pa),
				 0);
	assert_true(memblock_is_valid(&m->mb));
	assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), 200);
	check_arrays(m);
}

/* ---- dynamic regions ---- */

/* @n children of @size bytes. */
static void *dynamic_tree(uint64_t n, uint64_t size, uint64_t alignment, const char *flag)
{
	struct tree t;
	uint64_t i;

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	for (i = 0; i < n; i++) {
		tree_dynamic(&t, "d", size, alignment);
		if (flag)
			tree_flag(&t, flag);
		tree_end(&t);
	}
	tree_end(&t);
	return tree_finish(&t);
}

/* Boots, and places all of them. */
static void place_all(struct machine *m, void *fdt, uint64_t n)
{
	machine_boot(m, fdt);
	machine_place(m);
	assert_int_equal(m->info.nr_dynamic_placed, n);
	assert_int_equal(m->info.nr_regions, MACHINE_REGIONS);
	assert_int_equal(m->info.nr_regions_dropped, n - MACHINE_REGIONS);
	assert_int_equal(times_said(m, "\n"), 1);
	check_arrays(m);
}

/* They touch: one entry for all of them. */
static void test_dynamic_that_touch(void **state)
{
	struct machine *m = *state;

	place_all(m, dynamic_tree(MANY, 0x1000, 0, NULL), MANY);
	assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), 1);
	assert_true(is_taken(m, 0xc0000000 - MANY * 0x1000, MANY * 0x1000));
	assert_false(is_taken(m, 0x80000000, 0x40000000 - MANY * 0x1000));
	machine_again(m);

	place_all(m, dynamic_tree(MANY, 0x1000, 0, "no-map"), MANY);
	assert_int_equal(m->mb.memory.cnt, 2);
	assert_int_equal(m->mb.memory.regions[1].size, MANY * 0x1000);
	assert_int_equal(m->mb.memory.regions[1].flags, MEMBLOCK_NOMAP);
}

/* An entry each, at every 64 KiB; the arrays had room for all of them from the start. */
static void test_dynamic_apart(void **state)
{
	struct machine *m = *state;
	uint64_t i, n = 1500;

	place_all(m, dynamic_tree(n, 0x1000, 0x10000, NULL), n);
	assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), n);
	assert_int_equal(m->mb.reserved_array.base, IMAGE_BASE + IMAGE_SIZE);
	for (i = 0; i < n; i++)
		assert_int_equal(m->mb.reserved.regions[m->mb.reserved.cnt - 1 - i].base,
				 0xc0000000 - 0x10000 * (i + 1));
	machine_again(m);

	place_all(m, dynamic_tree(n, 0x1000, 0x10000, "no-map"), n);
	assert_int_equal(m->mb.memory.cnt, 2 * n + 1);
	assert_int_equal(m->mb.memory_array.base, IMAGE_BASE + IMAGE_SIZE);
}

/*
 * Whatever is asked for in whatever order, each has the highest place that was left when its turn
 * came: the same is found here by asking memblock anew each time.
 */
static void test_dynamic_as_memblock_would(void **state)
{
	enum { N = 300 };
	static struct dt_region regions[N];
	static const phys_addr_t ends[] = { 0xc0000000, 0xa0000000, 0x98000000 };
	static struct machine other;
	struct machine *m = *state;
	uint64_t seed = 1, size[N], align[N];
	uint64_t end[N];
	struct tree t;
	int i;

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	for (i = 0; i < N; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		size[i] = ((seed >> 33) % 7 + 1) * 0x5000;
		align[i] = 0x1000ULL << (seed >> 40) % 5;
		end[i] = (seed >> 50) % 3;
		tree_dynamic(&t, "d", size[i], align[i]);
		tree_reg(&t, "alloc-ranges", 0x90000000, ends[end[i]] - 0x90000000);
		tree_end(&t);
	}
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, regions, N, &m->out), 0);
	assert_int_equal(m->info.nr_dynamic_placed, N);

	machine_init(&other);
	memblock_add(&other.mb, 0x80000000, GIB(1));
	memblock_allow_resize(&other.mb);
	for (i = 0; i < N; i++) {
		phys_addr_t pa = 0;

		assert_int_equal(memblock_find_in_range(&other.mb, 0x90000000, ends[end[i]],
							size[i], align[i], &pa),
				 0);
		assert_int_equal(
			memblock_reserve_cause(&other.mb, pa, size[i], CAUSE_RESERVED_MEMORY), 0);
		assert_int_equal(regions[i].base, pa);
		assert_int_equal(regions[i].size, size[i]);
	}
	machine_free(&other);
}

/* More than there is memory for: those that fit are placed, the first ones first. */
static void test_dynamic_more_than_memory(void **state)
{
	struct machine *m = *state;

	machine_boot(m, dynamic_tree(2000, MIB(1), 0, NULL));
	machine_place(m);
	/* The MiB that the image lies in and the tree's are not free, and no other is either. */
	assert_int_equal(m->info.nr_dynamic_placed, 1022);
	assert_int_equal(m->info.nr_dynamic_failed, 978);
	assert_int_equal(times_said(m, "not placed: no 0x100000 bytes"), DT_MAX_LINES);
	assert_true(said(m, "more messages not shown\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_reserved_nodes),
		machine_test(test_nomap_nodes),
		machine_test(test_banks),
		machine_test(test_memreserve),
		machine_test(test_entries_of_one_child),
		machine_test(test_region_over_many),
		machine_test(test_growth_afterwards),
		machine_test(test_dynamic_that_touch),
		machine_test(test_dynamic_apart),
		machine_test(test_dynamic_as_memblock_would),
		machine_test(test_dynamic_more_than_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
