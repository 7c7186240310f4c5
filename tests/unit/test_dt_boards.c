/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boards as their firmware hands them over: hand-made trees, modelled on the real ones in what
 * concerns memory and harts, with what OpenSBI or U-Boot adds.
 */
#include "test.h"

#include "helper_dt.h"

#include <stdlib.h>
#include <string.h>

#define NOMAP "no-map"

struct range {
	const char *name;
	phys_addr_t base;
	phys_addr_t size;
	const char *flag;
};

struct board {
	const char *model;
	const char *compatible;
	int cells;
	uint32_t nr_harts;
	uint32_t boot_hart;
	uint32_t timebase_hz;
	bool monitor; /* hart 0 is a small core, disabled */
	bool one_node; /* banks are entries of one memory node */
	const char *mmu_type;
	phys_addr_t image;
	phys_addr_t fdt;
	struct range banks[4];
	struct range regions[4];
	struct range initrd;
	struct want memory[8];
	struct want reserved[8];
};

static const struct board boards[] = {
	{
		.model = "SiFive HiFive Unleashed A00",
		.compatible = "sifive,hifive-unleashed-a00",
		.cells = 2,
		.nr_harts = 5,
		.boot_hart = 1,
		.monitor = true,
		.mmu_type = "riscv,sv39",
		.timebase_hz = 1000000,
		.image = 0x80200000,
		.fdt = 0x82200000,
		.banks = { { .base = 0x80000000, .size = GIB(8) } },
		/* OpenSBI 1.6's two regions */
		.regions = { { "mmode_resv1", 0x80000000, 0x40000, NOMAP },
			     { "mmode_resv0", 0x80040000, 0x20000, NOMAP } },
		.memory = { { 0x80000000, 0x60000, MEMBLOCK_NOMAP, 0, 0 },
			    { 0x80060000, GIB(8) - 0x60000, 0, 0, 0 } },
		.reserved = { { 0x80200000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0x82200000, 0, 0, 0, CAUSE_FDT } },
	},
	{
		.model = "SiFive HiFive Unmatched A00",
		.compatible = "sifive,hifive-unmatched-a00",
		.cells = 2,
		.nr_harts = 5,
		.boot_hart = 3,
		.monitor = true,
		.mmu_type = "riscv,sv39",
		.timebase_hz = 1000000,
		.image = 0x80200000,
		.fdt = 0xff73d000, /* where U-Boot has its own */
		.banks = { { .base = 0x80000000, .size = GIB(16) } },
		.regions = { { "mmode_resv0", 0x80000000, 0x80000, NOMAP } },
		.initrd = { .base = 0x88300000, .size = 0x1234567 },
		.memory = { { 0x80000000, 0x80000, MEMBLOCK_NOMAP, 0, 0 },
			    { 0x80080000, GIB(16) - 0x80000, 0, 0, 0 } },
		.reserved = { { 0x80200000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0x88300000, 0x1234567, 0, 0, CAUSE_INITRD },
			      { 0xff73d000, 0, 0, 0, CAUSE_FDT } },
	},
	{
		.model = "StarFive VisionFive 2 v1.3B",
		.compatible = "starfive,visionfive-2-v1.3b",
		.cells = 2,
		.nr_harts = 5,
		.boot_hart = 1,
		.monitor = true,
		.mmu_type = "riscv,sv39",
		.timebase_hz = 4000000,
		.image = 0x40200000, /* not every board has RAM at 0x80000000 */
		.fdt = 0x46000000,
		.banks = { { .base = 0x40000000, .size = GIB(4) } },
		.regions = { { "mmode_resv0", 0x40000000, 0x80000, NOMAP },
			     { "linux,cma", 0x70000000, MIB(512), "reusable" } },
		.memory = { { 0x40000000, 0x80000, MEMBLOCK_NOMAP, 0, 0 },
			    { 0x40080000, GIB(4) - 0x80000, 0, 0, 0 } },
		.reserved = { { 0x40200000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0x46000000, 0, 0, 0, CAUSE_FDT },
			      { 0x70000000, MIB(512), 0, 0, CAUSE_RESERVED_MEMORY } },
	},
	{
		/* A hole of 61 GiB, and firmware memory at the end of the lower bank. */
		.model = "Microchip PolarFire-SoC Icicle Kit",
		.compatible = "microchip,mpfs-icicle-kit",
		.cells = 2,
		.nr_harts = 5,
		.boot_hart = 2,
		.monitor = true,
		.mmu_type = "riscv,sv39",
		.timebase_hz = 1000000,
		.image = 0x80200000,
		.fdt = 0xbfe00000, /* as fw_dynamic places it: inside the no-map region */
		.banks = { { .base = 0x1040000000, .size = GIB(1) },
			   { .base = 0x80000000, .size = GIB(1) } },
		.regions = { { "region", 0xbfc00000, MIB(4), NOMAP },
			     { "mmode_resv0", 0x80000000, 0x80000, NULL } },
		.memory = { { 0x80000000, 0x3fc00000, 0, 0, 0 },
			    { 0xbfc00000, MIB(2), MEMBLOCK_NOMAP, 0, 0 },
			    { 0xbfe00000, 0x1000, 0, 0, 0 },
			    { 0xbfe01000, MIB(2) - 0x1000, MEMBLOCK_NOMAP, 0, 0 },
			    { 0x1040000000, GIB(1), 0, 0, 0 } },
		.reserved = { { 0x80000000, 0x80000, 0, 0, CAUSE_RESERVED_MEMORY },
			      { 0x80200000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0xbfe00000, 0, 0, 0, CAUSE_FDT },
			      { 0, 0, 0, 0, CAUSE_RESERVED_MEMORY } },
	},
	{
		/* Exactly 64 MiB, one cell, the last 768 KiB another core's. */
		.model = "Milk-V Duo",
		.compatible = "milkv,duo",
		.cells = 1,
		.nr_harts = 1,
		.mmu_type = "riscv,sv39",
		.timebase_hz = 25000000,
		.image = 0x80200000,
		.fdt = 0x81000000,
		.banks = { { .base = 0x80000000, .size = MIB(64) } },
		.regions = { { "region", 0x83f40000, 0xc0000, NOMAP },
			     { "mmode_resv0", 0x80000000, 0x80000, NOMAP } },
		.memory = { { 0x80000000, 0x80000, MEMBLOCK_NOMAP, 0, 0 },
			    { 0x80080000, 0x3ec0000, 0, 0, 0 },
			    { 0x83f40000, 0xc0000, MEMBLOCK_NOMAP, 0, 0 } },
		.reserved = { { 0x80200000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0x81000000, 0, 0, 0, CAUSE_FDT } },
	},
	{
		/* One cell; U-Boot writes the memory node. */
		.model = "Allwinner D1 Nezha",
		.compatible = "allwinner,d1-nezha",
		.cells = 1,
		.nr_harts = 1,
		.mmu_type = "riscv,sv39",
		.timebase_hz = 24000000,
		.image = 0x40200000,
		.fdt = 0x7af00000,
		.banks = { { .base = 0x40000000, .size = GIB(1) } },
		.regions = { { "mmode_resv0", 0x40000000, 0x60000, NULL } },
		.memory = { { 0x40000000, GIB(1), 0, 0, 0 } },
		.reserved = { { 0x40000000, 0x60000, 0, 0, CAUSE_RESERVED_MEMORY },
			      { 0x40200000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0x7af00000, 0, 0, 0, CAUSE_FDT } },
	},
	{
		/* SRAM banks as three entries of one node, which touch; no MMU. */
		.model = "Kendryte K210 generic",
		.compatible = "canaan,kendryte-k210",
		.cells = 1,
		.nr_harts = 2,
		.mmu_type = "riscv,none",
		.timebase_hz = 7800000,
		.image = 0x80020000,
		.fdt = 0x80100000,
		.one_node = true,
		.banks = { { .base = 0x80000000, .size = MIB(4) },
			   { .base = 0x80400000, .size = MIB(2) },
			   { .base = 0x80600000, .size = MIB(2) } },
		.memory = { { 0x80000000, MIB(8), 0, 0, 0 } },
		.reserved = { { 0x80020000, 0x20000, 0, 0, CAUSE_IMAGE },
			      { 0x80100000, 0, 0, 0, CAUSE_FDT } },
	},
};

static void add_harts(struct tree *t, const struct board *b)
{
	uint32_t i;

	tree_node(t, "cpus");
	tree_u32(t, "#address-cells", 1);
	tree_u32(t, "#size-cells", 0);
	tree_u32(t, "timebase-frequency", b->timebase_hz);
	for (i = 0; i < b->nr_harts; i++) {
		bool monitor = b->monitor && !i;

		tree_node(t, "cpu");
		tree_string(t, "compatible", "riscv");
		tree_string(t, "device_type", "cpu");
		tree_u32(t, "reg", i);
		tree_string(t, "riscv,isa", monitor ? "rv64imac" : "rv64imafdc");
		tree_string(t, "riscv,isa-base", "rv64i");
		if (monitor)
			tree_string(t, "status", "disabled");
		else
			tree_string(t, "mmu-type", b->mmu_type);
		tree_node(t, "interrupt-controller");
		tree_flag(t, "interrupt-controller");
		tree_end(t);
		tree_end(t);
	}
	tree_end(t);
}

static void add_banks(struct tree *t, const struct board *b)
{
	uint64_t reg[2 * ARRAY_SIZE(b->banks)];
	int i;

	for (i = 0; b->banks[i].size; i++) {
		reg[2 * i] = b->banks[i].base;
		reg[2 * i + 1] = b->banks[i].size;
		if (!b->one_node)
			tree_memory(t, b->banks[i].base, b->banks[i].size);
	}
	if (!b->one_node)
		return;
	tree_node(t, "memory@80000000");
	tree_string(t, "device_type", "memory");
	tree_list(t, "reg", 2 * i, reg);
	tree_end(t);
}

static void *board_tree(const struct board *b)
{
	struct tree t;
	int i;

	tree_begin(&t);
	tree_root(&t, b->cells);
	tree_string(&t, "compatible", b->compatible);
	tree_string(&t, "model", b->model);
	tree_node(&t, "chosen");
	tree_string(&t, "stdout-path", "serial0:115200n8");
	if (b->initrd.size) {
		tree_u64(&t, "linux,initrd-start", b->initrd.base);
		tree_u64(&t, "linux,initrd-end", b->initrd.base + b->initrd.size);
	}
	tree_end(&t);
	add_harts(&t, b);
	tree_node(&t, "soc");
	tree_flag(&t, "ranges");
	tree_node(&t, "memory-controller@100b0000");
	tree_reg(&t, "reg", 0x100b0000, 0x4000);
	tree_end(&t);
	tree_end(&t);
	add_banks(&t, b);
	if (b->regions[0].size) {
		tree_reserved(&t);
		for (i = 0; b->regions[i].size; i++)
			tree_region(&t, b->regions[i].name, b->regions[i].base, b->regions[i].size,
				    b->regions[i].flag);
		tree_end(&t);
	}
	return tree_finish(&t);
}

static size_t count(const struct want *want)
{
	size_t n = 0;

	while (want[n].size || want[n].cause)
		n++;
	return n;
}

static void check_board(struct machine *m, const struct board *b)
{
	struct want reserved[ARRAY_SIZE(b->reserved)];
	size_t i;

	m->fixed[0].base = b->image;
	m->fdt_pa = b->fdt;
	m->boot_hart = b->boot_hart;
	machine_boot(m, board_tree(b));
	assert_string_equal(m->info.model, b->model);
	assert_string_equal(m->info.compatible, b->compatible);
	assert_string_equal(m->info.isa, "rv64imafdc");
	assert_string_equal(m->info.mmu_type, b->mmu_type);
	assert_int_equal(m->info.timebase_hz, b->timebase_hz);
	assert_int_equal(m->info.nr_harts_total, b->nr_harts);
	assert_int_equal(m->info.nr_harts, b->nr_harts - b->monitor);
	assert_int_equal(m->info.nr_overlaps, 0);
	expect_regions(&m->mb.memory, b->memory, count(b->memory), __FILE__, __LINE__);
	/* The tree's size is not in the table, nor what of its last page no-map would have had. */
	memcpy(reserved, b->reserved, sizeof(reserved));
	for (i = 0; i < count(b->reserved); i++) {
		if (reserved[i].cause == CAUSE_FDT)
			reserved[i].size = m->info.totalsize;
		if (!reserved[i].size) {
			reserved[i].base = reserved[i - 1].base + reserved[i - 1].size;
			reserved[i].size = 0x1000 - m->info.totalsize;
		}
	}
	expect_regions(&m->mb.reserved, reserved, count(b->reserved), __FILE__, __LINE__);
}

static void test_boards(void **state)
{
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(boards); i++) {
		print_message("%s\n", boards[i].model);
		check_board(m, &boards[i]);
		/* The icicle kit's tree lies where no-map forbids. */
		if (m->info.nr_nomap_refused)
			assert_true(said(m, "no-map refused for [0xbfe00000-0xbfe00fff], in use by "
					    "device tree"));
		else
			assert_string_equal(m->text, "");
		machine_free(m);
		machine_init(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_boards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
