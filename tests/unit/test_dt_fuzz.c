/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged trees by the hundred thousand: nothing may be read or written outside the blob (ASan
 * watches), nothing may hang, and what can still be read must be honoured. The expectations are
 * read from the damaged tree with libfdt's high-level calls, none of which dt/ uses.
 */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_TREES 100000
#define NR_TREES     3

static uint64_t nr_run, nr_booted, nr_placed;

/* ---- the trees to be damaged ---- */

static void add_harts(struct tree *t)
{
	tree_node(t, "cpus");
	tree_u32(t, "timebase-frequency", 10000000);
	tree_node(t, "cpu@0");
	tree_string(t, "device_type", "cpu");
	tree_u32(t, "reg", 0);
	tree_string(t, "riscv,isa", "rv64imafdc");
	tree_end(t);
	tree_end(t);
}

static void *rich_tree(int cells)
{
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x84000000, 0x1000);
	tree_memreserve(&t, 0x85000100, 0x123);
	tree_root(&t, cells);
	tree_string(&t, "model", "rich");
	tree_string(&t, "compatible", "rich,tree");
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "a=b quiet");
	tree_bytes(&t, "rng-seed", "0123456789abcdef", 16);
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_u64(&t, "linux,initrd-end", 0x88100000);
	tree_reg(&t, "linux,elfcorehdr", 0x8a000000, 0x1000);
	tree_end(&t);
	add_harts(&t);
	tree_memory(&t, 0x80000000, MIB(512));
	tree_node(&t, "memory@a0000000");
	tree_string(&t, "device_type", "memory");
	tree_u32(&t, "numa-node-id", 1);
	tree_flag(&t, "hotpluggable");
	tree_reg(&t, "reg", 0xb0000000, MIB(64), 0xa0000000, MIB(64));
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "fw", 0x80000000, 0x60000, "no-map");
	tree_region(&t, "pool", 0x90000000, MIB(4), "reusable");
	tree_node(&t, "two@91000000");
	tree_reg(&t, "reg", 0x91000000, 0x1000, 0x90300000, MIB(2));
	tree_string(&t, "status", "okay");
	tree_end(&t);
	tree_dynamic(&t, "dynamic", MIB(1), MIB(1));
	tree_end(&t);
	tree_dynamic(&t, "cma", MIB(2), 0);
	tree_pool(&t);
	tree_flag(&t, "reusable");
	tree_flag(&t, "linux,cma-default");
	tree_reg(&t, "alloc-ranges", 0x90000000, MIB(16), 0xa0000000, MIB(64));
	tree_end(&t);
	tree_dynamic(&t, "unmapped", 0x1800, 0);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "distance-map");
	tree_string(&t, "compatible", "numa-distance-map-v1");
	tree_bytes(&t, "distance-matrix", "\0\0\0\0\0\0\0\1\0\0\0\24", 12);
	tree_end(&t);
	tree_node(&t, "soc");
	tree_flag(&t, "ranges");
	tree_node(&t, "test@100000");
	tree_string(&t, "compatible", "sifive,test1");
	tree_reg(&t, "reg", 0x100000, 0x1000);
	tree_end(&t);
	tree_end(&t);
	return tree_finish(&t);
}

/* Enough ranges to need larger arrays. */
static void *crowded_tree(void)
{
	struct tree t;
	uint64_t i;

	tree_begin(&t);
	for (i = 0; i < 20; i++)
		tree_memreserve(&t, 0x84000000 + i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,usable-memory-range", 0x80000000, MIB(256), 0xa0000000, MIB(256));
	tree_end(&t);
	tree_memory(&t, 0x80000000, MIB(128));
	tree_memory(&t, 0x88000000, GIB(1));
	tree_reserved(&t);
	for (i = 0; i < 40; i++)
		tree_region(&t, "r", 0x90000000 + i * 0x3000, 0x1000, i % 3 ? NULL : "no-map");
	tree_end(&t);
	return tree_finish(&t);
}

/* ---- what must hold ---- */

static uint64_t cell_value(const fdt32_t *p, int cells)
{
	return cells == 2 ? (uint64_t)fdt32_ld(p) << 32 | fdt32_ld(p + 1) : fdt32_ld(p);
}

static bool is_okay(const void *fdt, int node)
{
	int len;
	const char *status = fdt_getprop(fdt, node, "status", &len);

	return !status || (len >= 5 && !memcmp(status, "okay", 5)) ||
	       (len >= 3 && !memcmp(status, "ok", 3));
}

static void expect_taken(const struct machine *m, uint64_t base, uint64_t size)
{
	if (size > PHYS_ADDR_MAX - base)
		size = PHYS_ADDR_MAX - base;
	if (size && !is_taken(m, base, size)) {
		print_error("0x%llx + 0x%llx is free\n", (unsigned long long)base,
			    (unsigned long long)size);
		fail();
	}
}

/* Calls @check for each entry of @node's property @name. */
static void each_entry(const struct machine *m, int node, const char *name, int addr, int size,
		       void (*check)(const struct machine *, uint64_t, uint64_t))
{
	int len, i, cells = addr + size;
	const fdt32_t *reg = fdt_getprop(m->fdt, node, name, &len);

	for (i = 0; reg && i < len / 4 / cells; i++)
		check(m, cell_value(reg + i * cells, addr),
		      cell_value(reg + i * cells + addr, size));
}

static int own_cells(const void *fdt, int node, const char *name, int absent)
{
	int len;
	const fdt32_t *value = fdt_getprop(fdt, node, name, &len);

	return !value ? absent : len == 4 ? (int)fdt32_ld(value) : -1;
}

static void expect_static_taken(const struct machine *m)
{
	const void *fdt = m->fdt;
	int addr = own_cells(fdt, 0, "#address-cells", 2),
	    size = own_cells(fdt, 0, "#size-cells", 1);
	int node, parent = fdt_subnode_offset(fdt, 0, "reserved-memory");

	/* With other cells there is more than one way to read it. */
	if (parent < 0 || own_cells(fdt, parent, "#address-cells", 0) != addr ||
	    own_cells(fdt, parent, "#size-cells", 0) != size)
		return;
	fdt_for_each_subnode(node, fdt, parent)
	{
		if (is_okay(fdt, node))
			each_entry(m, node, "reg", addr, size, expect_taken);
	}
}

/* Every page of the map is memory by some node's word. */
static void expect_memory_known(const struct machine *m)
{
	const void *fdt = m->fdt;
	int addr = own_cells(fdt, 0, "#address-cells", 2),
	    size = own_cells(fdt, 0, "#size-cells", 1);
	unsigned long i;

	for (i = 0; i < m->mb.memory.cnt; i++) {
		uint64_t base = m->mb.memory.regions[i].base;
		bool known = false;
		int node, len, k;

		fdt_for_each_subnode(node, fdt, 0)
		{
			const char *type = fdt_getprop(fdt, node, "device_type", &len);
			const fdt32_t *reg;

			if (!type || len < 7 || memcmp(type, "memory", 7) || !is_okay(fdt, node))
				continue;
			reg = fdt_getprop(fdt, node, "linux,usable-memory", &len);
			if (!reg)
				reg = fdt_getprop(fdt, node, "reg", &len);
			for (k = 0; reg && k < len / 4 / (addr + size); k++) {
				uint64_t at = cell_value(reg + k * (addr + size), addr);
				uint64_t n = cell_value(reg + k * (addr + size) + addr, size);

				known |= base >= at && base - at < n;
			}
		}
		assert_true(known);
	}
}

static void expect_sound(const struct machine *m)
{
	uint64_t base, size;
	int i;

	assert_true(memblock_is_valid(&m->mb));
	expect_taken(m, IMAGE_BASE, IMAGE_SIZE);
	expect_taken(m, TREE_BASE, m->info.totalsize);
	for (i = 0; i < fdt_num_mem_rsv(m->fdt); i++) {
		assert_int_equal(fdt_get_mem_rsv(m->fdt, i, &base, &size), 0);
		expect_taken(m, base, size);
	}
	expect_static_taken(m);
	expect_memory_known(m);
}

/*
 * Dynamic regions: where @before has free memory, apart from each other, and kept from now on. They
 * are the ones that the tree has, and lie at what they ask for.
 */
static void expect_well_placed(struct machine *m, const struct machine *before)
{
	const struct dt_info *info = &m->info;
	uint32_t i, j;

	assert_int_equal(info->nr_dynamic,
			 info->nr_dynamic_bad + info->nr_dynamic_placed + info->nr_dynamic_failed);
	assert_true(info->nr_regions <= MACHINE_REGIONS);
	for (i = 0; i < info->nr_regions; i++) {
		const struct dt_region *r = &m->regions[i];

		if (!(r->flags & DT_REGION_DYNAMIC))
			continue;
		assert_true(r->base >= PAGE_SIZE && r->size);
		assert_true(memblock_is_region_memory(&before->mb, r->base, r->size));
		assert_false(memblock_is_region_reserved(&before->mb, r->base, r->size));
		assert_true(memblock_is_map_memory(&before->mb, r->base));
		assert_true(memblock_is_map_memory(&before->mb, r->base + r->size - 1));
		for (j = 0; j < i; j++)
			assert_false((m->regions[j].flags & DT_REGION_DYNAMIC) &&
				     r->base < m->regions[j].base + m->regions[j].size &&
				     m->regions[j].base < r->base + r->size);
		assert_true(is_taken(m, r->base, r->size));
	}
}

static struct machine before_placing;

/* What follows the map. */
static void go_on(struct machine *m)
{
	struct machine *before = &before_placing;
	struct dt_distances distances;

	/* The arrays are copied, for they are part of what is compared. */
	memblock_init(&before->mb, NULL);
	before->mb.memory = m->mb.memory;
	before->mb.reserved = m->mb.reserved;
	before->mb.memory.regions = malloc(m->mb.memory.cnt * sizeof(struct memblock_region));
	before->mb.reserved.regions = malloc(m->mb.reserved.cnt * sizeof(struct memblock_region));
	assert_true(before->mb.memory.regions && before->mb.reserved.regions);
	memcpy(before->mb.memory.regions, m->mb.memory.regions,
	       m->mb.memory.cnt * sizeof(struct memblock_region));
	memcpy(before->mb.reserved.regions, m->mb.reserved.regions,
	       m->mb.reserved.cnt * sizeof(struct memblock_region));
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, m->regions, MACHINE_REGIONS,
					  &m->out),
			 0);
	assert_true(memblock_is_valid(&m->mb));
	expect_well_placed(m, before);
	free(before->mb.memory.regions);
	free(before->mb.reserved.regions);
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, &m->out), 0);
	assert_int_equal(dt_read_distances(&m->info, m->fdt, &distances, &m->out), 0);
	assert_int_equal(dt_distance(&distances, 1, 1), DT_LOCAL_DISTANCE);
	nr_placed += m->info.nr_dynamic_placed;
	/* Half of memory goes: an initrd there is no longer one. */
	memblock_remove(&m->mb, 0x88000000, GIB(1));
	assert_int_equal(dt_recheck_initrd(&m->info, m->fdt, &m->mb, &m->out), 0);
	if (m->info.initrd_size)
		assert_true(memblock_is_region_memory(&m->mb, m->info.initrd_base,
						      m->info.initrd_size));
	assert_true(memblock_is_valid(&m->mb));
}

/* ---- running them ---- */

static void restart(struct machine *m)
{
	while (m->nr_arrays)
		free(m->arrays[--m->nr_arrays].at);
	m->text[0] = '\0';
	m->len = 0;
	memblock_init(&m->mb, &m->map);
}

/* Maps @size bytes of @blob, which are copied to a heap block of just the size they claim. */
static void run(struct machine *m, const void *blob, uint32_t size)
{
	uint32_t claimed = fdt_totalsize(blob);
	uint32_t room = claimed > size && claimed <= DT_MAX_SIZE ? claimed : size;
	phys_addr_t base, bytes;
	char name[16], *fdt = calloc(1, room);
	uint64_t ids[4];
	int ret;

	assert_non_null(fdt);
	memcpy(fdt, blob, size);
	/* A printer costs most of the time, so not always. */
	m->out.ctx = nr_run++ % 8 ? NULL : m;
	restart(m);
	ret = machine_load(m, fdt);
	assert_true(memblock_is_valid(&m->mb));
	if (ret) {
		assert_int_equal(m->mb.memory.cnt + m->mb.reserved.cnt, 0);
		if (m->out.ctx)
			assert_true(m->len > 0);
	} else {
		nr_booted++;
		expect_sound(m);
		dt_reserved_name(fdt, &m->info, 0x90000000, false, name, sizeof(name));
		assert_int_equal(dt_hart_ids(fdt, &m->info, ids, 4), m->info.nr_harts);
		if (nr_run % 2)
			go_on(m);
	}
	if (!dt_check(fdt, NULL))
		dt_find_compatible(fdt, "sifive,test1", &base, &bytes);
}

static void capture_sometimes(void *ctx, const char *fmt, va_list ap)
{
	struct machine *m = ctx;

	if (m)
		m->len += (size_t)vsnprintf(m->text, sizeof(m->text), fmt, ap);
}

static int setup(void **state)
{
	struct machine *m;

	if (machine_setup(state))
		return -1;
	m = *state;
	m->out.vprint = capture_sometimes;
	alarm(300); /* a hang is a failure */
	return 0;
}

static void *tree_number(int i)
{
	return i == 0 ? rich_tree(2) : i == 1 ? rich_tree(1) : crowded_tree();
}

static void test_every_bit(void **state)
{
	int tree;

	for (tree = 0; tree < NR_TREES; tree++) {
		unsigned char *blob = tree_number(tree);
		uint32_t size = fdt_totalsize(blob), bit;

		for (bit = 0; bit < 8 * size; bit++) {
			blob[bit / 8] ^= (unsigned char)(1U << bit % 8);
			run(*state, blob, size);
			blob[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		free(blob);
	}
}

/* Cut off every four bytes: with a header that says so, and with zeros behind the cut. */
static void test_every_truncation(void **state)
{
	int tree;

	for (tree = 0; tree < NR_TREES; tree++) {
		unsigned char *blob = tree_number(tree);
		uint32_t size = fdt_totalsize(blob), cut;

		for (cut = size & ~3U; cut >= FDT_V17_SIZE; cut -= 4) {
			fdt_set_totalsize(blob, cut);
			run(*state, blob, cut);
			fdt_set_totalsize(blob, size);
			memset(blob + cut, 0, size - cut);
			run(*state, blob, size);
		}
		free(blob);
	}
}

static void test_every_word(void **state)
{
	static const uint32_t values[] = { 0,          1,          2,          3,
					   4,          9,          0x7fffffff, 0x80000000,
					   0xfffffff0, 0xfffffff4, 0xfffffff8, 0xffffffff };
	int tree;

	for (tree = 0; tree < NR_TREES; tree++) {
		unsigned char *blob = tree_number(tree);
		uint32_t size = fdt_totalsize(blob), at, i;

		for (at = 0; at + 4 <= size; at += 4) {
			fdt32_t *word = (fdt32_t *)(void *)(blob + at), was = *word;

			for (i = 0; i < ARRAY_SIZE(values); i++) {
				*word = cpu_to_fdt32(values[i]);
				run(*state, blob, size);
			}
			*word = was;
		}
		free(blob);
	}
}

static uint32_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 16);
}

static void test_random_bytes(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned char *blobs[NR_TREES], *copy;
	uint32_t i, n;

	for (i = 0; i < NR_TREES; i++)
		blobs[i] = tree_number((int)i);
	copy = malloc(65536);
	assert_non_null(copy);
	for (i = 0; i < RANDOM_TREES; i++) {
		const unsigned char *blob = blobs[i % NR_TREES];
		uint32_t size = fdt_totalsize(blob);

		memcpy(copy, blob, size);
		for (n = 1 + next_random(&seed) % 8; n; n--)
			copy[next_random(&seed) % size] = (unsigned char)next_random(&seed);
		run(*state, copy, size);
	}
	free(copy);
	for (i = 0; i < NR_TREES; i++)
		free(blobs[i]);
}

/* That most damage is harmless, and some is not, shows that the tests above test something. */
static void test_both_ways_were_taken(void **state)
{
	(void)state;
	print_message("%llu trees, %llu mapped\n", (unsigned long long)nr_run,
		      (unsigned long long)nr_booted);
	assert_true(nr_run >= 100000);
	assert_true(nr_booted > nr_run / 10);
	assert_true(nr_booted < nr_run - nr_run / 10);
	assert_true(nr_placed > nr_booted / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_bit, setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_every_truncation, setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_every_word, setup, machine_teardown),
		cmocka_unit_test_setup_teardown(test_random_bytes, setup, machine_teardown),
		cmocka_unit_test(test_both_ways_were_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
