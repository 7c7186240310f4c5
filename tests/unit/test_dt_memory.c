/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory nodes: which count, which of their entries, and what becomes of them. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdlib.h>
#include <string.h>

static void begin(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
}

static void memory_node(struct tree *t, const char *name)
{
	tree_node(t, name);
	tree_string(t, "device_type", "memory");
}

/* Matched on device_type, not on the name. */
static void test_device_type(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "ddr");
	tree_reg(&t, "reg", 0x80000000, MIB(64));
	tree_end(&t);
	tree_node(&t, "memory@90000000");
	tree_reg(&t, "reg", 0x90000000, MIB(64));
	tree_end(&t);
	tree_node(&t, "memory@a0000000");
	tree_string(&t, "device_type", "memory2");
	tree_reg(&t, "reg", 0xa0000000, MIB(64));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(64), 0, 0, 0 });
	assert_string_equal(m->text, "");
}

static void test_status(void **state)
{
	static const char *const statuses[] = { "okay", "ok", "disabled", "reserved", "okay?", "" };
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	begin(&t);
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		memory_node(&t, "memory");
		tree_string(&t, "status", statuses[i]);
		tree_reg(&t, "reg", 0x80000000 + (i << 28), MIB(64));
		tree_end(&t);
	}
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(64), 0, 0, 0 }, { 0x90000000, MIB(64), 0, 0, 0 });
}

/*
 * Any number of nodes and entries, unsorted, overlapping, doubled:
 *
 *   8000 8400 8800 8c00 9000 9400                a000
 *             |-- A1 ---|                        |- B1 -|
 *   |-- A2 --------|
 *                       |- B2 -|
 *                       |- B2 -|
 *   |=========== one entry ====|                 |======|
 */
static void test_unsorted_overlapping_doubled(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory@88000000");
	tree_reg(&t, "reg", 0x88000000, MIB(128), 0x80000000, MIB(192));
	tree_end(&t);
	tree_node(&t, "soc");
	tree_end(&t);
	memory_node(&t, "memory@a0000000");
	tree_reg(&t, "reg", 0xa0000000, MIB(64), 0x90000000, MIB(64), 0x90000000, MIB(64));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(320), 0, 0, 0 }, { 0xa0000000, MIB(64), 0, 0, 0 });
	assert_int_equal(m->info.nr_banks, 5);
}

static void test_usable_memory_overrides_reg(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory@80000000");
	tree_reg(&t, "reg", 0x80000000, GIB(1));
	tree_reg(&t, "linux,usable-memory", 0x80000000, MIB(64), 0xa0000000, MIB(32));
	tree_end(&t);
	memory_node(&t, "memory@c0000000");
	tree_reg(&t, "linux,usable-memory", 0xc0000000, 0);
	tree_reg(&t, "reg", 0xc0000000, GIB(1));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(64), 0, 0, 0 }, { 0xa0000000, MIB(32), 0, 0, 0 });
	assert_int_equal(m->info.nr_banks_skipped, 1);
}

/*
 *      80000000                 80004000
 *         |     .      .      .    |
 *           |------------------|            80000001 .. 80003fff
 *               |======|======|             80001000 .. 80002fff
 */
static void test_inward_rounding(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory");
	tree_reg(&t, "reg", 0x80000001, 0x3ffe);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80001000, 0x2000, 0, 0, 0 });
}

static void test_less_than_a_page(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory");
	tree_reg(&t, "reg", 0x80000000, 0xfff, 0x90000800, 0x1000, 0x90000fff, 2, 0xa0000000,
		 MIB(1));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0xa0000000, MIB(1), 0, 0, 0 });
	assert_int_equal(m->info.nr_banks_skipped, 3);
	assert_true(said(m, "dt: memory: [0x90000800-0x900017ff] skipped: no whole page"));
}

static void test_size_0(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory");
	tree_reg(&t, "reg", 0x90000000, 0, 0x80000000, MIB(64));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(64), 0, 0, 0 });
	assert_int_equal(m->info.nr_banks_skipped, 1);
	assert_string_equal(m->text, "");
}

/* RAM that ends at 2^32 or at 2^64 exactly, that passes 2^64, and that lies at its very end. */
static void test_top_of_address_space(void **state)
{
	struct machine *m = *state;
	const phys_addr_t top = PHYS_ADDR_MAX & PAGE_MASK;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory");
	tree_reg(&t, "reg", 0xc0000000, GIB(1), top - MIB(2), MIB(2) + PAGE_SIZE, top - MIB(4),
		 ~(uint64_t)0, top + 1, 0xfff);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0xc0000000, GIB(1), 0, 0, 0 }, { top - MIB(4), MIB(4), 0, 0, 0 });
}

static void test_one_cell(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 1);
	tree_memory(&t, 0x80000000, 0x80000000);
	tree_reserved(&t);
	tree_region(&t, "top", 0xffff0000, 0x10000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, 0x80000000, 0, 0, 0 });
	expect_reserved(m, { 0xffff0000, 0x10000, 0, 0, CAUSE_RESERVED_MEMORY });
	assert_int_equal(m->info.nr_errors, 0);
}

static void test_mixed_cells(void **state)
{
	struct machine *m = *state;
	struct tree t;

	/* Absent: two and one. */
	tree_begin(&t);
	tree_root(&t, 0);
	tree_cells(&t, 2, 1);
	memory_node(&t, "memory");
	tree_reg(&t, "reg", GIB(4), 0x80000000, GIB(8), MIB(1));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { GIB(4), 0x80000000, 0, 0, 0 }, { GIB(8), MIB(1), 0, 0, 0 });
	machine_free(m);
	machine_init(m);

	tree_begin(&t);
	tree_root(&t, 0);
	tree_u32(&t, "#address-cells", 1);
	tree_u32(&t, "#size-cells", 2);
	tree_cells(&t, 1, 2);
	memory_node(&t, "memory");
	tree_reg(&t, "reg", 0x80000000, GIB(6));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, GIB(6), 0, 0, 0 });
}

static void test_hotpluggable(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_memory(&t, 0x80000000, MIB(64));
	memory_node(&t, "memory@84000000");
	tree_reg(&t, "reg", 0x84000000, MIB(64));
	tree_flag(&t, "hotpluggable");
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(64), 0, 0, 0 },
		     { 0x84000000, MIB(64), MEMBLOCK_HOTPLUG, 0, 0 });
}

static void test_numa_node_id(void **state)
{
	static const uint32_t ids[] = { 0, 1, DT_MAX_NID, DT_MAX_NID + 1, 0xffffffff };
	struct machine *m = *state;
	struct tree t;
	uint64_t i;

	begin(&t);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		memory_node(&t, "memory");
		tree_u32(&t, "numa-node-id", ids[i]);
		tree_reg(&t, "reg", 0x80000000 + (i << 24), MIB(16));
		tree_end(&t);
	}
	memory_node(&t, "memory@90000000");
	tree_bytes(&t, "numa-node-id", "abc", 3);
	tree_reg(&t, "reg", 0x90000000, MIB(16));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(16), 0, 1, 0 }, { 0x81000000, MIB(16), 0, 2, 0 },
		     { 0x82000000, MIB(16), 0, DT_MAX_NID + 1, 0 },
		     { 0x83000000, MIB(32), 0, 0, 0 }, { 0x90000000, MIB(16), 0, 0, 0 });
	assert_true(said(m, "numa-node-id is not a number up to 1023, ignored"));
	assert_int_equal(m->info.nr_errors, 3);
}

/*
 *   80000000     84000000     88000000     8c000000
 *      |-------- node 0 ----------|
 *                   |-- node 1, hotpluggable --|
 *      |=========== 0 ============|===== 1 ====|        what comes first keeps its bytes
 */
static void test_banks_that_disagree(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory@80000000");
	tree_u32(&t, "numa-node-id", 0);
	tree_reg(&t, "reg", 0x80000000, MIB(128));
	tree_end(&t);
	memory_node(&t, "memory@84000000");
	tree_u32(&t, "numa-node-id", 1);
	tree_flag(&t, "hotpluggable");
	tree_reg(&t, "reg", 0x84000000, MIB(128));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, MIB(128), 0, 1, 0 },
		     { 0x88000000, MIB(64), MEMBLOCK_HOTPLUG, 2, 0 });
}

static void test_bad_length(void **state)
{
	static const uint8_t reg[20] = { 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 1 };
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	memory_node(&t, "memory@80000000");
	tree_bytes(&t, "reg", reg, 20);
	tree_end(&t);
	memory_node(&t, "memory@1");
	tree_bytes(&t, "reg", reg, 12);
	tree_end(&t);
	memory_node(&t, "memory@2");
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, GIB(1), 0, 0, 0 });
	assert_true(said(m, "dt: memory@80000000: reg has 20 bytes, no multiple of 16: the first 1 "
			    "entries are used"));
	assert_true(said(m, "dt: memory@1: reg has 12 bytes"));
	assert_true(said(m, "dt: memory@2: memory without reg"));
	assert_int_equal(m->info.nr_errors, 3);
}

static void no_memory(struct machine *m, void *fdt)
{
	m->mb.bottom_up = true;
	m->mb.current_limit = GIB(4);
	assert_int_equal(machine_load(m, fdt), -EMM_ENOENT);
	assert_true(said(m, "the tree has no memory"));
	assert_true(said(m, "dt: no memory map: "));
	assert_int_equal(m->mb.memory.cnt, 0);
	assert_int_equal(m->mb.reserved.cnt, 0);
	assert_true(memblock_is_valid(&m->mb));
	assert_true(m->mb.bottom_up);
	assert_int_equal(m->mb.current_limit, GIB(4));
	assert_ptr_equal(m->mb.map, &m->map);
}

static void test_no_memory(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "memory@80000000");
	tree_reg(&t, "reg", 0x80000000, GIB(1));
	tree_end(&t);
	no_memory(m, tree_finish(&t));

	begin(&t);
	memory_node(&t, "memory@80000000");
	tree_reg(&t, "reg", 0x80000000, 0, 0x80000800, 0x1000);
	tree_end(&t);
	no_memory(m, tree_finish(&t));
	assert_true(said(m, "1 enabled nodes with device_type \"memory\", 2 ranges, none of use"));
}

/*
 *        80000000                         c0000000
 * reg       |--------------------------------|
 * usable |----|    |===|     |=|           |----|
 */
static void test_usable_memory_range(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_memory(&t, GIB(4), GIB(1));
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,usable-memory-range", 0x70000000, 0x18000000, 0x90000000, 0x1000000,
		 0xa0000800, 0x2000, 0xb8000000, 0x10000000);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_banks(m, { 0x80000000, 0x8000000, 0, 0, 0 }, { 0x90000000, 0x1000000, 0, 0, 0 },
		     { 0xa0001000, 0x1000, 0, 0, 0 }, { 0xb8000000, 0x8000000, 0, 0, 0 });
	assert_true(said(m, "memory@100000000: [0x100000000-0x13fffffff] skipped: no whole page in "
			    "linux,usable-memory-range"));
}

/* A crash kernel that overlooks a damaged range would overwrite what it is to save. */
static void test_usable_memory_range_damaged(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,usable-memory-range", 0x90000000);
	tree_end(&t);
	no_memory(m, tree_finish(&t));
	assert_true(said(m, "linux,usable-memory-range has 8 bytes: its first 0 ranges are used"));

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_flag(&t, "linux,usable-memory-range");
	tree_end(&t);
	no_memory(m, tree_finish(&t));
	assert_true(said(m, "linux,usable-memory-range has 0 bytes"));
}

static void test_arguments(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	assert_int_equal(dt_to_memblock(&m->info, m->fdt, TREE_BASE, m->fixed, 1, &m->mb, NULL),
			 -EMM_ESTATE);
	assert_int_equal(dt_to_memblock(&m->info, m->fdt, TREE_BASE, NULL, 1, &m->mb, NULL),
			 -EMM_EINVAL);
	assert_int_equal(dt_to_memblock(&m->info, NULL, TREE_BASE, NULL, 0, &m->mb, NULL),
			 -EMM_EINVAL);
	assert_int_equal(dt_to_memblock(NULL, m->fdt, TREE_BASE, NULL, 0, &m->mb, NULL),
			 -EMM_EINVAL);
	assert_int_equal(dt_to_memblock(&m->info, m->fdt, TREE_BASE, NULL, 0, NULL, NULL),
			 -EMM_EINVAL);
	expect_banks(m, { 0x80000000, GIB(1), 0, 0, 0 });
	expect_none_reserved(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_device_type),
		machine_test(test_status),
		machine_test(test_unsorted_overlapping_doubled),
		machine_test(test_usable_memory_overrides_reg),
		machine_test(test_inward_rounding),
		machine_test(test_less_than_a_page),
		machine_test(test_size_0),
		machine_test(test_top_of_address_space),
		machine_test(test_one_cell),
		machine_test(test_mixed_cells),
		machine_test(test_hotpluggable),
		machine_test(test_numa_node_id),
		machine_test(test_banks_that_disagree),
		machine_test(test_bad_length),
		machine_test(test_no_memory),
		machine_test(test_usable_memory_range),
		machine_test(test_usable_memory_range_damaged),
		machine_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
