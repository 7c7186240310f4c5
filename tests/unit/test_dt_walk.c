/* SPDX-License-Identifier: BSD-2-Clause */
/* The facts that dt_walk() collects, and what it makes of damaged ones. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static void walk(struct machine *m, void *fdt)
{
	free(m->fdt);
	m->fdt = fdt;
	assert_int_equal(dt_check(fdt, &m->out), 0);
	assert_int_equal(dt_walk(&m->info, fdt, m->boot_hart, &m->out), 0);
}

static void hart(struct tree *t, uint32_t id, const char *status, const char *isa, const char *mmu)
{
	tree_node(t, "cpu");
	tree_string(t, "device_type", "cpu");
	tree_u32(t, "reg", id);
	if (status)
		tree_string(t, "status", status);
	if (isa)
		tree_string(t, "riscv,isa", isa);
	if (mmu)
		tree_string(t, "mmu-type", mmu);
	tree_node(t, "interrupt-controller");
	tree_u32(t, "reg", 77);
	tree_end(t);
	tree_end(t);
}

static void cpus(struct tree *t)
{
	tree_node(t, "cpus");
	tree_u32(t, "#address-cells", 1);
	tree_u32(t, "#size-cells", 0);
}

static void test_facts(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x1000, 0x1000);
	tree_memreserve(&t, 0x3000, 0x1000);
	tree_root(&t, 2);
	tree_string(&t, "model", "a board");
	tree_bytes(&t, "compatible", "one,board\0two,soc", 18);
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "quiet");
	tree_string(&t, "stdout-path", "serial0:115200n8");
	tree_end(&t);
	cpus(&t);
	tree_u32(&t, "timebase-frequency", 10000000);
	hart(&t, 0, NULL, "rv64imafdc", "riscv,sv39");
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_string_equal(m->text, "");
	assert_string_equal(m->info.model, "a board");
	assert_string_equal(m->info.compatible, "one,board");
	assert_string_equal(m->info.bootargs, "quiet");
	assert_string_equal(m->info.stdout_path, "serial0:115200n8");
	assert_string_equal(m->info.isa, "rv64imafdc");
	assert_string_equal(m->info.mmu_type, "riscv,sv39");
	assert_int_equal(m->info.timebase_hz, 10000000);
	assert_int_equal(m->info.nr_harts, 1);
	assert_int_equal(m->info.nr_memreserve, 2);
}

static void test_no_facts(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 0);
	walk(m, tree_finish(&t));
	assert_string_equal(m->text, "");
	assert_string_equal(m->info.model, "");
	assert_string_equal(m->info.compatible, "");
	assert_string_equal(m->info.bootargs, "");
	assert_string_equal(m->info.stdout_path, "");
	assert_string_equal(m->info.isa, "");
	assert_string_equal(m->info.mmu_type, "");
	assert_int_equal(m->info.timebase_hz, 0);
	assert_int_equal(m->info.nr_harts_total, 0);
	assert_int_equal(m->info.nr_errors, 0);
	assert_int_equal(m->info.root_cells.addr, 2);
	assert_int_equal(m->info.root_cells.size, 1);
	assert_int_equal(dt_harts(m->fdt, &m->info, NULL, 0), 0);
}

/* status absent, okay and ok are usable; the boot hart's ISA is told; cpu-map is no hart. */
static void test_harts(void **state)
{
	struct machine *m = *state;
	struct dt_hart harts[4] = { { 99, 99 }, { 99, 99 }, { 99, 99 }, { 99, 99 } };
	struct tree t;

	m->boot_hart = 4;
	tree_begin(&t);
	tree_root(&t, 2);
	cpus(&t);
	tree_u64(&t, "timebase-frequency", 1000000);
	hart(&t, 0, "disabled", "rv64imac", NULL);
	hart(&t, 1, NULL, "rv64imafdc", "riscv,sv39");
	hart(&t, 4, "okay", "rv64gc_boot", "riscv,sv48");
	hart(&t, 3, "ok", "rv64gc_other", "riscv,sv57");
	hart(&t, 2, "fail", "rv64gc", NULL);
	hart(&t, 5, "okay2", "rv64gc", NULL);
	tree_node(&t, "cpu-map");
	tree_node(&t, "cluster0");
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "idle-states");
	tree_u32(&t, "reg", 9);
	tree_end(&t);
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.nr_harts_total, 6);
	assert_int_equal(m->info.nr_harts, 3);
	assert_string_equal(m->info.isa, "rv64gc_boot");
	assert_string_equal(m->info.mmu_type, "riscv,sv48");
	assert_int_equal(m->info.timebase_hz, 1000000);
	assert_int_equal(dt_harts(m->fdt, &m->info, harts, 4), 3);
	assert_int_equal(harts[0].id, 1);
	assert_int_equal(harts[1].id, 4);
	assert_int_equal(harts[2].id, 3);
	assert_int_equal(harts[2].nid, NUMA_NO_NODE);
	assert_int_equal(harts[3].id, 99);
	harts[0].id = harts[1].id = 99;
	assert_int_equal(dt_harts(m->fdt, &m->info, harts, 1), 3);
	assert_int_equal(harts[0].id, 1);
	assert_int_equal(harts[1].id, 99);
}

static void hart_on_node(struct tree *t, uint32_t id, uint32_t nid)
{
	tree_node(t, "cpu@0");
	tree_string(t, "device_type", "cpu");
	tree_u32(t, "reg", id);
	tree_u32(t, "numa-node-id", nid);
	tree_end(t);
}

/* The memory node of the boot hart, and of no other; and of each in the list of harts. */
static void test_boot_hart_node(void **state)
{
	static const struct {
		uint64_t boot_hart;
		int nid;
		uint32_t nr_errors;
	} harts[] = {
		{ 1, 3, 0 },
		{ 2, 1023, 0 },
		{ 3, NUMA_NO_NODE, 1 },
		{ 4, NUMA_NO_NODE, 0 },
		{ 9, NUMA_NO_NODE, 1 },
	};
	struct machine *m = *state;
	struct dt_hart all[4];

	for (size_t i = 0; i < ARRAY_SIZE(harts); i++) {
		struct tree t;

		m->boot_hart = harts[i].boot_hart;
		tree_begin(&t);
		tree_root(&t, 2);
		cpus(&t);
		hart_on_node(&t, 1, 3);
		hart_on_node(&t, 2, 1023);
		hart_on_node(&t, 3, 1024);
		hart(&t, 4, NULL, "rv64imac", NULL);
		tree_end(&t);
		walk(m, tree_finish(&t));
		assert_int_equal(m->info.boot_hart_nid, harts[i].nid);
		assert_int_equal(m->info.nr_errors, harts[i].nr_errors);
		assert_int_equal(dt_harts(m->fdt, &m->info, all, 4), 4);
		for (size_t k = 0; k < ARRAY_SIZE(all); k++) {
			assert_int_equal(all[k].id, harts[k].boot_hart);
			assert_int_equal(all[k].nid, harts[k].nid);
		}
	}
	assert_true(said(m, "cpu@0: numa-node-id is not a number up to 1023, ignored"));
}

static void test_boot_hart_missing(void **state)
{
	struct machine *m = *state;
	struct tree t;

	m->boot_hart = 7;
	tree_begin(&t);
	tree_root(&t, 2);
	cpus(&t);
	hart(&t, 1, NULL, "rv64imafdc", "riscv,sv39");
	hart(&t, 2, NULL, "rv64imac", NULL);
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_true(said(m, "no usable hart 7, the boot hart, among 2"));
	assert_int_equal(m->info.nr_errors, 1);
	assert_string_equal(m->info.isa, "rv64imafdc");
	assert_string_equal(m->info.mmu_type, "riscv,sv39");
}

/* Hart ids of two cells, no device_type, riscv,isa-base, timebase-frequency in the harts. */
static void test_hart_variants(void **state)
{
	struct machine *m = *state;
	struct dt_hart first = { 0, 0 };
	struct tree t;

	m->boot_hart = 0x100000002;
	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "cpus");
	tree_u32(&t, "#address-cells", 2);
	tree_u32(&t, "#size-cells", 0);
	tree_node(&t, "cpu@100000002");
	tree_u64(&t, "reg", 0x100000002);
	tree_string(&t, "riscv,isa-base", "rv64i");
	tree_u32(&t, "timebase-frequency", 24000000);
	tree_end(&t);
	tree_node(&t, "cpu@3");
	tree_bytes(&t, "reg", "abc", 3);
	tree_end(&t);
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.nr_harts_total, 2);
	assert_int_equal(m->info.nr_harts, 1);
	assert_string_equal(m->info.isa, "rv64i");
	assert_int_equal(m->info.timebase_hz, 24000000);
	assert_int_equal(dt_harts(m->fdt, &m->info, &first, 1), 1);
	assert_int_equal(first.id, 0x100000002);
}

static void test_strings_are_bounded(void **state)
{
	static char text[DT_MAX_STRING + 1];
	struct machine *m = *state;
	struct tree t;

	memset(text, 'a', sizeof(text));
	tree_begin(&t);
	tree_root(&t, 2);
	tree_bytes(&t, "model", "no end", 6);
	tree_bytes(&t, "compatible", "", 0);
	tree_node(&t, "chosen");
	text[sizeof(text) - 1] = '\0';
	tree_bytes(&t, "bootargs", text, sizeof(text));
	tree_bytes(&t, "stdout-path", text + 1, sizeof(text) - 1);
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_true(said(m, "dt: /: a string property of 6 bytes is not NUL-terminated"));
	assert_true(said(m, "dt: /: a string property of 0 bytes"));
	assert_true(said(m, "dt: chosen: a string property of 4097 bytes"));
	assert_int_equal(m->info.nr_errors, 3);
	assert_string_equal(m->info.model, "");
	assert_string_equal(m->info.compatible, "");
	assert_string_equal(m->info.bootargs, "");
	assert_int_equal(strlen(m->info.stdout_path), DT_MAX_STRING - 1);
}

/* Only the root's children are looked at for these names. */
static void test_names_deeper_down(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "soc");
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "wrong");
	tree_end(&t);
	tree_node(&t, "cpus");
	hart(&t, 0, NULL, "rv64i", NULL);
	tree_end(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_reserved(&t);
	tree_region(&t, "r", 0x90000000, 0x1000, NULL);
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "chosenly");
	tree_string(&t, "bootargs", "wrong");
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_string_equal(m->info.bootargs, "");
	assert_int_equal(m->info.nr_harts_total, 0);
	assert_int_equal(m->info.nr_memory_nodes, 0);
	assert_int_equal(m->info.nr_static, 0);
}

static void test_second_chosen(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "first");
	tree_end(&t);
	tree_node(&t, "chosen@1");
	tree_string(&t, "bootargs", "second");
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_string_equal(m->info.bootargs, "first");
	assert_true(said(m, "second node named chosen"));
}

/* A property that is there twice: the first counts, as in libfdt. */
static void test_double_property(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_string(&t, "model", "first");
	tree_string(&t, "model", "second");
	walk(m, tree_finish(&t));
	assert_string_equal(m->info.model, "first");
}

static void test_counts(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "memory@100000000");
	tree_string(&t, "device_type", "memory");
	tree_reg(&t, "reg", GIB(4), GIB(1), GIB(8), GIB(1), GIB(16), GIB(1));
	tree_flag(&t, "hotpluggable");
	tree_end(&t);
	tree_node(&t, "memory@200000000");
	tree_string(&t, "device_type", "memory");
	tree_string(&t, "status", "disabled");
	tree_reg(&t, "reg", GIB(8), GIB(1));
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "a", 0x90000000, 0x1000, NULL);
	tree_node(&t, "b");
	tree_reg(&t, "reg", 0x91000000, 0x1000, 0x92000000, 0x1000);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_node(&t, "c");
	tree_u64(&t, "size", 0x1000);
	tree_end(&t);
	tree_node(&t, "d");
	tree_bytes(&t, "iommu-addresses", "12345678", 8);
	tree_end(&t);
	tree_node(&t, "e");
	tree_string(&t, "status", "disabled");
	tree_reg(&t, "reg", 0x91000000, 0x1000);
	tree_end(&t);
	tree_end(&t);
	walk(m, tree_finish(&t));
	assert_int_equal(m->info.nr_memory_nodes, 2);
	assert_int_equal(m->info.nr_banks, 4);
	assert_int_equal(m->info.nr_hotpluggable, 3);
	assert_int_equal(m->info.nr_static, 2);
	assert_int_equal(m->info.nr_static_ranges, 3);
	assert_int_equal(m->info.nr_nomap_ranges, 2);
	assert_int_equal(m->info.nr_dynamic, 1);
	assert_int_equal(m->info.nr_iommu, 1);
	assert_int_equal(m->info.nr_disabled, 1);
}

/* Trees that have been edited in place have FDT_NOP where something was. */
static void test_nops(void **state)
{
	struct machine *m = *state;
	struct tree t;
	void *fdt;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_string(&t, "gone", "gone");
	tree_string(&t, "model", "here");
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "gone");
	tree_string(&t, "bootargs", "here");
	tree_end(&t);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_memory(&t, GIB(4), GIB(1));
	fdt = tree_finish(&t);
	assert_int_equal(fdt_nop_property(fdt, 0, "gone"), 0);
	assert_int_equal(fdt_nop_property(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs"), 0);
	assert_int_equal(fdt_nop_node(fdt, fdt_path_offset(fdt, "/memory@80000000")), 0);
	machine_boot(m, fdt);
	assert_string_equal(m->info.model, "here");
	assert_string_equal(m->info.bootargs, "here");
	expect_banks(m, { GIB(4), GIB(1), 0, 0, 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_facts),
		machine_test(test_no_facts),
		machine_test(test_harts),
		machine_test(test_boot_hart_node),
		machine_test(test_boot_hart_missing),
		machine_test(test_hart_variants),
		machine_test(test_strings_are_bounded),
		machine_test(test_names_deeper_down),
		machine_test(test_second_chosen),
		machine_test(test_double_property),
		machine_test(test_counts),
		machine_test(test_nops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
