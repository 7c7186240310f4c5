/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trees that Linux 6.12 dies of, misreads or obeys to its harm, measured on riscv64, each from the
 * tree to the handover: what must be kept is kept, nothing is lost, and the user is told.
 */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY

static void begin(struct tree *t)
{
	tree_begin_sized(t, 65536);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
}

/* The tree up to its end, the map, the handover. */
static void boot(struct machine *m, struct tree *t, struct mm_audit *audit)
{
	machine_boot(m, tree_finish(t));
	machine_place(m);
	machine_hand_over(m, audit);
	expect_kept(m, m->fixed[0].base, m->fixed[0].size);
	expect_kept(m, m->fdt_pa, m->info.totalsize);
	check_arrays(m);
}

/* ---- 1: too many ranges. Linux: a panic before the console is there. ---- */

static void hard_case_1_124_reserved_nodes(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	uint64_t i;

	begin(&t);
	tree_reserved(&t);
	for (i = 0; i < 124; i++)
		tree_region(&t, "r", 0x90000000 + i * 0x10000, 0x1000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	assert_int_equal(audit.reserved[RSV], 124);
	for (i = 0; i < 124; i++)
		expect_kept(m, 0x90000000 + i * 0x10000, 0x1000);
}

static void hard_case_1_60_nomap_nodes(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	uint64_t i;

	begin(&t);
	tree_reserved(&t);
	for (i = 0; i < 60; i++)
		tree_region(&t, "r", 0x90000000 + i * 0x10000, 0x1000, "no-map");
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 60);
	for (i = 0; i < 60; i++) {
		expect_kept(m, 0x90000000 + i * 0x10000, 0x1000);
		assert_false(memblock_is_map_memory(&m->mb, 0x90000000 + i * 0x10000));
	}
}

static void hard_case_1_127_banks(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	uint64_t i;

	tree_begin_sized(&t, 65536);
	tree_root(&t, 2);
	for (i = 0; i < 127; i++)
		tree_memory(&t, 0x80000000 + i * MIB(64), MIB(63));
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	assert_int_equal(m->mb.memory.cnt, 127);
	assert_int_equal(audit.present, 127 * MIB(63) / PAGE_SIZE);
}

/* ---- 2: /reserved-memory that Linux ignores, and all that it protects. ---- */

static void hard_case_2_no_ranges(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_node(&t, "reserved-memory");
	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 2);
	tree_region(&t, "mmode_resv0", 0x80000000, 0x80000, NULL);
	tree_region(&t, "mmode_resv1", 0x80080000, 0x40000, "no-map");
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: reserved-memory: no ranges, its children count all the "
				     "same\n");
	expect_kept(m, 0x80000000, 0xc0000);
	assert_int_equal(audit.reserved[RSV], 0x80);
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 0x40);
}

/* One cell in the node, two in the root; OpenSBI adds its own with the root's. */
static void hard_case_2_other_cells_than_the_root(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_cells(&t, 1, 1);
	tree_reserved(&t);
	tree_region(&t, "own", 0x90000000, 0x1000, NULL);
	tree_cells(&t, 2, 2);
	tree_region(&t, "mmode_resv0", 0x80000000, 0x80000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text,
			    "dt: reserved-memory: 1 and 1 cells where the root has 2 and 2, its "
			    "own are used\n"
			    "dt: mmode_resv0@80000000: its reg has the root's cells, which are "
			    "used\n");
	expect_kept(m, 0x80000000, 0x80000);
	expect_kept(m, 0x90000000, 0x1000);
	assert_int_equal(audit.reserved[RSV], 0x81);
}

/* ---- 3: a dynamic region over what lives in memory. ---- */

/*
 *  b0000000 b0100000 b0200000 b0300000 b0400000 b0500000 b0600000 b0700000 b0800000 b0900000
 *     |--------|--------|--------|--------|--------|--------|--------|--------|--------|
 *       image    initrd   tree    memresrv elfcore   static   no-map  =second=  =first=
 *
 * A MiB each, and in each of them something is taken: of the three that want one, two get one.
 */
static void hard_case_3_dynamic_over_tree_and_memreserve(void **state)
{
	const uint32_t flags = DT_REGION_DYNAMIC;
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	int i;

	m->fixed[0].base = 0xb0000000;
	m->fdt_pa = 0xb0280000;
	tree_begin(&t);
	tree_memreserve(&t, 0xb03ff000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0xb0100800);
	tree_u64(&t, "linux,initrd-end", 0xb0101800);
	tree_reg(&t, "linux,elfcorehdr", 0xb0480000, 1);
	tree_end(&t);
	tree_reserved(&t);
	for (i = 0; i < 3; i++) {
		tree_dynamic(&t, i == 0 ? "first" : i == 1 ? "second" : "third", MIB(1), MIB(1));
		tree_reg(&t, "alloc-ranges", 0xb0000000, MIB(9));
		tree_end(&t);
	}
	tree_region(&t, "static", 0xb05fffff, 1, NULL);
	tree_region(&t, "unmapped", 0xb0600000, 1, "no-map");
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: third: not placed: no 0x100000 bytes aligned to 0x100000 "
				     "are free in [0xb0000000-0xb08fffff]\n");
	expect_region(m, "first", 0xb0800000, MIB(1), flags);
	expect_region(m, "second", 0xb0700000, MIB(1), flags);
	assert_int_equal(m->info.nr_dynamic_failed, 1);
	expect_kept(m, 0xb0100800, 0x1000);
	expect_kept(m, 0xb03ff000, 0x1000);
	expect_kept(m, 0xb0480000, 1);
	expect_kept(m, 0xb05fffff, 2);
	expect_kept(m, 0xb0700000, MIB(2));
	assert_int_equal(audit.reserved[CAUSE_INITRD], 2);
	assert_int_equal(audit.reserved[CAUSE_MEMRESERVE], 1);
	assert_int_equal(audit.reserved[RSV], 513);
}

/* ---- 4: an alignment that is none. Linux: accepted, and silently misaligned. ---- */

static void hard_case_4_alignment_of_3_mib(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_dynamic(&t, "three", MIB(3), MIB(3));
	tree_end(&t);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: three: alignment is not a power of two: it will not be "
				     "placed\n");
	assert_int_equal(m->info.nr_regions, 0);
	assert_int_equal(audit.reserved[RSV], 0);
}

/* ---- 5: no-map over the kernel. Linux: refused, but still recorded as no-map. ---- */

static void hard_case_5_nomap_over_the_image(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_region(&t, "bad", 0x80210000, 0x20000, "no-map");
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: bad@80210000: no-map refused for "
				     "[0x80210000-0x8021ffff], in use by image: reserved\n");
	assert_true(memblock_is_map_memory(&m->mb, 0x8021ffff));
	assert_false(memblock_is_map_memory(&m->mb, 0x80220000));
	expect_kept(m, 0x80210000, 0x20000);
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 0x10);
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 0x20);
}

/* ---- 6: a reg that wraps 2^64. ---- */

static void hard_case_6_reg_that_wraps(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_region(&t, "mapped", 0xb0000000, ~0ULL, NULL);
	tree_region(&t, "unmapped", 0xa0000000, 0xffffffff60000001, "no-map");
	tree_region(&t, "top", 0xfffffffffff00000, 0x100000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_int_equal(times_said(m, " passes 2^64 and is cut there\n"), 2);
	assert_true(said(m, "dt: mapped@b0000000: the entry at 0xb0000000 passes 2^64 and is cut "
			    "there\n"));
	assert_true(said(m, "dt: unmapped@a0000000: the entry at 0xa0000000 passes 2^64"));
	expect_kept(m, 0xa0000000, 0x20000000);
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 0x20000);
	machine_again(m);

	/* And a bank that does. */
	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_memory(&t, 0xfffffffffff00000, MIB(2));
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: memory@fffffffffff00000: the entry at 0xfffffffffff00000 "
				     "passes 2^64 and is cut there\n");
	assert_int_equal(audit.present, GIB(1) / PAGE_SIZE + 0xff);
}

/* ---- 7: no-map of a part of a page. Linux: unaligned memory entries. ---- */

static void hard_case_7_nomap_of_100_bytes(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_region(&t, "bytes", 0x90000f9c, 100, "no-map");
	tree_region(&t, "two", 0x91000fff, 2, "no-map");
	tree_dynamic(&t, "size", 100, 0);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	expect_banks(m, { 0x80000000, 0x10000000, 0, 0, 0 },
		     { 0x90000000, 0x1000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x90001000, 0xfff000, 0, 0, 0 },
		     { 0x91000000, 0x2000, MEMBLOCK_NOMAP, 0, 0 },
		     { 0x91002000, 0x2effd000, 0, 0, 0 },
		     { 0xbffff000, 0x1000, MEMBLOCK_NOMAP, 0, 0 });
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 4);
	assert_int_equal(audit.reserved[CAUSE_PARTIAL], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(hard_case_1_124_reserved_nodes),
		machine_test(hard_case_1_60_nomap_nodes),
		machine_test(hard_case_1_127_banks),
		machine_test(hard_case_2_no_ranges),
		machine_test(hard_case_2_other_cells_than_the_root),
		machine_test(hard_case_3_dynamic_over_tree_and_memreserve),
		machine_test(hard_case_4_alignment_of_3_mib),
		machine_test(hard_case_5_nomap_over_the_image),
		machine_test(hard_case_6_reg_that_wraps),
		machine_test(hard_case_7_nomap_of_100_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
