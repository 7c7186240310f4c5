/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of regions: pools and what may be lent, default pools, names, room. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY
#define DYN DT_REGION_DYNAMIC
#define CMA (DT_REGION_REUSABLE | DT_REGION_DMA_POOL | DT_REGION_LENDABLE | DT_REGION_CMA)

/* 1 GiB at 0x80000000, and /reserved-memory begun. */
static void begin(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
	tree_reserved(t);
}

static void place(struct machine *m, struct tree *t)
{
	tree_end(t);
	machine_boot(m, tree_finish(t));
	machine_place(m);
}

/* A static child that is a pool and, if @reusable, a CMA area; @flag may be NULL. */
static void pool(struct tree *t, const char *name, uint64_t base, uint64_t size, bool reusable,
		 const char *flag)
{
	tree_node(t, name);
	tree_pool(t);
	if (reusable)
		tree_flag(t, "reusable");
	if (flag)
		tree_flag(t, flag);
	tree_reg(t, "reg", base, size);
	tree_end(t);
}

static void dynamic_pool(struct tree *t, const char *name, uint64_t size, bool reusable,
			 const char *flag)
{
	tree_dynamic(t, name, size, 0);
	tree_pool(t);
	if (reusable)
		tree_flag(t, "reusable");
	if (flag)
		tree_flag(t, flag);
	tree_end(t);
}

/* What a child is decides whether it is listed: pools and dynamic ones now, the others later. */
static void test_kinds(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "plain", 0x90000000, 0x1000, NULL);
	tree_region(&t, "unmapped", 0x91000000, 100, "no-map");
	tree_region(&t, "lent", 0x92000000, MIB(2), "reusable");
	pool(&t, "cma", 0x94000000, MIB(4), true, NULL);
	pool(&t, "dma", 0x98000000, 0x1000, false, NULL);
	pool(&t, "far", 0x10000000, 0x1000, false, "no-map");
	tree_dynamic(&t, "size", 0x1000, 0);
	tree_end(&t);
	tree_dynamic(&t, "bad", 0, 0);
	tree_end(&t);
	place(m, &t);
	assert_int_equal(m->info.nr_pools, 4);
	assert_int_equal(m->info.nr_regions, 5);
	expect_region(m, "lent@92000000", 0x92000000, MIB(2),
		      DT_REGION_REUSABLE | DT_REGION_LENDABLE);
	expect_region(m, "cma", 0x94000000, MIB(4), CMA);
	expect_region(m, "dma", 0x98000000, 0x1000, DT_REGION_DMA_POOL);
	expect_region(m, "far", 0x10000000, 0x1000, DT_REGION_DMA_POOL | DT_REGION_NOMAP);
	expect_region(m, "size", 0xbffff000, 0x1000, DYN);
	/* In the tree's order. */
	assert_string_equal(m->regions[0].name, "lent@92000000");
	assert_string_equal(m->regions[4].name, "size");
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, &m->out), 0);
	assert_int_equal(m->info.nr_regions, 7);
	expect_region(m, "plain@90000000", 0x90000000, 0x1000, 0);
	expect_region(m, "unmapped@91000000", 0x91000000, 0x1000, DT_REGION_NOMAP);
	assert_string_equal(m->text, "dt: bad: size is not a number above 0 in one or two cells: "
				     "it will not be placed\n");
}

static void test_node_ids(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, MIB(256));
	tree_node(&t, "memory@90000000");
	tree_string(&t, "device_type", "memory");
	tree_u32(&t, "numa-node-id", 3);
	tree_reg(&t, "reg", 0x90000000, MIB(256));
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "a", 0x80000000, 0x1000, "reusable");
	tree_region(&t, "b", 0x98000000, 0x1000, "reusable");
	pool(&t, "c", 0x10000000, 0x1000, false, NULL);
	place(m, &t);
	assert_int_equal(region_named(m, "a@80000000")->nid, NUMA_NO_NODE);
	assert_int_equal(region_named(m, "b@98000000")->nid, 3);
	assert_int_equal(region_named(m, "c")->nid, NUMA_NO_NODE);
}

/* no-map wins over reusable; each entry of a child is a region. */
static void test_entries(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_node(&t, "two");
	tree_pool(&t);
	tree_flag(&t, "reusable");
	tree_flag(&t, "linux,cma-default");
	tree_reg(&t, "reg", 0x94000000, MIB(2), 0x98000000, MIB(4));
	tree_end(&t);
	pool(&t, "both", 0x90000000, MIB(2), true, "no-map");
	place(m, &t);
	assert_int_equal(m->info.nr_regions, 3);
	assert_int_equal(m->regions[0].base, 0x94000000);
	assert_int_equal(m->regions[0].flags, CMA | DT_REGION_CMA_DEFAULT);
	assert_int_equal(m->regions[1].base, 0x98000000);
	assert_int_equal(m->regions[1].flags, CMA);
	expect_region(m, "both", 0x90000000, MIB(2), DT_REGION_DMA_POOL | DT_REGION_NOMAP);
	assert_int_equal(times_said(m, "dt: "), 1);
	assert_true(said(m, "no-map and reusable exclude each other: kept as no-map"));
}

/* ---- what keeps a region from being lent ---- */

static void not_lent(struct machine *m, const char *name, const char *why)
{
	char text[160];

	snprintf(
		text, sizeof(text), "dt: %s: [0x%llx-0x%llx] is reserved, but cannot be lent: %s\n",
		name, (unsigned long long)region_named(m, name)->base,
		(unsigned long long)(region_named(m, name)->base + region_named(m, name)->size - 1),
		why);
	assert_true(said(m, text));
	assert_int_equal(region_named(m, name)->flags & (DT_REGION_LENDABLE | DT_REGION_CMA), 0);
}

/*
 *                80000000           90000000        c0000000
 *   memory          |--------------------|------------|
 *   outside  |---|
 *   across       |-----|
 *   split                            |------|    two nodes
 *   unmapped             |-----|                 a page of it is no-map
 */
static void test_lent_only_if_memory(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, MIB(256));
	tree_node(&t, "memory@90000000");
	tree_string(&t, "device_type", "memory");
	tree_u32(&t, "numa-node-id", 1);
	tree_reg(&t, "reg", 0x90000000, MIB(768));
	tree_end(&t);
	tree_reserved(&t);
	pool(&t, "outside", 0x70000000, MIB(4), true, NULL);
	pool(&t, "across", 0x7fe00000, MIB(4), true, NULL);
	pool(&t, "split", 0x8fe00000, MIB(4), true, NULL);
	pool(&t, "unmapped", 0x84000000, MIB(4), true, NULL);
	tree_region(&t, "page", 0x84001000, 0x1000, "no-map");
	pool(&t, "first", 0x86000000, MIB(4), true, NULL);
	tree_region(&t, "start", 0x86000000, 0x1000, "no-map");
	pool(&t, "good", 0x88000000, MIB(4), true, NULL);
	place(m, &t);
	not_lent(m, "outside", "it is not in one bank of mapped memory");
	not_lent(m, "across", "it is not in one bank of mapped memory");
	not_lent(m, "split", "it is not in one bank of mapped memory");
	not_lent(m, "unmapped", "it is not in one bank of mapped memory");
	not_lent(m, "first", "it is not in one bank of mapped memory");
	expect_region(m, "good", 0x88000000, MIB(4), CMA);
	assert_int_equal(m->info.nr_errors, 5);
}

static void test_lent_only_if_there_after_the_cut(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	pool(&t, "low", 0x88000000, MIB(4), true, NULL);
	pool(&t, "high", 0x98000000, MIB(4), true, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	memblock_enforce_memory_limit(&m->mb, MIB(256));
	machine_place(m);
	expect_region(m, "low", 0x88000000, MIB(4), CMA);
	not_lent(m, "high", "it is not in one bank of mapped memory");
}

/* Whatever is in use inside it, and was there first, is seen by its cause. */
static void test_lent_only_if_nothing_else(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x90100000, 0x1000);
	tree_memreserve(&t, 0x98000000, MIB(2));
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,elfcorehdr", 0x943ff000, 0x1000);
	tree_end(&t);
	tree_reserved(&t);
	pool(&t, "image", 0x80200000, MIB(2), true, NULL);
	pool(&t, "tree", 0x82000000, MIB(4), true, NULL);
	pool(&t, "msv", 0x90000000, MIB(2), true, NULL);
	pool(&t, "hdr", 0x94000000, MIB(4), true, NULL);
	pool(&t, "same", 0x98000000, MIB(2), true, NULL);
	tree_region(&t, "plain", 0x82200000, 0x1000, "reusable");
	place(m, &t);
	not_lent(m, "image", "part of it is reserved for something else");
	not_lent(m, "tree", "part of it is reserved for something else");
	not_lent(m, "msv", "part of it is reserved for something else");
	not_lent(m, "hdr", "part of it is reserved for something else");
	not_lent(m, "same", "part of it is reserved for something else");
	not_lent(m, "plain@82200000", "part of it is reserved for something else");
}

/* Two children have but one cause; neither of the two may be lent, the one beside them may. */
static void test_lent_only_if_no_other_region(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	pool(&t, "a", 0x90000000, MIB(4), true, NULL);
	tree_region(&t, "b", 0x903ff000, 0x1000, NULL);
	pool(&t, "c", 0x90400000, MIB(4), true, NULL);
	tree_node(&t, "d");
	tree_flag(&t, "reusable");
	tree_reg(&t, "reg", 0x98000000, MIB(4), 0x98200000, MIB(4));
	tree_end(&t);
	place(m, &t);
	not_lent(m, "a", "it overlaps another region");
	expect_region(m, "c", 0x90400000, MIB(4), CMA);
	not_lent(m, "d", "it overlaps another region");
	assert_int_equal(times_said(m, "cannot be lent"), 3);
}

/*
 *   8021f000     8021fe00  8021ff00  80220000
 *   ---- image -----|         |-lent-|
 *      |------------ no-map ---------|      refused: it is in use, and what is left is reserved
 */
static void test_lent_beside_refused_nomap(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int first;

	for (first = 0; first < 2; first++) {
		m->fixed[0].size = 0x1fe00;
		begin(&t);
		if (first)
			tree_region(&t, "lent", 0x8021ff00, 0x100, "reusable");
		tree_region(&t, "unmapped", 0x8021f000, 0x1000, "no-map");
		if (!first)
			tree_region(&t, "lent", 0x8021ff00, 0x100, "reusable");
		place(m, &t);
		assert_int_equal(m->info.nr_nomap_refused, 1);
		not_lent(m, "lent@8021ff00", "it overlaps another region");
		machine_again(m);
	}
}

/* Memory that the caller has taken out of the map by itself, in whole. */
static void test_lent_only_if_mapped(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	pool(&t, "a", 0x90000000, MIB(4), true, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(memblock_mark_nomap(&m->mb, 0x90000000, MIB(4)), 0);
	machine_place(m);
	not_lent(m, "a", "it is not in one bank of mapped memory");
}

/* Reserved in whole, lent in no part. */
static void test_unaligned_cma(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	pool(&t, "base", 0x90100000, MIB(2), true, "linux,cma-default");
	pool(&t, "size", 0x94000000, MIB(3), true, NULL);
	place(m, &t);
	expect_region(m, "base", 0x90100000, MIB(2), CMA & ~(uint32_t)DT_REGION_CMA);
	expect_region(m, "size", 0x94000000, MIB(3), CMA & ~(uint32_t)DT_REGION_CMA);
	assert_true(said(m, "dt: base: linux,cma-default is only for CMA areas: ignored\n"));
}

/* ---- the default pools ---- */

static void test_defaults(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	pool(&t, "cma0", 0x90000000, MIB(2), true, "linux,cma-default");
	dynamic_pool(&t, "dma0", MIB(1), false, "linux,dma-default");
	place(m, &t);
	assert_string_equal(m->text, "");
	expect_region(m, "cma0", 0x90000000, MIB(2), CMA | DT_REGION_CMA_DEFAULT);
	expect_region(m, "dma0", 0xbff00000, MIB(1),
		      DYN | DT_REGION_DMA_POOL | DT_REGION_DMA_DEFAULT);
	machine_again(m);

	begin(&t);
	dynamic_pool(&t, "cma0", MIB(2), true, "linux,cma-default");
	pool(&t, "dma0", 0x90000000, MIB(1), false, "linux,dma-default");
	place(m, &t);
	assert_string_equal(m->text, "");
	expect_region(m, "cma0", 0xbfe00000, MIB(2), DYN | CMA | DT_REGION_CMA_DEFAULT);
	expect_region(m, "dma0", 0x90000000, MIB(1), DT_REGION_DMA_POOL | DT_REGION_DMA_DEFAULT);
}

/* As firmware for boards without coherent DMA has it. */
static void test_nomap_default(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_dynamic(&t, "dma", MIB(1), 0);
	tree_pool(&t);
	tree_flag(&t, "no-map");
	tree_flag(&t, "linux,dma-default");
	tree_end(&t);
	place(m, &t);
	assert_string_equal(m->text, "");
	expect_region(m, "dma", 0xbff00000, MIB(1),
		      DYN | DT_REGION_NOMAP | DT_REGION_DMA_POOL | DT_REGION_DMA_DEFAULT);
}

/* The first that is a pool, and has a place, is the one. */
static void test_one_default_each(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	dynamic_pool(&t, "none", GIB(4), true, "linux,cma-default");
	pool(&t, "odd", 0x90100000, MIB(2), true, "linux,cma-default");
	dynamic_pool(&t, "first\x1b", MIB(2), true, "linux,cma-default");
	pool(&t, "second", 0x94000000, MIB(2), true, "linux,cma-default");
	dynamic_pool(&t, "third", MIB(2), true, "linux,cma-default");
	pool(&t, "dma1", 0x98000000, MIB(2), false, "linux,dma-default");
	dynamic_pool(&t, "dma2", MIB(2), false, "linux,dma-default");
	place(m, &t);
	expect_region(m, "first\x1b", 0xbfe00000, MIB(2), DYN | CMA | DT_REGION_CMA_DEFAULT);
	expect_region(m, "second", 0x94000000, MIB(2), CMA);
	expect_region(m, "third", 0xbfc00000, MIB(2), DYN | CMA);
	expect_region(m, "dma1", 0x98000000, MIB(2), DT_REGION_DMA_POOL | DT_REGION_DMA_DEFAULT);
	expect_region(m, "dma2", 0xbfa00000, MIB(2), DYN | DT_REGION_DMA_POOL);
	assert_true(said(m, "dt: second: a second linux,cma-default, ignored: first? has it\n"));
	assert_true(said(m, "dt: third: a second linux,cma-default, ignored: first? has it\n"));
	assert_true(said(m, "dt: dma2: a second linux,dma-default, ignored: dma1 has it\n"));
	assert_true(said(m, "dt: odd: linux,cma-default is only for CMA areas: ignored\n"));
	assert_true(said(m, "dt: none: not placed"));
}

static void test_default_on_what_is_no_pool(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "a", 0x90000000, MIB(2), "linux,cma-default");
	pool(&t, "b", 0x92000000, MIB(2), false, "linux,cma-default");
	pool(&t, "c", 0x94000000, MIB(2), true, "linux,dma-default");
	tree_dynamic(&t, "d", MIB(2), 0);
	tree_flag(&t, "linux,dma-default");
	tree_end(&t);
	tree_region(&t, "e", 0x96000000, MIB(2), "linux,dma-default");
	place(m, &t);
	assert_true(said(m, "dt: e@96000000: linux,dma-default is only for"));
	assert_true(said(m, "dt: a@90000000: linux,cma-default is only for CMA areas: ignored"));
	assert_true(said(m, "dt: b: linux,cma-default is only for CMA areas: ignored\n"));
	assert_true(said(m, "dt: c: linux,dma-default is only for a shared-dma-pool that is not "
			    "reusable: ignored\n"));
	assert_true(said(m, "dt: d: linux,dma-default is only for a shared-dma-pool that is not "
			    "reusable: ignored\n"));
	expect_region(m, "a@90000000", 0x90000000, MIB(2), 0);
	expect_region(m, "c", 0x94000000, MIB(2), CMA);
	assert_int_equal(m->info.nr_errors, 5);
}

/* ---- the table's room, and names ---- */

static void test_table_is_full(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int i;

	begin(&t);
	for (i = 0; i < 3; i++) {
		dynamic_pool(&t, "d", MIB(1), false, NULL);
		pool(&t, "s", 0x90000000 + ((uint64_t)i << 24), MIB(1), false, NULL);
		tree_region(&t, "plain", 0xa0000000 + ((uint64_t)i << 24), 0x1000, NULL);
	}
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	memset(m->regions, 0x5a, sizeof(m->regions));
	assert_int_equal(dt_place_dynamic(&m->info, m->fdt, &m->mb, m->regions, 4, &m->out), 0);
	assert_int_equal(m->info.nr_regions, 4);
	assert_int_equal(m->info.nr_regions_dropped, 2);
	assert_int_equal(m->regions[4].flags, 0x5a5a5a5a);
	assert_string_equal(m->text, "dt: reserved-memory: 2 regions do not fit the table of 4: "
				     "they are reserved, but not listed\n");
	assert_int_equal(m->info.nr_dynamic_placed, 3);
	assert_true(is_taken(m, 0xbfd00000, MIB(3)));
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, &m->out), 0);
	assert_int_equal(m->info.nr_regions_dropped, 5);
	assert_true(said(m, "dt: reserved-memory: 3 regions do not fit the table of 4"));
	assert_int_equal(m->info.nr_errors, 2);
}

static void test_list_static_arguments(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	tree_region(&t, "plain", 0x90000000, 0x1000, NULL);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, NULL), -EMM_ESTATE);
	machine_place(m);
	assert_int_equal(dt_list_static(NULL, m->fdt, &m->mb, NULL), -EMM_EINVAL);
	assert_int_equal(dt_list_static(&m->info, NULL, &m->mb, NULL), -EMM_EINVAL);
	assert_int_equal(dt_list_static(&m->info, m->fdt, NULL, NULL), -EMM_EINVAL);
	assert_int_equal(m->info.nr_regions, 0);
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, NULL), 0);
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, NULL), -EMM_ESTATE);
	assert_int_equal(m->info.nr_regions, 1);
}

static void test_names_of_dynamic_regions(void **state)
{
	struct machine *m = *state;
	char name[16];
	struct tree t;

	begin(&t);
	tree_region(&t, "static", 0x90000000, 0x1000, NULL);
	tree_dynamic(&t, "mapped\x07", 0x2000, 0);
	tree_end(&t);
	tree_dynamic(&t, "unmapped", 0x1000, 0);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	/* Not placed yet: they have no addresses. */
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffe000, false, name, 16),
			 -EMM_ENOENT);
	machine_place(m);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffe000, false, name, 16), 0);
	assert_string_equal(name, "mapped?");
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffffff, false, name, 4), 0);
	assert_string_equal(name, "map");
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffdfff, true, name, 16), 0);
	assert_string_equal(name, "unmapped");
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffd000, true, name, 16), 0);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffd000, false, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffe000, true, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xbfffcfff, true, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0xc0000000, false, name, 16),
			 -EMM_ENOENT);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90000000, false, name, 16), 0);
	assert_string_equal(name, "static@90000000");
	/* A static region in the table is found by the tree, not twice. */
	assert_int_equal(dt_list_static(&m->info, m->fdt, &m->mb, NULL), 0);
	assert_int_equal(dt_reserved_name(m->fdt, &m->info, 0x90001000, false, name, 16),
			 -EMM_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_kinds),
		machine_test(test_node_ids),
		machine_test(test_entries),
		machine_test(test_lent_only_if_memory),
		machine_test(test_lent_only_if_there_after_the_cut),
		machine_test(test_lent_only_if_nothing_else),
		machine_test(test_lent_only_if_no_other_region),
		machine_test(test_lent_beside_refused_nomap),
		machine_test(test_lent_only_if_mapped),
		machine_test(test_unaligned_cma),
		machine_test(test_defaults),
		machine_test(test_nomap_default),
		machine_test(test_one_default_each),
		machine_test(test_default_on_what_is_no_pool),
		machine_test(test_table_is_full),
		machine_test(test_list_static_arguments),
		machine_test(test_names_of_dynamic_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
