/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the arrays go that take more ranges than memblock begins with. See test_dt_many.c, too. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void begin(struct tree *t)
{
	tree_begin_sized(t, 2 << 20);
	tree_root(t, 2);
}

/* Begins a tree of 200 reservations outside memory: an array of 512 entries, 12 KiB, is needed. */
static void begin_needy(struct tree *t)
{
	uint64_t i;

	tree_begin_sized(t, 2 << 20);
	for (i = 0; i < 200; i++)
		tree_memreserve(t, i * 0x2000, 0x1000);
	tree_root(t, 2);
}

static phys_addr_t array_base(const struct machine *m)
{
	assert_int_equal(m->mb.reserved_array.size, 512 * sizeof(struct memblock_region));
	check_arrays(m);
	return m->mb.reserved_array.base;
}

/* Above the image and all that lies there, where memory is sure to be. */
static void test_right_above_the_image(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_needy(&t);
	tree_memory(&t, 0x80000000, GIB(64));
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), IMAGE_BASE + IMAGE_SIZE);
}

/*
 *   8021c000    80220000  80222000  80223000 80226000
 *  ---image--------|--free--|--static--|-free--|--- memreserve, initrd, elfcorehdr, no-map …
 *                   2 pages             3 pages
 */
static void test_lowest_gap_that_fits(void **state)
{
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	tree_begin_sized(&t, 2 << 20);
	for (i = 0; i < 200; i++)
		tree_memreserve(&t, i * 0x2000, 0x1000);
	tree_memreserve(&t, 0x80226000, 1);
	tree_memreserve(&t, 0x8022a000 - 1, 1);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "static", 0x80222fff, 1, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0x80223000);
}

/* Every kind of claim blocks the place that would be taken otherwise. */
static void test_clear_of_all_claims(void **state)
{
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	m->fixed[1] = (struct dt_fixed){ 0x10000000, 0x1000, CAUSE_IMAGE, "stacks" };
	m->nr_fixed = 2;
	m->fdt_pa = 0x80220000;
	tree_begin_sized(&t, 2 << 20);
	for (i = 0; i < 200; i++)
		tree_memreserve(&t, i * 0x2000, 0x1000);
	tree_memreserve(&t, 0x80223000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, MIB(64));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0x80226000);
	tree_u64(&t, "linux,initrd-end", 0x80227000);
	tree_reg(&t, "linux,elfcorehdr", 0x80229000, 0x1000);
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "mapped", 0x8022c000, 0x1000, NULL);
	tree_region(&t, "unmapped", 0x8022f000, 0x100, "no-map");
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_in_range(m->info.totalsize, 1, 0x1000);
	assert_int_equal(array_base(m), 0x80230000);
	expect_banks(m, { 0x80000000, 0x22f000, 0, 0, 0 },
		     { 0x8022f000, 0x1000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x80230000, MIB(64) - 0x230000, 0, 0, 0 });
}

/* No room above the image: below it, in another bank, or in the last window of a large one. */
static void test_further_away(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_needy(&t);
	tree_memory(&t, 0x80000000, 0x220000);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0x80000000);
	machine_free(m);
	machine_init(m);

	begin_needy(&t);
	tree_memory(&t, 0x80200000, 0x20000);
	tree_memory(&t, GIB(1024), MIB(16));
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), GIB(1024));
	machine_free(m);
	machine_init(m);

	begin_needy(&t);
	tree_memory(&t, 0x80000000, MIB(96));
	tree_reserved(&t);
	tree_region(&t, "all", 0x80000000, MIB(96) - 0x3000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0x86000000 - 0x3000);
}

/* More than the small windows reach: by large granules. */
static void test_far_away(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_needy(&t);
	tree_memory(&t, 0x80000000, GIB(4));
	tree_reserved(&t);
	tree_region(&t, "half", 0x80000000, GIB(2), NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), GIB(4));
}

/* Banks smaller than the large granules, and no memory above the image: by small ones. */
static void test_small_banks_far_apart(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->fixed[0].base = GIB(2048);
	begin_needy(&t);
	tree_memory(&t, 0x82000000, MIB(64));
	tree_memory(&t, GIB(1024) + MIB(32), MIB(64));
	machine_boot(m, tree_finish(&t));
	assert_int_equal(m->mb.reserved_array.base, 0x82000000);
	check_arrays(m);
}

/*
 *   80220000   8025e000  80260000                802a0000 802a1000    802b0000 802b3000
 *  ---image------|-- free --|---- 64 pages taken ----|- free -|--taken----|- free -|-- taken ---
 *                 2 pages      (a word of the bitmap)  1 page               3 pages
 */
static void test_gaps_do_not_add_up(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_needy(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "a", 0x80220000, 0x3e000, NULL);
	tree_region(&t, "b", 0x80260000, 0x40000, NULL);
	tree_region(&t, "c", 0x802a1000, 0xf000, NULL);
	tree_region(&t, "d", 0x802b3000, MIB(16), NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0x802b0000);
}

/* A gap across the border between two windows, of 32 MiB each from the image on. */
static void test_gap_across_windows(void **state)
{
	const phys_addr_t border = IMAGE_BASE + IMAGE_SIZE + MIB(32);
	struct machine *m = *state;
	struct tree t;

	begin_needy(&t);
	tree_memory(&t, 0x80000000, MIB(128));
	tree_reserved(&t);
	tree_region(&t, "low", 0x80000000, border - 0x1000 - 0x80000000, NULL);
	tree_region(&t, "high", border + 0x2000, MIB(64), NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), border - 0x1000);
}

/* Banks that touch, each smaller than the array. */
static void test_across_small_banks(void **state)
{
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	begin(&t);
	for (i = 0; i < 1024; i++)
		tree_memory(&t, 0x80000000 + i * 7919 % 1024 * 0x4000, 0x4000);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(16), 0, 0, 0 });
	assert_int_equal(m->mb.memory_array.base, IMAGE_BASE + IMAGE_SIZE);
	check_arrays(m);
}

static void test_not_page_0(void **state)
{
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	tree_begin_sized(&t, 2 << 20);
	for (i = 0; i < 200; i++)
		tree_memreserve(&t, GIB(1) + i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0, 0x8000);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0x1000);
}

static void test_current_limit(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->mb.current_limit = 0x80222000;
	begin_needy(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0x80000000);
}

static void test_usable_range(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_needy(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,usable-memory-range", 0xb0000000, MIB(1));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(array_base(m), 0xb0000000);
}

static void test_hotpluggable_last(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int other;

	for (other = 0; other < 2; other++) {
		begin_needy(&t);
		if (other)
			tree_memory(&t, GIB(8), MIB(16));
		tree_node(&t, "memory@80000000");
		tree_string(&t, "device_type", "memory");
		tree_reg(&t, "reg", 0x80000000, GIB(1));
		tree_flag(&t, "hotpluggable");
		tree_end(&t);
		machine_boot(m, tree_finish(&t));
		assert_int_equal(array_base(m), other ? GIB(8) : IMAGE_BASE + IMAGE_SIZE);
		machine_free(m);
		machine_init(m);
	}
}

/* 200 separate reservations and every page of memory taken. */
static void *full_tree(uint64_t n)
{
	struct tree t;
	uint64_t i;

	tree_begin_sized(&t, 2 << 20);
	for (i = 0; i < n; i++)
		tree_memreserve(&t, i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "all", 0x80000000, GIB(1), NULL);
	tree_end(&t);
	return tree_finish(&t);
}

static void test_no_room(void **state)
{
	struct machine *m = *state;

	assert_int_equal(machine_load(m, full_tree(200)), -EMM_ENOSPC);
	assert_true(said(m,
			 "dt: 1 banks and 201 reservations do not fit in 128 and 128 entries, and "
			 "there is no room for larger arrays: try a larger "
			 "INIT_MEMBLOCK_REGIONS"));
	assert_int_equal(m->mb.memory.cnt, 0);
	assert_int_equal(m->mb.reserved.cnt, 0);
	assert_true(memblock_is_valid(&m->mb));
}

/* There might have been too many, but there were not: no reason to give up. */
static void test_no_room_and_no_need(void **state)
{
	struct machine *m = *state;

	machine_boot(m, full_tree(110));
	assert_int_equal(m->mb.reserved_array.size, 0);
	assert_int_equal(count_cause(m, CAUSE_MEMRESERVE), 110);
}

/*
 * no-map over many small things in use: each leaves a piece of its page on either side, so three
 * entries where there was one.
 */
static void test_nomap_over_many_in_use(void **state)
{
	enum { N = 234 };
	struct machine *m = *state;
	struct dt_fixed fixed[N];
	struct tree t;
	uint64_t i;

	for (i = 0; i < N; i++)
		fixed[i] = (struct dt_fixed){ 0x90000400 + i * 0x2000, 0x100, CAUSE_IMAGE, "s" };
	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "all", 0x90000000, N * 0x2000, "no-map");
	tree_end(&t);
	m->fdt = tree_finish(&t);
	assert_int_equal(dt_walk(&m->info, m->fdt, 0, &m->out), 0);
	assert_int_equal(dt_to_memblock(&m->info, m->fdt, TREE_BASE, fixed, N, &m->mb, &m->out), 0);
	assert_true(memblock_is_valid(&m->mb));
	assert_int_equal(count_cause(m, CAUSE_IMAGE), N);
	assert_int_equal(count_cause(m, CAUSE_RESERVED_MEMORY), 2 * N);
	assert_int_equal(m->mb.memory.cnt, 2 * N + 1);
}

static void test_unreachable(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->unreachable = true;
	begin_needy(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	assert_int_equal(machine_load(m, tree_finish(&t)), -EMM_EFAULT);
	assert_true(memblock_is_valid(&m->mb));
	assert_int_equal(m->mb.reserved.cnt, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_right_above_the_image),
		machine_test(test_lowest_gap_that_fits),
		machine_test(test_clear_of_all_claims),
		machine_test(test_further_away),
		machine_test(test_far_away),
		machine_test(test_small_banks_far_apart),
		machine_test(test_gaps_do_not_add_up),
		machine_test(test_gap_across_windows),
		machine_test(test_across_small_banks),
		machine_test(test_not_page_0),
		machine_test(test_current_limit),
		machine_test(test_usable_range),
		machine_test(test_hotpluggable_last),
		machine_test(test_no_room),
		machine_test(test_no_room_and_no_need),
		machine_test(test_nomap_over_many_in_use),
		machine_test(test_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
