/* SPDX-License-Identifier: BSD-2-Clause */
/* /reserved-memory: its cells and ranges, its static and other children. */
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

static void test_static_all_entries(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "many");
	tree_reg(&t, "reg", 0x92000000, 0x1000, 0x90000000, 0x2000, 0x91000000, 0x3000);
	tree_end(&t);
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x2000, 0, 0, RSV }, { 0x91000000, 0x3000, 0, 0, RSV },
			{ 0x92000000, 0x1000, 0, 0, RSV });
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.nr_errors, 0);
}

/* Reserved to the byte in the map, so whole pages outward for the page allocator. */
static void test_static_is_kept_to_the_byte(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "bytes", 0x90000f00, 0x200, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x90000f00, 0x200, 0, 0, RSV });
	assert_int_equal(m->info.nr_errors, 0);
}

static void test_child_status(void **state)
{
	static const char *const statuses[] = { "okay", "ok", "disabled", "reserved", "" };
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	begin(&t);
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		tree_node(&t, "r");
		tree_string(&t, "status", statuses[i]);
		tree_reg(&t, "reg", 0x90000000 + (i << 20), 0x1000);
		tree_end(&t);
	}
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV }, { 0x90100000, 0x1000, 0, 0, RSV });
	assert_int_equal(m->info.nr_disabled, 3);
}

static void test_reg_wins_over_size(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "both");
	tree_u64(&t, "size", MIB(64));
	tree_u64(&t, "alignment", MIB(3));
	tree_reg(&t, "reg", 0x90000000, 0x1000);
	tree_end(&t);
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV });
	assert_int_equal(m->info.nr_dynamic, 0);
	assert_int_equal(m->info.nr_errors, 0);
}

static void test_outside_memory(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "mapped", 0x10000000, 0x1000, NULL);
	tree_region(&t, "unmapped", 0x20000000, 0x1000, "no-map");
	tree_region(&t, "across", 0x7ff00000, MIB(2), "no-map");
	boot(m, &t);
	expect_reserved(m, { 0x10000000, 0x1000, 0, 0, RSV });
	expect_banks(m, { 0x80000000, MIB(1), MEMBLOCK_NOMAP, 0, 0 },
		     { 0x80100000, GIB(1) - MIB(1), 0, 0, 0 });
}

static void test_reg_that_wraps(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_memory(&t, ~(uint64_t)0 << 28, MIB(128));
	tree_reserved(&t);
	tree_region(&t, "mapped", ~(uint64_t)0 << 24, ~(uint64_t)0, NULL);
	tree_region(&t, "unmapped", (~(uint64_t)0 << 28) + 0x1080, ~(uint64_t)0, "no-map");
	boot(m, &t);
	expect_reserved(m, { ~(uint64_t)0 << 24, MIB(16) - 1, 0, 0, RSV });
	expect_banks(m, { 0x80000000, GIB(1), 0, 0, 0 }, { ~(uint64_t)0 << 28, 0x1000, 0, 0, 0 },
		     { (~(uint64_t)0 << 28) + 0x1000, MIB(128) - 0x1000, MEMBLOCK_NOMAP, 0, 0 });
}

static void cma(struct tree *t, uint64_t base, uint64_t size)
{
	tree_node(t, "cma");
	tree_bytes(t, "compatible", "vendor,pool\0shared-dma-pool", 28);
	tree_flag(t, "reusable");
	tree_flag(t, "linux,cma-default");
	tree_reg(t, "reg", base, size);
	tree_end(t);
}

static void test_cma_granule(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	cma(&t, 0x90000000, MIB(4));
	boot(m, &t);
	assert_int_equal(m->info.nr_errors, 0);
	machine_free(m);
	machine_init(m);

	begin(&t);
	cma(&t, 0x90100000, MIB(4));
	cma(&t, 0xa0000000, MIB(3));
	boot(m, &t);
	assert_int_equal(m->info.nr_errors, 2);
	assert_true(said(m, "a CMA area must be aligned to 0x200000: [0x90100000-0x904fffff]"));
	expect_reserved(m, { 0x90100000, MIB(4), 0, 0, RSV }, { 0xa0000000, MIB(3), 0, 0, RSV });
}

static void test_iommu_addresses_only(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "iommu");
	tree_reg(&t, "iommu-addresses", 0x90000000, 0x10000000);
	tree_end(&t);
	tree_node(&t, "both");
	tree_reg(&t, "iommu-addresses", 0xa0000000, 0x10000000);
	tree_reg(&t, "reg", 0xa0000000, 0x1000);
	tree_end(&t);
	boot(m, &t);
	expect_reserved(m, { 0xa0000000, 0x1000, 0, 0, RSV });
	assert_int_equal(m->info.nr_iommu, 1);
	assert_int_equal(m->info.nr_errors, 0);
}

static void test_unknown_properties(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "r");
	tree_bytes(&t, "registers", "1234567", 7);
	tree_reg(&t, "reg", 0x90000000, 0x1000);
	tree_u32(&t, "vendor,odd", 3);
	tree_node(&t, "grandchild");
	tree_reg(&t, "reg", 0x98000000, 0x1000);
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "empty");
	tree_end(&t);
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV });
	assert_true(said(m, "dt: empty: neither reg nor size, ignored"));
}

static void test_bad_reg_length(void **state)
{
	struct machine *m = *state;
	static const uint8_t reg[20] = { 0, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0 };
	struct tree t;

	begin(&t);
	tree_node(&t, "odd");
	tree_bytes(&t, "reg", reg, 20);
	tree_end(&t);
	tree_node(&t, "short");
	tree_bytes(&t, "reg", reg, 8);
	tree_end(&t);
	tree_node(&t, "none");
	tree_flag(&t, "reg");
	tree_end(&t);
	tree_region(&t, "nothing", 0x91000000, 0, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV });
	assert_true(said(m, "dt: odd: reg has 20 bytes, no multiple of 16: the first 1 entries"));
	assert_true(said(m, "dt: short: reg has 8 bytes"));
	assert_true(said(m, "dt: none: reg has 0 bytes"));
	assert_true(said(m, "dt: nothing@91000000: an entry at 0x91000000 reserves nothing"));
	assert_int_equal(m->info.nr_errors, 4);
}

/* Linux ignores the whole node, its firmware's memory included. */
static void test_without_ranges(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "reserved-memory");
	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 2);
	tree_region(&t, "firmware", 0x80000000, 0x80000, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x80000000, 0x80000, 0, 0, RSV });
	assert_true(said(m, "reserved-memory: no ranges, its children count all the same"));
	assert_int_equal(m->info.nr_errors, 1);
}

static void test_with_ranges_that_are_not_empty(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "reserved-memory");
	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 2);
	tree_reg(&t, "ranges", 0, 0, GIB(64));
	tree_region(&t, "firmware", 0x80000000, 0x80000, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x80000000, 0x80000, 0, 0, RSV });
	assert_true(said(m, "ranges is not empty"));
}

/* The node's own cells decide. What OpenSBI adds with the root's is recognised by its address. */
static void test_other_cells_than_the_root(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_cells(&t, 1, 1);
	tree_reserved(&t);
	tree_region(&t, "one", 0x90000000, 0x1000, NULL);
	tree_node(&t, "two@91000000");
	tree_reg(&t, "reg", 0x91000000, 0x1000, 0x92000000, 0x1000);
	tree_end(&t);
	tree_node(&t, "three");
	tree_reg(&t, "reg", 0x93000000, 0x1000, 0x94000000, 0x1000);
	tree_end(&t);
	tree_cells(&t, 2, 2);
	tree_region(&t, "mmode_resv0", 0x80000000, 0x80000, NULL);
	tree_node(&t, "mmode_resv1@0,80100000");
	tree_reg(&t, "reg", 0x80100000, 0x1000);
	tree_end(&t);
	tree_node(&t, "mmode_resv2@1,90000000");
	tree_reg(&t, "reg", 0x190000000, 0x1000);
	tree_end(&t);
	boot(m, &t);
	expect_reserved(m, { 0x80000000, 0x80000, 0, 0, RSV }, { 0x80100000, 0x1000, 0, 0, RSV },
			{ 0x90000000, 0x1000, 0, 0, RSV }, { 0x91000000, 0x1000, 0, 0, RSV },
			{ 0x92000000, 0x1000, 0, 0, RSV }, { 0x93000000, 0x1000, 0, 0, RSV },
			{ 0x94000000, 0x1000, 0, 0, RSV }, { 0x190000000, 0x1000, 0, 0, RSV });
	assert_true(said(m, "1 and 1 cells where the root has 2 and 2, its own are used"));
	assert_true(said(m, "mmode_resv0@80000000: its reg has the root's cells, which are used"));
	assert_int_equal(m->info.nr_static_ranges, 8);
}

/* The other way round: eight bytes fit the root's cells only. */
static void test_more_cells_than_the_root(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 1);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_cells(&t, 2, 2);
	tree_reserved(&t);
	tree_region(&t, "own", 0x90000000, 0x1000, NULL);
	tree_node(&t, "far@123456789,a0000000");
	tree_reg(&t, "reg", 0x90010000, 0x1000);
	tree_end(&t);
	tree_cells(&t, 1, 1);
	tree_region(&t, "mmode_resv0", 0x80000000, 0x80000, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x80000000, 0x80000, 0, 0, RSV }, { 0x90000000, 0x1000, 0, 0, RSV },
			{ 0x90010000, 0x1000, 0, 0, RSV });
}

/* No cells at all: whoever wrote this meant the root's; the default would read a size of 0. */
static void test_no_cells(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "reserved-memory");
	tree_flag(&t, "ranges");
	tree_region(&t, "root", 0x90000000, 0x1000, NULL);
	tree_node(&t, "three");
	tree_reg(&t, "reg", 0x91000000, 0x1000, 0x92000000, 0x1000, 0x93000000, 0x1000);
	tree_end(&t);
	tree_cells(&t, 2, 1);
	tree_region(&t, "default", 0x94000000, 0x1000, NULL);
	tree_node(&t, "four@95000000");
	tree_reg(&t, "reg", 0x95000000, 0x1000, 0x96000000, 0x1000, 0x97000000, 0x1000, 0x98000000,
		 0x1000);
	tree_end(&t);
	boot(m, &t);
	assert_true(said(m, "#address-cells or #size-cells is missing"));
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV }, { 0x91000000, 0x1000, 0, 0, RSV },
			{ 0x92000000, 0x1000, 0, 0, RSV }, { 0x93000000, 0x1000, 0, 0, RSV },
			{ 0x94000000, 0x1000, 0, 0, RSV }, { 0x95000000, 0x1000, 0, 0, RSV },
			{ 0x96000000, 0x1000, 0, 0, RSV }, { 0x97000000, 0x1000, 0, 0, RSV },
			{ 0x98000000, 0x1000, 0, 0, RSV });
}

static void test_bad_cells(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int children;

	for (children = 0; children < 2; children++) {
		tree_begin(&t);
		tree_root(&t, 2);
		tree_memory(&t, 0x80000000, GIB(1));
		tree_node(&t, "reserved-memory");
		tree_u32(&t, "#address-cells", 3);
		tree_u32(&t, "#size-cells", 0);
		tree_flag(&t, "ranges");
		tree_node(&t, "dynamic");
		tree_u64(&t, "size", MIB(1));
		tree_reg(&t, "alloc-ranges", 0x90000000, MIB(1));
		tree_end(&t);
		if (children)
			tree_region(&t, "firmware", 0x90000000, 0x1000, NULL);
		tree_end(&t);
		/* What cannot be read cannot be reserved: not a machine to go on with. */
		assert_int_equal(machine_load(m, tree_finish(&t)), children ? -EMM_EBADTREE : 0);
		assert_true(
			said(m, "reserved-memory: #address-cells and #size-cells must be 1 or 2"));
		assert_int_equal(m->mb.memory.cnt, !children);
		assert_true(memblock_is_valid(&m->mb));
		memblock_init(&m->mb, &m->map);
	}
}

/* The node itself has no say in whether its children count. */
static void test_disabled_parent(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "reserved-memory");
	tree_string(&t, "status", "disabled");
	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 2);
	tree_flag(&t, "ranges");
	tree_region(&t, "firmware", 0x90000000, 0x1000, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV });
}

/* There should be one; a second one's children are not lost. */
static void test_two_reserved_memory_nodes(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "a", 0x90000000, 0x1000, NULL);
	tree_end(&t);
	tree_node(&t, "soc");
	tree_region(&t, "no", 0x98000000, 0x1000, NULL);
	tree_end(&t);
	tree_node(&t, "reserved-memory@1");
	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 2);
	tree_flag(&t, "ranges");
	tree_region(&t, "b", 0x91000000, 0x1000, NULL);
	boot(m, &t);
	expect_reserved(m, { 0x90000000, 0x1000, 0, 0, RSV }, { 0x91000000, 0x1000, 0, 0, RSV });
}

static void test_reserved_name(void **state)
{
	struct machine *m = *state;
	char name[16];
	struct tree t;

	begin(&t);
	tree_region(&t, "first", 0x90000000, 0x1000, NULL);
	tree_region(&t, "second", 0x90000000, 0x2000, NULL);
	tree_region(&t, "third\x1b", 0x90002000, 0x1000, "no-map");
	boot(m, &t);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90000fff, false, name, 16), 0);
	assert_string_equal(name, "first@90000000");
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90001000, false, name, 16), 0);
	assert_string_equal(name, "second@90000000");
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90002fff, true, name, 4), 0);
	assert_string_equal(name, "thi");
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90002fff, true, name, 7), 0);
	assert_string_equal(name, "third?");
	/* Each of the two kinds has names of its own. */
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90002fff, false, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90000fff, true, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90003000, false, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x8fffffff, false, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90000000, false, name, 0),
			 -EMM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_static_all_entries),
		machine_test(test_static_is_kept_to_the_byte),
		machine_test(test_child_status),
		machine_test(test_reg_wins_over_size),
		machine_test(test_outside_memory),
		machine_test(test_reg_that_wraps),
		machine_test(test_cma_granule),
		machine_test(test_iommu_addresses_only),
		machine_test(test_unknown_properties),
		machine_test(test_bad_reg_length),
		machine_test(test_without_ranges),
		machine_test(test_with_ranges_that_are_not_empty),
		machine_test(test_other_cells_than_the_root),
		machine_test(test_more_cells_than_the_root),
		machine_test(test_no_cells),
		machine_test(test_bad_cells),
		machine_test(test_disabled_parent),
		machine_test(test_two_reserved_memory_nodes),
		machine_test(test_reserved_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
