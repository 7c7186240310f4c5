/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What public bug reports tell of: each as a tree, from there to the handover. What must be kept is
 * kept, nothing is lost, and the user is told.
 */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY
#define MSV CAUSE_MEMRESERVE
#define DYN DT_REGION_DYNAMIC

static void begin(struct tree *t)
{
	tree_begin_sized(t, 65536);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
}

/* The rest of the way from the map to the handover. */
static void finish(struct machine *m, struct mm_audit *audit)
{
	machine_place(m);
	machine_hand_over(m, audit);
	expect_kept(m, m->fixed[0].base, m->fixed[0].size);
	expect_kept(m, m->fdt_pa, m->info.totalsize);
	check_arrays(m);
}

static void boot(struct machine *m, struct tree *t, struct mm_audit *audit)
{
	machine_boot(m, tree_finish(t));
	finish(m, audit);
}

/* A dynamic child that must lie in [base, base + size). */
static void dynamic_in(struct tree *t, const char *name, uint64_t bytes, uint64_t base,
		       uint64_t size)
{
	tree_dynamic(t, name, bytes, 0);
	tree_reg(t, "alloc-ranges", base, size);
	tree_end(t);
}

/*
 * Firmware that the tree does not have: the caller knows of it, as of its image. Neither arrays,
 * nor a dynamic region, nor metadata go there; the arrays go above the image.
 */
static void hard_case_report_firmware_not_in_the_tree(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	uint64_t i;

	m->fixed[1] = (struct dt_fixed){ 0x80000000, 0x200000, CAUSE_OTHER, "firmware" };
	m->nr_fixed = 2;
	begin(&t);
	tree_reserved(&t);
	dynamic_in(&t, "there", 0x1000, 0x80000000, 0x200000);
	for (i = 0; i < 200; i++)
		tree_region(&t, "r", 0x90000000 + i * 0x10000, 0x1000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: there: not placed: no 0x1000 bytes aligned to 0x1000 are "
				     "free in [0x80000000-0x801fffff]\n");
	assert_int_equal(m->mb.reserved_array.base, IMAGE_BASE + IMAGE_SIZE);
	expect_kept(m, 0x80000000, 0x200000);
	assert_int_equal(audit.reserved[CAUSE_OTHER], 0x200);
}

/* OpenSBI adds one for each of its ranges; all of them count, and none by its name. */
static void hard_case_report_several_mmode_resv(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_region(&t, "mmode_resv1", 0x80000000, 0x40000, "no-map");
	tree_region(&t, "mmode_resv0", 0x80040000, 0x20000, "no-map");
	tree_region(&t, "mmode_resv0", 0x80100000, 0x10000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	expect_kept(m, 0x80000000, 0x60000);
	expect_kept(m, 0x80100000, 0x10000);
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 0x60);
	assert_int_equal(audit.reserved[RSV], 0x10);
}

static void hard_case_report_memreserve_and_node(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x90000000, 0x10000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "firmware", 0x90000000, 0x10000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: firmware@90000000 [0x90000000-0x9000ffff] overlaps "
				     "/memreserve/ [0x90000000-0x9000ffff]\n");
	expect_kept(m, 0x90000000, 0x10000);
	assert_int_equal(audit.reserved[MSV], 0x10);
}

/*
 *   90000000  90001000  90002000  90003000  90004000
 *      |-------- a -------|
 *                |--------- b --------|
 *                          |-c-|
 *      |============ the union =======|
 */
static void hard_case_report_overlapping_static_nodes(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_region(&t, "a", 0x90000000, 0x2000, NULL);
	tree_region(&t, "b", 0x90001000, 0x2000, NULL);
	tree_region(&t, "c", 0x90002000, 0x800, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: b@90001000 [0x90001000-0x90002fff] overlaps a@90000000 "
				     "[0x90000000-0x90001fff]\n"
				     "dt: c@90002000 [0x90002000-0x900027ff] overlaps b@90001000 "
				     "[0x90001000-0x90002fff]\n");
	expect_kept(m, 0x90000000, 0x3000);
	assert_int_equal(audit.reserved[RSV], 3);
}

static void hard_case_report_initrd_that_overlaps(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_node(&t, "chosen");
	tree_u32(&t, "linux,initrd-start", 0x88000000);
	tree_u32(&t, "linux,initrd-end", 0x88100000);
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "secure", 0x880ff000, 0x10000, "no-map");
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: initrd [0x88000000-0x880fffff] disabled: overlaps no-map "
				     "secure@880ff000 [0x880ff000-0x8810efff]\n");
	assert_int_equal(m->info.initrd_size, 0);
	expect_kept(m, 0x880ff000, 0x10000);
	assert_int_equal(audit.reserved[CAUSE_INITRD], 0);
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 0x10);
	assert_true(buddy_page_is_free(&m->mm.buddy, 0x88000));
}

/* Its last page is a page like any other: to be had, or to be reserved. */
static void hard_case_report_ram_up_to_4g(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	int cells, taken;

	for (cells = 1; cells <= 2; cells++) {
		for (taken = 0; taken < 2; taken++) {
			tree_begin(&t);
			tree_root(&t, cells);
			tree_memory(&t, 0x80000000, GIB(2));
			tree_reserved(&t);
			if (taken)
				tree_region(&t, "last", 0xfffff000, 0x1000, NULL);
			tree_end(&t);
			boot(m, &t, &audit);
			assert_string_equal(m->text, "");
			assert_int_equal(audit.present, GIB(2) / PAGE_SIZE);
			assert_int_equal(buddy_page_is_free(&m->mm.buddy, 0xfffff), !taken);
			assert_int_equal(audit.reserved[RSV], taken);
			machine_again(m);
		}
	}
}

/* There the very last page cannot be used: its end is no number. */
static void hard_case_report_ram_up_to_the_top(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_memory(&t, 0xfffffffff0000000, 0x10000000);
	tree_reserved(&t);
	tree_region(&t, "last", 0xffffffffffffe000, 0x2000, NULL);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	assert_int_equal(audit.present, GIB(1) / PAGE_SIZE + 0xffff);
	assert_int_equal(audit.reserved[RSV], 1);
	assert_false(buddy_page_is_free(&m->mm.buddy, 0xffffffffffffe));
	assert_true(buddy_page_is_free(&m->mm.buddy, 0xffffffffffffd));
}

static void hard_case_report_only_the_first_memory_node(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_memory(&t, 0x1000000000, GIB(1));
	tree_node(&t, "soc");
	tree_end(&t);
	tree_node(&t, "ddr");
	tree_string(&t, "device_type", "memory");
	tree_reg(&t, "reg", 0x2000000000, MIB(64), 0x3000000000, MIB(64));
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	assert_int_equal(audit.present, (GIB(2) + MIB(128)) / PAGE_SIZE);
}

/* The caller finds that the upper half is not there, and cuts the map: what lay there is told. */
static void hard_case_report_more_ram_than_there_is(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0x9ffff000);
	tree_u64(&t, "linux,initrd-end", 0xa0001000);
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "low", 0x90000000, 0x1000, NULL);
	tree_region(&t, "high", 0xa8000000, 0x1000, NULL);
	tree_dynamic(&t, "size", MIB(1), 0);
	tree_end(&t);
	dynamic_in(&t, "beyond", MIB(1), 0xa0000000, MIB(64));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	memblock_enforce_memory_limit(&m->mb, MIB(512));
	assert_int_equal(dt_recheck_initrd(&m->info, m->fdt, &m->mb, &m->out), 0);
	finish(m, &audit);
	assert_string_equal(m->text, "dt: initrd [0x9ffff000-0xa0000fff] disabled: not in the "
				     "memory that is left\n"
				     "dt: beyond: not placed: no 0x100000 bytes aligned to 0x1000 "
				     "are free in [0xa0000000-0xa3ffffff]\n");
	expect_region(m, "size", 0x9ff00000, MIB(1), DYN);
	assert_int_equal(audit.present, MIB(512) / PAGE_SIZE);
	assert_int_equal(audit.reserved[RSV], 257);
	assert_int_equal(audit.reserved[CAUSE_INITRD], 0);
}

/* Memory from 0 on: frame 0 goes to no array, no region, no metadata, and not to the buddy. */
static void hard_case_report_frame_0(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	uint64_t i;

	m->fixed[0].base = 0x200000;
	m->fdt_pa = 0x400000;
	tree_begin(&t);
	for (i = 0; i < 200; i++)
		tree_memreserve(&t, GIB(1) + i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0, MIB(64));
	tree_reserved(&t);
	dynamic_in(&t, "zero", 0x1000, 0, 0x1000);
	dynamic_in(&t, "one", 0x1000, 0, 0x2000);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: zero: not placed: no 0x1000 bytes aligned to 0x1000 are "
				     "free in [0x0-0xfff]\n");
	expect_region(m, "one", 0x1000, 0x1000, DYN);
	expect_kept(m, 0, 0x2000);
	assert_true(m->mm.meta_pa >= 0x2000);
	assert_true(m->mb.reserved_array.base >= 0x2000);
}

/*
 * Metadata goes as low as it fits. Every low place is taken by something that lives there, each
 * with a free page or two beside it:
 *
 *   80000000     80008000    8000a000  8000c000  8000e000 80010000 ...
 *      |firmware|    |memresrv|   |elfcore|  |initrd|  |no-map|   |dynamic|
 */
static void hard_case_report_metadata_on_live_data(void **state)
{
	static const phys_addr_t live[] = { 0x80000000, 0x80008000, 0x8000a000,
					    0x8000c000, 0x8000e000, 0x80010000 };
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	size_t i;

	tree_begin(&t);
	tree_memreserve(&t, 0x80008000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,elfcorehdr", 0x8000a000, 0x1000);
	tree_u64(&t, "linux,initrd-start", 0x8000c000);
	tree_u64(&t, "linux,initrd-end", 0x8000d000);
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "firmware", 0x80000000, 0x1000, NULL);
	tree_region(&t, "unmapped", 0x8000e000, 0x1000, "no-map");
	dynamic_in(&t, "dynamic", 0x1000, 0x80010000, 0x1000);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "");
	assert_true(m->mm.meta_bytes > 0x7000);
	assert_int_equal(m->mm.meta_pa, 0x80011000);
	for (i = 0; i < ARRAY_SIZE(live); i++)
		expect_kept(m, live[i], 0x1000);
	expect_kept(m, m->mm.meta_pa, m->mm.meta_bytes);
}

/* Fills @type up with entries that touch nothing, from @base on. */
static void fill(struct machine *m, struct memblock_type *type, phys_addr_t base)
{
	bool reserved = type == &m->mb.reserved;

	for (; type->cnt < type->max; base += 0x2000)
		assert_int_equal(reserved ? memblock_reserve(&m->mb, base, 0x1000)
					  : memblock_add(&m->mb, base, 0x1000),
				 0);
}

/*
 * The place that a region gets is the one that the larger array would have taken: it must be kept
 * clear of while the region is being recorded.
 */
static void hard_case_report_growth_into_the_range(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	int nomap;

	for (nomap = 0; nomap < 2; nomap++) {
		begin(&t);
		tree_reserved(&t);
		tree_dynamic(&t, "d", 0x1000, 0x2000);
		if (nomap)
			tree_flag(&t, "no-map");
		tree_end(&t);
		tree_end(&t);
		machine_boot(m, tree_finish(&t));
		/* Memory's last entry must not be the one that the region is placed in. */
		fill(m, nomap ? &m->mb.memory : &m->mb.reserved, 0x10000000);
		finish(m, &audit);
		assert_string_equal(m->text, "");
		expect_region(m, "d", 0xbfffe000, 0x1000, DYN | (nomap ? DT_REGION_NOMAP : 0));
		assert_true((nomap ? &m->mb.memory_array : &m->mb.reserved_array)->size > 0);
		expect_kept(m, 0xbfffe000, 0x1000);
		assert_int_equal(audit.reserved[nomap ? CAUSE_NOMAP : RSV], 1);
		machine_again(m);
	}
}

/* The same without leave to grow: said, and nothing has changed. */
static void hard_case_report_growth_not_allowed(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_dynamic(&t, "d", 0x1000, 0x2000);
	tree_end(&t);
	/* What d could not have is still free for what needs no entry of the array that is full. */
	tree_dynamic(&t, "e", 0x1000, 0x2000);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	fill(m, &m->mb.reserved, 0x10000000);
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, m->regions, 2, &m->out), 0);
	assert_true(said(m, "dt: d: not placed: 0x1000 bytes aligned to 0x2000 at 0xbfffe000: "));
	assert_int_equal(m->info.nr_dynamic_failed, 1);
	assert_int_equal(m->mb.reserved.cnt, m->mb.reserved.max);
	expect_region(m, "e", 0xbfffe000, 0x1000, DYN | DT_REGION_NOMAP);
	assert_true(memblock_is_valid(&m->mb));
}

/* A reservation is split in two by what is freed in its middle, and the array is full. */
static void hard_case_report_freeing_that_grows(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	begin(&t);
	tree_reserved(&t);
	tree_region(&t, "r", 0x90000000, 0x3000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	fill(m, &m->mb.reserved, 0x10000000);
	memblock_allow_resize(&m->mb);
	assert_int_equal(memblock_free(&m->mb, 0x90001000, 0x1000), 0);
	assert_true(m->mb.reserved_array.size > 0);
	finish(m, &audit);
	assert_string_equal(m->text, "");
	assert_int_equal(audit.reserved[RSV], 2);
	assert_true(buddy_page_is_free(&m->mm.buddy, 0x90001));
	machine_again(m);

	/* An initrd that goes leaves its entry to what /memreserve/ has of it: no growth is needed. */
	tree_begin(&t);
	tree_memreserve(&t, 0x88000100, 0x100);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_u64(&t, "linux,initrd-end", 0x88000400);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	fill(m, &m->mb.reserved, 0x10000000);
	assert_int_equal(memblock_remove(&m->mb, 0x88000000, 0x1000), 0);
	assert_int_equal(dt_recheck_initrd(&m->info, m->fdt, &m->mb, &m->out), 0);
	assert_true(said(m, "disabled: not in the memory that is left"));
	assert_true(memblock_is_region_reserved(&m->mb, 0x88000100, 0x100));
	assert_false(memblock_is_region_reserved(&m->mb, 0x88000000, 0x100));
}

/* All of it is reserved: an error with its remedy, not a hang, and nothing half done. */
static void hard_case_report_no_room_for_metadata(void **state)
{
	struct machine *m = *state;
	struct mm mm;
	struct tree t;
	uint64_t i;

	/* For memblock's own arrays. */
	tree_begin(&t);
	for (i = 0; i < 200; i++)
		tree_memreserve(&t, i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "all", 0x80000000, GIB(1), NULL);
	tree_end(&t);
	assert_int_equal(machine_load(m, tree_finish(&t)), -EMM_ENOSPC);
	assert_true(said(m, "1 banks and 201 reservations do not fit in 128 and 128 entries, and "
			    "there is no room for larger arrays: try a larger "
			    "INIT_MEMBLOCK_REGIONS\n"));
	assert_int_equal(m->mb.memory.cnt + m->mb.reserved.cnt, 0);
	machine_again(m);

	/* For the page allocator's: a dynamic region has taken what the others left. */
	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "low", 0x80000000, 0x2210000, NULL);
	tree_dynamic(&t, "rest", GIB(1) - 0x2210000, 0);
	tree_end(&t);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	machine_place(m);
	expect_region(m, "rest", 0x82210000, GIB(1) - 0x2210000, DYN);
	assert_int_equal(mm_plan(&mm, &m->mb, 0, PFN_DOWN(PHYS_ADDR_MAX), 1), 0);
	assert_int_equal(mm_place_metadata(&mm, &m->mb), -EMM_ENOMEM);
	assert_true(memblock_is_valid(&m->mb));
}

/* A board of 64 MiB: another core's memory at its end, a CMA area that must lie in its middle. */
static void hard_case_report_64_mib(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;

	m->fdt_pa = 0x81000000;
	tree_begin(&t);
	tree_root(&t, 1);
	tree_memory(&t, 0x80000000, MIB(64));
	tree_reserved(&t);
	tree_region(&t, "mmode_resv0", 0x80000000, 0x80000, "no-map");
	tree_region(&t, "rtos", 0x83f40000, 0xc0000, "no-map");
	tree_node(&t, "linux,cma");
	tree_pool(&t);
	tree_flag(&t, "reusable");
	tree_flag(&t, "linux,cma-default");
	tree_u32(&t, "size", 0x1300000);
	tree_u32(&t, "alignment", 0x2000);
	tree_reg(&t, "alloc-ranges", 0x80000000, MIB(64));
	tree_end(&t);
	tree_end(&t);
	boot(m, &t, &audit);
	assert_string_equal(m->text, "dt: linux,cma: a CMA area must be a multiple of 0x200000: "
				     "size 0x1300000 is rounded up to 0x1400000\n");
	expect_region(m, "linux,cma", 0x82a00000, 0x1400000,
		      DYN | DT_REGION_REUSABLE | DT_REGION_DMA_POOL | DT_REGION_LENDABLE |
			      DT_REGION_CMA | DT_REGION_CMA_DEFAULT);
	assert_int_equal(audit.present, 16384);
	assert_int_equal(audit.reserved[CAUSE_NOMAP], 0x80 + 0xc0);
	assert_int_equal(audit.reserved[RSV], 0x1400);
	expect_kept(m, 0x82a00000, 0x1400000);
}

/*
 *   80000000   90000000   a0000000   b0000000   c0000000   d0000000
 *      |- bank 0 -|           |- bank 1 -|           |- bank 2 -|
 *            |--------------------- region --------------|
 */
static void hard_case_report_region_over_several_banks(void **state)
{
	struct machine *m = *state;
	struct mm_audit audit;
	struct tree t;
	int nomap;

	for (nomap = 0; nomap < 2; nomap++) {
		tree_begin(&t);
		tree_root(&t, 2);
		tree_memory(&t, 0x80000000, MIB(256));
		tree_memory(&t, 0xa0000000, MIB(256));
		tree_memory(&t, 0xc0000000, MIB(256));
		tree_reserved(&t);
		tree_region(&t, "wide", 0x8f000000, 0x32000000, nomap ? "no-map" : NULL);
		tree_end(&t);
		boot(m, &t, &audit);
		assert_string_equal(m->text, "");
		assert_int_equal(audit.reserved[nomap ? CAUSE_NOMAP : RSV],
				 (MIB(16) + MIB(256) + MIB(16)) / PAGE_SIZE);
		assert_true(buddy_page_is_free(&m->mm.buddy, 0x8efff));
		expect_kept(m, 0x8f000000, 0x32000000);
		assert_true(buddy_page_is_free(&m->mm.buddy, 0xc1000));
		machine_again(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(hard_case_report_firmware_not_in_the_tree),
		machine_test(hard_case_report_several_mmode_resv),
		machine_test(hard_case_report_memreserve_and_node),
		machine_test(hard_case_report_overlapping_static_nodes),
		machine_test(hard_case_report_initrd_that_overlaps),
		machine_test(hard_case_report_ram_up_to_4g),
		machine_test(hard_case_report_ram_up_to_the_top),
		machine_test(hard_case_report_only_the_first_memory_node),
		machine_test(hard_case_report_more_ram_than_there_is),
		machine_test(hard_case_report_frame_0),
		machine_test(hard_case_report_metadata_on_live_data),
		machine_test(hard_case_report_growth_into_the_range),
		machine_test(hard_case_report_growth_not_allowed),
		machine_test(hard_case_report_freeing_that_grows),
		machine_test(hard_case_report_no_room_for_metadata),
		machine_test(hard_case_report_64_mib),
		machine_test(hard_case_report_region_over_several_banks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
