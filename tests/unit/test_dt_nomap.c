/* SPDX-License-Identifier: BSD-2-Clause */
/* no-map: memory that is not there, except where it is in use. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY

/* 1 GiB at 0x80000000, and /reserved-memory begun. */
static void begin(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
	tree_reserved(t);
}

static void boot(struct machine *m, struct tree *t)
{
	tree_end(t);
	machine_boot(m, tree_finish(t));
}

/*
 *  90000000     90001000     90002000      pages
 *         |--|                             100 bytes at 90000f00, no-map
 *                     |--|                 100 bytes at 90001f9c, no-map
 *  |=======================|               both pages: no entry is unaligned
 */
static void test_nomap_rounds_outward(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "a", 0x90000f00, 100, "no-map");
	tree_region(&t, "b", 0x90001f9c, 100, "no-map");
	boot(m, &t);
	expect_banks(m, { 0x80000000, MIB(256), 0, 0, 0 },
		     { 0x90000000, 0x2000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x90002000, MIB(768) - 0x2000, 0, 0, 0 });
	expect_none_reserved(m);
	assert_true(is_taken(m, 0x90000000, 0x2000));
}

/*
 *        801f0000   80200000       80220000   80230000
 * image                 |--------------|
 * no-map    |------------------------------------|
 *           |== no-map =|== reserved ==|= no-map =|
 */
static void test_nomap_over_the_image(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->fixed[0].size = 0x1fe00;
	begin(&t);
	tree_region(&t, "bad", 0x801f0000, 0x40000, "no-map");
	boot(m, &t);
	expect_banks(m, { 0x80000000, 0x1f0000, 0, 0, 0 },
		     { 0x801f0000, 0x10000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x80200000, 0x20000, 0, 0, 0 },
		     { 0x80220000, 0x10000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x80230000, GIB(1) - 0x230000, 0, 0, 0 });
	assert_true(said(m,
			 "dt: bad@801f0000: no-map refused for [0x80200000-0x8021ffff], in use by "
			 "image: reserved"));
	assert_int_equal(m->info.nr_nomap_refused, 1);
	assert_int_equal(m->info.nr_overlaps, 0);
	assert_int_equal(m->info.nr_errors, 1);
	/* The rest of the image's last page is not left over for anybody. */
	assert_int_equal(m->mb.reserved.cnt, 3);
	assert_int_equal(m->mb.reserved.regions[0].size, 0x1fe00);
	assert_int_equal(m->mb.reserved.regions[1].base, 0x8021fe00);
	assert_int_equal(m->mb.reserved.regions[1].size, 0x200);
	assert_true(is_taken(m, 0x801f0000, 0x40000));
}

/* As QEMU's icicle machine has it: fw_dynamic puts the tree into a no-map region. */
static void test_nomap_over_the_tree(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "firmware", 0x82200000, 0x10000, "no-map");
	boot(m, &t);
	expect_banks(m, { 0x80000000, 0x2201000, 0, 0, 0 },
		     { 0x82201000, 0xf000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x82210000, GIB(1) - 0x2210000, 0, 0, 0 });
	assert_true(said(m, "no-map refused for [0x82200000-0x82200fff], in use by device tree"));
	assert_true(is_taken(m, 0x82200000, 0x10000));
}

/* Several users, unsorted, inside one region; a stack that touches no page of its own. */
static void test_nomap_over_several_users(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->fixed[1] = (struct dt_fixed){ 0x90001800, 0x1000, CAUSE_IMAGE, "stack 0" };
	m->fixed[2] = (struct dt_fixed){ 0x90004000, 0x1000, CAUSE_IMAGE, "stack 1" };
	m->fixed[3] = (struct dt_fixed){ 0x90002900, 0, CAUSE_IMAGE, "nothing" };
	m->nr_fixed = 4;
	begin(&t);
	tree_region(&t, "bad", 0x90000000, 0x8000, "no-map");
	boot(m, &t);
	expect_banks(m, { 0x80000000, MIB(256), 0, 0, 0 },
		     { 0x90000000, 0x1000, MEMBLOCK_NOMAP, 0, 0 }, { 0x90001000, 0x2000, 0, 0, 0 },
		     { 0x90003000, 0x1000, MEMBLOCK_NOMAP, 0, 0 }, { 0x90004000, 0x1000, 0, 0, 0 },
		     { 0x90005000, 0x3000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x90008000, MIB(768) - 0x8000, 0, 0, 0 });
	assert_true(is_taken(m, 0x90000000, 0x8000));
	assert_int_equal(m->info.nr_nomap_refused, 1);
}

/* no-map takes nothing away from a reservation. */
static void test_nomap_over_reserved(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x90000000, 0x10000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "unmapped", 0x90004000, 0x4000, "no-map");
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x10000, 0, 0, CAUSE_MEMRESERVE });
	expect_banks(m, { 0x80000000, MIB(256) + 0x4000, 0, 0, 0 },
		     { 0x90004000, 0x4000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x90008000, MIB(768) - 0x8000, 0, 0, 0 });
	assert_int_equal(m->info.nr_overlaps, 1);
}

/* One region over several banks and the hole between them. */
static void test_region_over_several_banks(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, MIB(256));
	tree_memory(&t, 0xa0000000, MIB(256));
	tree_memory(&t, 0xc0000000, MIB(256));
	tree_reserved(&t);
	tree_region(&t, "unmapped", 0x8f000000, 0x32000000, "no-map");
	tree_region(&t, "mapped", 0x8e000000, 0x34000000, NULL);
	boot(m, &t);
	expect_banks(m, { 0x80000000, MIB(240), 0, 0, 0 },
		     { 0x8f000000, MIB(16), MEMBLOCK_NOMAP, 0, 0 },
		     { 0xa0000000, MIB(256), MEMBLOCK_NOMAP, 0, 0 },
		     { 0xc0000000, MIB(16), MEMBLOCK_NOMAP, 0, 0 },
		     { 0xc1000000, MIB(240), 0, 0, 0 });
	expect_reserved(m, { 0x8e000000, 0x34000000, 0, 0, RSV });
}

static void test_nomap_with_reusable(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "both");
	tree_reg(&t, "reg", 0x90000000, 0x1000);
	tree_flag(&t, "reusable");
	tree_flag(&t, "no-map");
	tree_end(&t);
	boot(m, &t);
	assert_true(said(m, "dt: both: no-map and reusable exclude each other: kept as no-map"));
	assert_int_equal(m->info.nr_errors, 1);
	assert_true(is_taken(m, 0x90000000, 0x1000));
	assert_false(memblock_is_map_memory(&m->mb, 0x90000000));
}

static void test_several_firmware_regions(void **state)
{
	struct machine *m = *state;
	char name[32];
	struct tree t;

	/* As OpenSBI 1.6 adds them; both count, and neither's name does. */
	begin(&t);
	tree_region(&t, "mmode_resv1", 0x80000000, 0x40000, "no-map");
	tree_region(&t, "mmode_resv0", 0x80040000, 0x20000, "no-map");
	boot(m, &t);
	expect_none_reserved(m);
	expect_banks(m, { 0x80000000, 0x60000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x80060000, GIB(1) - 0x60000, 0, 0, 0 });
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x8005ffff, true, name, sizeof(name)),
			 0);
	assert_string_equal(name, "mmode_resv0@80040000");
	assert_int_equal(m->info.nr_overlaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_nomap_rounds_outward),
		machine_test(test_nomap_over_the_image),
		machine_test(test_nomap_over_the_tree),
		machine_test(test_nomap_over_several_users),
		machine_test(test_nomap_over_reserved),
		machine_test(test_region_over_several_banks),
		machine_test(test_nomap_with_reusable),
		machine_test(test_several_firmware_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
