/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynamic regions: what they ask for, and what they get. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY
#define DYN DT_REGION_DYNAMIC

/* 1 GiB at 0x80000000, up to 0xc0000000, and /reserved-memory begun. */
static void begin(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
	tree_reserved(t);
}

static void place(struct machine *m, struct tree *t)
{
	tree_end(t);
	machine_boot(m, tree_finish(t));
	machine_place(m);
}

/* A child by size without more. */
static void simple(struct tree *t, const char *name, uint64_t size, uint64_t alignment)
{
	tree_dynamic(t, name, size, alignment);
	tree_end(t);
}

/*
 *   ...  bf600000 bf7ff000  bf800000   bfc00000 bffff000 c0000000
 *          |== c ==|  |=d=|  |== b ==|    |==========a===========|
 *
 * In the tree's order, each at the highest place that is left: b is aligned to its size.
 */
static void test_top_down_in_the_trees_order(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "a", MIB(4), 0);
	simple(&t, "b", MIB(2), MIB(4));
	simple(&t, "c", MIB(2), MIB(2));
	simple(&t, "d", 0x1000, 0);
	place(m, &t);
	assert_string_equal(m->text, "");
	expect_region(m, "a", 0xbfc00000, MIB(4), DYN);
	expect_region(m, "b", 0xbf800000, MIB(2), DYN);
	expect_region(m, "c", 0xbfa00000, MIB(2), DYN);
	expect_region(m, "d", 0xbf7ff000, 0x1000, DYN);
	expect_reserved(m, { 0xbf7ff000, 0x801000, 0, 0, RSV });
	assert_int_equal(m->info.nr_dynamic_placed, 4);
	assert_int_equal(m->info.nr_errors, 0);
}

static void test_bottom_up(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "a", 0x1000, 0);
	simple(&t, "b", 0x1000, MIB(4));
	simple(&t, "c", 0x2000, MIB(4));
	memblock_set_bottom_up(&m->mb, true);
	place(m, &t);
	assert_true(m->mb.bottom_up);
	expect_region(m, "a", 0x80000000, 0x1000, DYN);
	expect_region(m, "b", 0x80400000, 0x1000, DYN);
	expect_region(m, "c", 0x80800000, 0x2000, DYN);
}

/* Without alignment a page; smaller ones are taken at their word; the size is kept to the byte. */
static void test_alignment_and_size(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "page", 100, 0);
	simple(&t, "line", 100, 64);
	simple(&t, "byte", 3, 1);
	simple(&t, "half", 1, GIB(1) / 2);
	place(m, &t);
	expect_region(m, "page", 0xbffff000, 100, DYN);
	expect_region(m, "line", 0xbfffff80, 100, DYN);
	expect_region(m, "byte", 0xbffffffd, 3, DYN);
	expect_region(m, "half", 0xa0000000, 1, DYN);
	expect_reserved(m, { 0xa0000000, 1, 0, 0, RSV }, { 0xbffff000, 100, 0, 0, RSV },
			{ 0xbfffff80, 100, 0, 0, RSV }, { 0xbffffffd, 3, 0, 0, RSV });
}

/* no-map: whole pages, and not memory any more. Nothing is reserved. */
static void test_nomap(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "mapped", 64, 64);
	tree_dynamic(&t, "small", 100, 64);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_dynamic(&t, "large", MIB(2) + 1, MIB(2));
	tree_flag(&t, "no-map");
	tree_end(&t);
	place(m, &t);
	assert_string_equal(m->text, "");
	expect_region(m, "small", 0xbfffe000, 0x1000, DYN | DT_REGION_NOMAP);
	expect_region(m, "large", 0xbfc00000, MIB(2) + 0x1000, DYN | DT_REGION_NOMAP);
	expect_reserved(m, { 0xbfffffc0, 64, 0, 0, RSV });
	expect_banks(m, { 0x80000000, 0x3fc00000, 0, 0, 0 },
		     { 0xbfc00000, 0x201000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0xbfe01000, 0x1fd000, 0, 0, 0 },
		     { 0xbfffe000, 0x1000, MEMBLOCK_NOMAP, 0, 0 }, { 0xbffff000, 0x1000, 0, 0, 0 });
	assert_int_equal(m->info.nr_dynamic_nomap, 2);
}

/* A child with alloc-ranges; the numbers are addresses and sizes by turns. */
static void bounded(struct tree *t, const char *name, uint64_t size, int n, const uint64_t *ranges)
{
	tree_dynamic(t, name, size, 0);
	tree_list(t, "alloc-ranges", n, ranges);
	tree_end(t);
}
#define tree_bounded(t, name, size, ...)                                                      \
	bounded(t, name, size, (int)(sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)), \
		(const uint64_t[]){ __VA_ARGS__ })

/*
 *         90000000  90200000      a0000000       b0000000
 * first      |========|                                       fits it exactly
 * second     |--------| (taken)      |-----|======|           the second range
 * inside  |---[8ffff800 ... 90003800)  only 2 whole pages at the alignment of a page are free
 */
static void test_alloc_ranges(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "low", 0x8ff00000, MIB(1), NULL);
	tree_bounded(&t, "first", MIB(2), 0x90000000, MIB(2));
	tree_bounded(&t, "second", MIB(2), 0x90000000, MIB(2), 0xa0000000, MIB(256), 0x80000000,
		     MIB(2));
	tree_bounded(&t, "inside", 0x1000, 0x84000800, 0x2800);
	/* Beyond memory on both sides, and past the top of the address space. */
	tree_bounded(&t, "around", 0x1000, 0x10000000, ~0ULL);
	place(m, &t);
	assert_string_equal(m->text, "");
	expect_region(m, "first", 0x90000000, MIB(2), DYN);
	expect_region(m, "second", 0xafe00000, MIB(2), DYN);
	expect_region(m, "inside", 0x84002000, 0x1000, DYN);
	expect_region(m, "around", 0xbffff000, 0x1000, DYN);
}

static void test_alloc_ranges_are_hard(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "low", 0x90000000, 0x1000, NULL);
	tree_bounded(&t, "one", MIB(2), 0x90000000, MIB(2));
	tree_bounded(&t, "edge", 0x1000, 0x84000001, 0x1ffe);
	tree_bounded(&t, "outside", 0x1000, 0xc0000000, GIB(4));
	tree_bounded(&t, "three", MIB(2), 0x90000000, MIB(2), 0x90100000, MIB(1), 0x10000000,
		     GIB(1));
	tree_bounded(&t, "six", GIB(1), 0, 1, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1);
	tree_bounded(&t, "empty", 0x1000, 0x90000000, 0, 0, 0);
	tree_bounded(&t, "half-empty", 0x1000, 0x90000000, 0, 0x98000000, 0x1000);
	simple(&t, "large", GIB(1), 0);
	simple(&t, "wide", 1, 1ULL << 63);
	simple(&t, "most", ~0ULL, 0);
	place(m, &t);
	assert_true(said(m, "dt: one: not placed: no 0x200000 bytes aligned to 0x1000 are free in "
			    "[0x90000000-0x901fffff]\n"));
	assert_true(said(m, "dt: edge: not placed: no 0x1000 bytes aligned to 0x1000 are free in "
			    "[0x84000001-0x84001ffe]\n"));
	assert_true(said(m, "dt: outside: not placed: no 0x1000 bytes aligned to 0x1000 are free "
			    "in [0xc0000000-0x1bfffffff]\n"));
	assert_true(said(m, "dt: three: not placed: no 0x200000 bytes aligned to 0x1000 are free "
			    "in [0x90000000-0x901fffff]\n"
			    "dt: three: nor in [0x90100000-0x901fffff]\n"
			    "dt: three: nor in [0x10000000-0x4fffffff]\n"));
	assert_true(said(m, "are free in [0x0-0x0]\ndt: six: nor in [0x1-0x1]\n"
			    "dt: six: nor in [0x2-0x2]\ndt: six: nor in [0x3-0x3]\n"
			    "dt: six: nor in 2 more ranges\n"));
	assert_true(said(m, "dt: empty: not placed: no 0x1000 bytes aligned to 0x1000 are free in "
			    "its alloc-ranges, which are empty\n"));
	assert_true(said(m, "dt: large: not placed: no 0x40000000 bytes aligned to 0x1000 are free "
			    "in memory\n"));
	assert_true(said(m, "dt: wide: not placed: no 0x1 bytes aligned to 0x8000000000000000 are "
			    "free in memory\n"));
	assert_true(said(m, "dt: most: not placed"));
	expect_region(m, "half-empty", 0x98000000, 0x1000, DYN);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV }, { 0x98000000, 0x1000, 0, 0, RSV });
	assert_int_equal(m->info.nr_dynamic_failed, 9);
	assert_int_equal(m->info.nr_dynamic_placed, 1);
	assert_int_equal(m->info.nr_errors, 9);
	assert_int_equal(m->info.nr_regions, 1);
}

/* Only so many are looked at; it is said. */
static void test_too_many_ranges(void **state)
{
	uint64_t ranges[2 * DT_MAX_ALLOC_RANGES + 2];
	struct machine *m = *state;
	struct tree t;
	int last;

	for (last = 0; last < 2; last++) {
		uint64_t *good = &ranges[2 * (DT_MAX_ALLOC_RANGES - 1 + last)];
		size_t i;

		for (i = 0; i < ARRAY_SIZE(ranges); i++)
			ranges[i] = i % 2 ? 0x800 : 0x90000000;
		good[0] = 0x98000000;
		good[1] = 0x1000;
		begin(&t);
		bounded(&t, "many", 0x1000, (int)ARRAY_SIZE(ranges), ranges);
		place(m, &t);
		assert_true(said(m, "dt: many: alloc-ranges has 17 ranges: the first 16 are "
				    "tried\n"));
		assert_int_equal(m->info.nr_dynamic_placed, !last);
		assert_int_equal(m->info.nr_errors, 1 + last);
		machine_again(m);
	}
}

/* ---- what is wrong with a child ---- */

static void test_invalid(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "good", MIB(4), MIB(4));
	simple(&t, "three", MIB(3), MIB(3));
	tree_dynamic(&t, "zero", MIB(3), 0);
	tree_u64(&t, "alignment", 0);
	tree_end(&t);
	tree_dynamic(&t, "long", MIB(3), 0);
	tree_bytes(&t, "alignment", "\0\0\0\0\0\0\0\0\0\0\x10", 12);
	tree_end(&t);
	simple(&t, "empty", 0, MIB(1));
	tree_node(&t, "one-cell");
	tree_u32(&t, "size", 0x1000);
	tree_u32(&t, "alignment", 0x1000);
	tree_reg(&t, "alloc-ranges", 0x90000000, MIB(1), 0xa0000000, MIB(1));
	tree_end(&t);
	tree_node(&t, "no-size");
	tree_bytes(&t, "size", "123", 3);
	tree_end(&t);
	tree_dynamic(&t, "no-ranges", 0x1000, 0);
	tree_flag(&t, "alloc-ranges");
	tree_end(&t);
	tree_dynamic(&t, "odd-ranges", 0x1000, 0);
	tree_bytes(&t, "alloc-ranges", "01234567890123456789", 20);
	tree_end(&t);
	tree_dynamic(&t, "both", 0x1000, 0);
	tree_flag(&t, "no-map");
	tree_flag(&t, "reusable");
	tree_end(&t);
	tree_dynamic(&t, "vast", ~0ULL, 0);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_dynamic(&t, "off", MIB(1), 0);
	tree_string(&t, "status", "disabled");
	tree_end(&t);
	tree_dynamic(&t, "static", MIB(64), MIB(3));
	tree_reg(&t, "reg", 0x98000000, 0x1000);
	tree_end(&t);
	place(m, &t);
	assert_true(said(m, "dt: three: alignment is not a power of two: it will not be placed\n"));
	assert_true(said(m, "dt: zero: alignment is not a power of two"));
	assert_true(said(m, "dt: long: alignment is not a power of two"));
	assert_true(said(m, "dt: empty: size is not a number above 0"));
	assert_true(said(m, "dt: no-size: size is not a number"));
	assert_true(said(m, "dt: no-ranges: alloc-ranges is not a list of ranges"));
	assert_true(said(m, "dt: odd-ranges: alloc-ranges is not a list of ranges"));
	assert_true(said(m, "dt: both: no-map and reusable exclude each other"));
	assert_true(said(m, "dt: vast: size is larger than the address space"));
	assert_int_equal(m->info.nr_dynamic, 11);
	assert_int_equal(m->info.nr_dynamic_bad, 9);
	assert_int_equal(m->info.nr_dynamic_placed, 2);
	assert_int_equal(m->info.nr_errors, 9);
	expect_region(m, "one-cell", 0x900ff000, 0x1000, DYN);
	expect_reserved(m, { 0x900ff000, 0x1000, 0, 0, RSV }, { 0x98000000, 0x1000, 0, 0, RSV },
			{ 0xbfc00000, MIB(4), 0, 0, RSV });
}

/* Nothing but the one that was not to be found. */
static void only(struct machine *m, phys_addr_t base)
{
	expect_region(m, "d", base, 0x1000, DYN);
	machine_again(m);
}

/*
 * Ranges are read with the cells of /reserved-memory, with the root's where only they fit, and
 * with the root's, in doubt, if the node has none.
 */
static void test_cells(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int fits;

	for (fits = 1; fits <= 2; fits++) {
		tree_begin(&t);
		tree_root(&t, 2);
		tree_memory(&t, 0x80000000, GIB(1));
		tree_cells(&t, 1, 1);
		tree_reserved(&t);
		tree_dynamic(&t, "d", 0x1000, 0);
		/* Two ranges of one cell each, or one range of two. */
		if (fits == 1) {
			tree_reg(&t, "alloc-ranges", 0x90000000, 0x800, 0xa0000000, 0x1000);
		} else {
			tree_cells(&t, 1, 2);
			tree_reg(&t, "alloc-ranges", 0xa0000000, 0x1000);
		}
		tree_end(&t);
		tree_end(&t);
		machine_boot(m, tree_finish(&t));
		machine_place(m);
		if (fits == 1) {
			only(m, 0xa0000000);
		} else {
			assert_true(said(m, "dt: d: alloc-ranges is not a list of ranges"));
			machine_again(m);
		}
	}

	tree_begin(&t);
	tree_root(&t, 1);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_cells(&t, 2, 2);
	tree_reserved(&t);
	tree_dynamic(&t, "d", 0x1000, 0);
	tree_cells(&t, 1, 1);
	tree_reg(&t, "alloc-ranges", 0xa0000000, 0x1000);
	tree_end(&t);
	place(m, &t);
	assert_true(said(m, "dt: d: its alloc-ranges has the root's cells, which are used\n"));
	only(m, 0xa0000000);

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "reserved-memory");
	tree_flag(&t, "ranges");
	tree_dynamic(&t, "d", 0x1000, 0);
	tree_reg(&t, "alloc-ranges", 0x90000000, 0x800, 0x98000000, 0x800, 0xa0000000, 0x1000);
	tree_end(&t);
	place(m, &t);
	only(m, 0xa0000000);
}

/* Cells that cannot be read: without ranges it is clear what is asked for. */
static void test_bad_cells(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "reserved-memory");
	tree_u32(&t, "#address-cells", 3);
	tree_u32(&t, "#size-cells", 2);
	tree_flag(&t, "ranges");
	tree_bounded(&t, "bounded", 0x1000, 0x90000000, MIB(1));
	simple(&t, "d", 0x1000, 0);
	place(m, &t);
	assert_true(said(m, "dt: bounded: alloc-ranges is not a list of ranges"));
	only(m, 0xbffff000);
}

/* ---- CMA ---- */

static void cma(struct tree *t, const char *name, uint64_t size, uint64_t alignment)
{
	tree_dynamic(t, name, size, alignment);
	tree_pool(t);
	tree_flag(t, "reusable");
	tree_end(t);
}

/* Base and size in granules, whatever is asked for; others keep theirs. */
static void test_cma_granule(void **state)
{
	const uint32_t flags =
		DYN | DT_REGION_REUSABLE | DT_REGION_DMA_POOL | DT_REGION_LENDABLE | DT_REGION_CMA;
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "a", 0x1000, 0);
	cma(&t, "good", MIB(4), 0x1000);
	cma(&t, "odd", MIB(3), 0);
	cma(&t, "wide", 0x1000, MIB(8));
	tree_dynamic(&t, "plain", 0x3000, 0);
	tree_flag(&t, "reusable");
	tree_end(&t);
	tree_dynamic(&t, "pool", 0x3000, 0);
	tree_pool(&t);
	tree_end(&t);
	place(m, &t);
	expect_region(m, "good", 0xbfa00000, MIB(4), flags);
	expect_region(m, "odd", 0xbf600000, MIB(4), flags);
	expect_region(m, "wide", 0xbf000000, MIB(2), flags);
	expect_region(m, "plain", 0xbfffc000, 0x3000,
		      DYN | DT_REGION_REUSABLE | DT_REGION_LENDABLE);
	expect_region(m, "pool", 0xbfff9000, 0x3000, DYN | DT_REGION_DMA_POOL);
	assert_true(said(m, "dt: odd: a CMA area must be a multiple of 0x200000: size 0x300000 is "
			    "rounded up to 0x400000\n"));
	assert_true(said(m, "dt: wide: a CMA area must be a multiple of 0x200000: size 0x1000 is "
			    "rounded up to 0x200000\n"));
	assert_int_equal(m->info.nr_errors, 2);
}

static void test_arguments(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "a", MIB(1), 0);
	tree_end(&t);
	m->fdt = tree_finish(&t);
	assert_int_equal(dt_walk(&m->info, m->fdt, 0, NULL), 0);
	/* Before there is a map. */
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, m->regions, 1, NULL),
			 -EMM_ESTATE);
	assert_int_equal(dt_to_memblock(&m->info, m->fdt, TREE_BASE, m->fixed, 1, &m->mb, NULL), 0);
	assert_int_equal(dt_place_dynamic(NULL, m->fdt, &m->mb, m->regions, 1, NULL), -EMM_EINVAL);
	assert_int_equal(dt_place_dynamic(&m->info, NULL, &m->mb, m->regions, 1, NULL),
			 -EMM_EINVAL);
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, NULL, m->regions, 1, NULL),
			 -EMM_EINVAL);
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, NULL, 1, NULL), -EMM_EINVAL);
	expect_none_reserved(m);
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, NULL, 0, NULL), 0);
	expect_reserved(m, { 0xbff00000, MIB(1), 0, 0, RSV });
	assert_int_equal(m->info.nr_regions_dropped, 1);
	assert_int_equal(m->info.nr_errors, 0);
	/* Only once. */
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, m->regions, 1, NULL),
			 -EMM_ESTATE);
	expect_reserved(m, { 0xbff00000, MIB(1), 0, 0, RSV });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_top_down_in_the_trees_order),
		machine_test(test_bottom_up),
		machine_test(test_alignment_and_size),
		machine_test(test_nomap),
		machine_test(test_alloc_ranges),
		machine_test(test_alloc_ranges_are_hard),
		machine_test(test_too_many_ranges),
		machine_test(test_invalid),
		machine_test(test_cells),
		machine_test(test_bad_cells),
		machine_test(test_cma_granule),
		machine_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
