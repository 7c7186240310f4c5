/* SPDX-License-Identifier: BSD-2-Clause */
/* Who comes first: the order of claims, their overlaps, and what /chosen claims. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY
#define MSV CAUSE_MEMRESERVE

/*
 * Each claim begins inside the one before it: a byte keeps the cause that it had first.
 *
 *           80200000 8021f000 80220000 80220800 80221000 80222000 ...
 * image          |-----------------|
 * tree                    |--- ... (1000 bytes and more, at 8021f000)
 * initrd: none of the others may touch it
 */
static void test_order(void **state)
{
	static const char pad[0x1000];
	struct machine *m = *state;
	struct tree t;
	phys_addr_t end;

	m->fdt_pa = 0x8021f000;
	tree_begin(&t);
	tree_memreserve(&t, 0x8021f000, 0x3000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,elfcorehdr", 0x80221000, 0x2000);
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_u64(&t, "linux,initrd-end", 0x88001000);
	tree_bytes(&t, "pad", pad, sizeof(pad));
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "static", 0x80200000, 0x24000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	end = 0x8021f000 + m->info.totalsize;
	assert_true(end > 0x80220000 && end < 0x80221000);
	expect_regions(&m->mb.reserved,
		       (const struct want[]){ { 0x80200000, 0x20000, 0, 0, CAUSE_IMAGE },
					      { 0x80220000, end - 0x80220000, 0, 0, CAUSE_FDT },
					      { end, 0x80222000 - end, 0, 0, MSV },
					      { 0x80222000, 0x1000, 0, 0, CAUSE_OTHER },
					      { 0x80223000, 0x1000, 0, 0, RSV },
					      { 0x88000000, 0x1000, 0, 0, CAUSE_INITRD } },
		       6, __FILE__, __LINE__);
}

static void test_memreserve(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x91000001, 0x123);
	tree_memreserve(&t, 0, 0x1000);
	tree_memreserve(&t, 0xfffffffffffff000, 0x2000);
	tree_memreserve(&t, 0x90000000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	expect_reserved(m, { 0, 0x1000, 0, 0, MSV }, { 0x90000000, 0x1000, 0, 0, MSV },
			{ 0x91000001, 0x123, 0, 0, MSV }, { 0xfffffffffffff000, 0xfff, 0, 0, MSV });
	assert_string_equal(m->text,
			    "dt: /memreserve/: the entry at 0xfffffffffffff000 passes 2^64 "
			    "and is cut there\n");
	assert_int_equal(m->info.nr_errors, 1);
}

/* It ends where addresses do: that is no error. */
static void test_memreserve_up_to_the_top(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0xfffffffffffff000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	expect_reserved(m, { 0xfffffffffffff000, 0xfff, 0, 0, MSV });
	assert_string_equal(m->text, "");
}

/* The same range in /memreserve/ and in a node, both mapped and no-map. */
static void test_memreserve_and_node(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x90000000, 0x1000);
	tree_memreserve(&t, 0x91000000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "mapped", 0x90000000, 0x1000, NULL);
	tree_region(&t, "unmapped", 0x91000000, 0x1000, "no-map");
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, MSV }, { 0x91000000, 0x1000, 0, 0, MSV });
	assert_false(memblock_is_map_memory(&m->mb, 0x91000000));
	assert_true(said(m, "dt: mapped@90000000 [0x90000000-0x90000fff] overlaps /memreserve/ "
			    "[0x90000000-0x90000fff]\n"));
	assert_int_equal(m->info.nr_overlaps, 2);
}

/* Loaders reserve the tree and the initrd themselves; that is nothing to report. */
static void test_own_memreserve_entries(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, TREE_BASE, 0x1000);
	tree_memreserve(&t, 0x88000000, 0x1234);
	tree_memreserve(&t, IMAGE_BASE, IMAGE_SIZE);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_u64(&t, "linux,initrd-end", 0x88001234);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.nr_overlaps, 0);
	assert_int_equal(m->info.initrd_size, 0x1234);
}

/*
 * Sorted by address, by name, the first four, then a count:
 *
 *  r0 |-----------------------------------------------|
 *  r6   |--|  r5   |--|  r4   |--|  r3   |--|  r2   |--|  (in the tree's order: r1 … r6)
 */
static void test_overlaps(void **state)
{
	struct machine *m = *state;
	const char *lines[] = { "r6@90100000", "r5@90200000", "r4@90300000", "r3@90400000" };
	const char *at = m->text;
	char name[8];
	struct tree t;
	uint64_t i;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "r0", 0x90000000, MIB(8), NULL);
	for (i = 1; i <= 6; i++) {
		snprintf(name, sizeof(name), "r%d", (int)i);
		tree_region(&t, name, 0x90700000 - (i << 20), 0x1000, NULL);
	}
	tree_region(&t, "apart", 0x91000000, 0x1000, NULL);
	tree_region(&t, "touches", 0x91001000, 0x1000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_reserved(m, { 0x90000000, MIB(8), 0, 0, RSV }, { 0x91000000, 0x2000, 0, 0, RSV });
	assert_int_equal(m->info.nr_overlaps, 6);
	for (i = 0; i < 4; i++) {
		at = strstr(at, lines[i]);
		assert_non_null(at);
	}
	assert_true(said(m, "dt: r6@90100000 [0x90100000-0x90100fff] overlaps r0@90000000 "
			    "[0x90000000-0x907fffff]\n"));
	assert_int_equal(times_said(m, " overlaps r0@90000000"), 4);
	assert_true(said(m, "dt: 2 more overlaps\n"));
	assert_int_equal(m->info.nr_errors, 0);
}

/* no-map over no-map, mapped over no-map, two entries of one node, by the page for no-map. */
static void test_overlaps_with_nomap(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "a", 0x90000000, 0x2000, "no-map");
	tree_region(&t, "b", 0x90001000, 0x2000, "no-map");
	tree_region(&t, "c", 0x90002f00, 0x10, NULL);
	tree_node(&t, "d");
	tree_reg(&t, "reg", 0x91000100, 0x100, 0x91000200, 0x100);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(m->info.nr_overlaps, 3);
	assert_true(said(m, "b@90001000 [0x90001000-0x90002fff] overlaps a@90000000"));
	assert_true(said(m, "c@90002f00 [0x90002f00-0x90002f0f] overlaps b@90001000"));
	assert_true(said(m, "d [0x91000000-0x91000fff] overlaps d [0x91000000-0x91000fff]"));
	assert_true(is_taken(m, 0x90000000, 0x3000));
	expect_reserved(m, { 0x90002f00, 0x10, 0, 0, RSV });
}

static void test_static_over_the_image_and_the_tree(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "low", 0x80210000, 0x8000, NULL);
	tree_region(&t, "tree", TREE_BASE, 0x10, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_none_reserved(m);
	assert_true(said(m, "low@80210000 [0x80210000-0x80217fff] overlaps image"));
	assert_true(said(m, "tree@82200000 [0x82200000-0x8220000f] overlaps device tree"));
}

/* The cleared bss would have hit it. */
static void test_tree_inside_the_image(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->fdt_pa = IMAGE_BASE + 0x1000;
	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	assert_true(said(m, "dt: device tree [0x80201000-"));
	assert_int_equal(m->info.nr_overlaps, 1);
}

static void test_image_outside_memory(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->fixed[1] = (struct dt_fixed){ 0x70000000, 0x1000, CAUSE_IMAGE, "stacks" };
	m->nr_fixed = 2;
	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	assert_true(said(m, "dt: stacks [0x70000000-0x70000fff] is not in the memory that the tree "
			    "has"));
	assert_int_equal(times_said(m, "is not in the memory"), 1);
	expect_reserved(m, { 0x70000000, 0x1000, 0, 0, CAUSE_IMAGE });
}

/* ---- /chosen ---- */

static void test_elfcorehdr_malformed(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,elfcorehdr", 0x88000000);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_true(said(m, "linux,elfcorehdr has 8 bytes, ignored"));
	expect_none_reserved(m);
}

static void test_seeds_are_wiped(void **state)
{
	static const char zeros[32];
	struct machine *m = *state;
	struct tree t;
	const char *value;
	char before[4096];
	uint32_t size;
	int len, node;
	void *fdt;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "before");
	tree_bytes(&t, "rng-seed", "0123456789abcdef0123456789abcdef", 32);
	tree_u64(&t, "kaslr-seed", 0x0123456789abcdef);
	tree_string(&t, "stdout-path", "after");
	tree_end(&t);
	fdt = tree_finish(&t);
	size = fdt_totalsize(fdt);
	assert_true(size <= sizeof(before));
	memcpy(before, fdt, size);
	machine_boot(m, fdt);
	assert_int_equal(m->info.nr_seed_bytes, 40);
	node = fdt_path_offset(fdt, "/chosen");
	value = fdt_getprop(fdt, node, "rng-seed", &len);
	assert_int_equal(len, 32);
	assert_memory_equal(value, zeros, 32);
	memcpy(before + (value - (char *)fdt), zeros, 32);
	value = fdt_getprop(fdt, node, "kaslr-seed", &len);
	assert_memory_equal(value, zeros, 8);
	memcpy(before + (value - (char *)fdt), zeros, 8);
	/* And nothing else has changed. */
	assert_memory_equal(fdt, before, size);
}

/* A tree that is wrong in a thousand places does not talk for ever. */
static void test_messages_are_bounded(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int i;

	tree_begin_sized(&t, 1 << 20);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	for (i = 0; i < 1000; i++) {
		tree_node(&t, "nothing");
		tree_end(&t);
	}
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(times_said(m, "\n"), DT_MAX_LINES + 1);
	assert_true(said(m, "dt: 976 more messages not shown\n"));
	assert_int_equal(m->info.nr_errors, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_order),
		machine_test(test_memreserve),
		machine_test(test_memreserve_up_to_the_top),
		machine_test(test_memreserve_and_node),
		machine_test(test_own_memreserve_entries),
		machine_test(test_overlaps),
		machine_test(test_overlaps_with_nomap),
		machine_test(test_static_over_the_image_and_the_tree),
		machine_test(test_tree_inside_the_image),
		machine_test(test_image_outside_memory),
		machine_test(test_elfcorehdr_malformed),
		machine_test(test_seeds_are_wiped),
		machine_test(test_messages_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
