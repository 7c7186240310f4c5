/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem's handover: the runs, then the bitmaps; by hand, by node, by zone, on the map of a real
 * i.MX6 board. In the drawings a letter is a page: 'F' free in the buddy, '-' not.
 */
#include "helper_bootmem.h"

#include <stdio.h>
#include <string.h>

#include <earlymm/early.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data/"
#endif

/* Metadata goes where no map has memory. */
#define META_PFN 0x8000

static void expect_buddy_at(const struct mm *mm, uint64_t start_pfn, const char *want,
			    const char *file, int line)
{
	char is[200] = "";
	size_t n = strlen(want);

	assert_true(n < sizeof(is));
	for (size_t i = 0; i < n; i++)
		is[i] = buddy_page_is_free(&mm->buddy, start_pfn + i) ? 'F' : '-';
	if (!strcmp(is, want))
		return;
	print_error("pages from 0x%llx are %s, expected %s\n", (unsigned long long)start_pfn, is,
		    want);
	_fail(file, line);
}
#define expect_buddy(mm, start_pfn, want) expect_buddy_at(mm, start_pfn, want, __FILE__, __LINE__)

static void add(struct helper_bootmem *h, uint64_t start_pfn, uint64_t end_pfn, int nid)
{
	assert_int_equal(
		memblock_add_node(&h->mb, PAGES(start_pfn), PAGES(end_pfn - start_pfn), nid, 0), 0);
}

static void ready(struct helper_bootmem *h, struct mm *mm, uint64_t start_pfn, uint64_t end_pfn)
{
	static uint64_t meta_pfn = META_PFN;

	helper_ready(mm, &h->mb, start_pfn, end_pfn, PAGES(meta_pfn));
	meta_pfn = META_PFN + (meta_pfn - META_PFN + 64) % 4096;
}

static void expect_balance(const struct helper_bootmem *h, const struct mm *mm, uint64_t managed)
{
	struct mm_audit audit;

	assert_int_equal(mm->state, MM_HANDED_OVER);
	assert_int_equal(mm_audit(mm, &h->mb, 0, &audit), 0);
	assert_int_equal(audit.managed, managed);
	assert_int_equal(audit.reserved[CAUSE_BOOTMEM], 0);
	assert_true(buddy_is_valid(&mm->buddy));
}

/*
 *   frames   16                  32
 *   memory   ................    reserved: 18, 20.5 to 21; the bitmap is 31
 *   bits     ..R.R..........R
 *   buddy    FF-F-FFFFFFFFFFF    the bitmap's page too
 */
static void test_runs_and_bitmap(void **state)
{
	struct helper_bootmem *h = *state;
	phys_addr_t pa = 1;

	add(h, 16, 32, NONE);
	assert_int_equal(memblock_reserve(&h->mb, PAGES(18), PAGES(1)), 0);
	assert_int_equal(memblock_reserve(&h->mb, PAGES(20) + 2048, 2048), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	expect_bits(&h->bm, 16, "..R.R..........R");
	assert_int_equal(mm_plan(&h->mm, &h->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), -EMM_ESTATE);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), 0);
	expect_buddy(&h->mm, 16, "FF-F-FFFFFFFFFFF");
	expect_balance(h, &h->mm, 14);
	/* The ledger has what was reserved before, and nothing of bootmem's. */
	expect_map(&h->mb, reserved, { PAGES(18), PAGES(1), 0, NONE },
		   { PAGES(20) + 2048, 2048, 0, NONE });
	/* There is no bootmem any more. */
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), -EMM_ESTATE);
	assert_int_equal(alloc_bootmem(&h->bm, 1, &pa), -EMM_ESTATE);
	assert_int_equal(reserve_bootmem(&h->bm, PAGES(16), 1), -EMM_ESTATE);
	assert_int_equal(free_bootmem(&h->bm, PAGES(18), PAGES(1)), -EMM_ESTATE);
	assert_int_equal(init_bootmem_node(&h->bm, 0, 1024, 40, 50, NULL), -EMM_ESTATE);
	assert_int_equal(pa, 1);
}

/*
 * Set up by hand, with the bitmap in the middle, between what is reserved and what is not:
 *   frames   0                                                               64 …  128
 *   bits     .RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRMM..............................   ....
 *   buddy    -                               FF (the bitmap, in a hole 1..34)
 * Frame 0 was freed by hand and is nobody's all the same.
 */
static void test_by_hand(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add(h, 0, 128, 0);
	assert_int_equal(init_bootmem(bm, 32, 128, NULL), 0);
	assert_int_equal(free_bootmem(bm, 0, PAGES(128)), 0);
	assert_int_equal(reserve_bootmem(bm, PAGES(1), PAGES(33)), 0);
	bm->bdata[0].map_pages = 2;
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem(bm, &h->mm), 0);
	expect_buddy(&h->mm, 0, "--------------------------------FFFFFFFF");
	assert_int_equal(h->mm.managed_pages, 128 - 32);
	assert_int_equal(buddy_nr_free(&h->mm.buddy), 128 - 32);
	assert_true(buddy_is_valid(&h->mm.buddy));
}

/* A bitmap outside of all nodes, or in what was never reserved, is not given twice, or at all. */
static void test_by_hand_elsewhere(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add(h, 16, 32, 0);
	add(h, 48, 64, 1);
	assert_int_equal(init_bootmem_node(bm, 0, 1024, 16, 32, NULL), 0);
	assert_int_equal(init_bootmem_node(bm, 1, 20, 48, 64, NULL), 0);
	assert_int_equal(free_bootmem(bm, PAGES(16), PAGES(16)), 0);
	assert_int_equal(free_bootmem(bm, PAGES(48), PAGES(8)), 0);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem(bm, &h->mm), 0);
	expect_buddy(&h->mm, 16, "FFFFFFFFFFFFFFFF");
	expect_buddy(&h->mm, 48, "FFFFFFFF--------");
	assert_int_equal(h->mm.managed_pages, 24);
	assert_int_equal(buddy_nr_free(&h->mm.buddy), 24);
}

/*
 * Bitmaps by hand next to one another, in what is reserved otherwise: each has the hole that the
 * ones before it leave. Frames 64 to 127 are one word of the tree; only bitmaps are freed in it.
 *   frames    64  …  100 101 102 103 104 …  127
 *   bitmap of          1   0   R   2
 */
static void test_bitmaps_side_by_side(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add(h, 64, 128, 0);
	add(h, 192, 256, 0);
	add(h, 320, 324, 0);
	assert_int_equal(init_bootmem_node(bm, 0, 101, 64, 128, NULL), 0);
	assert_int_equal(init_bootmem_node(bm, 0, 100, 192, 256, NULL), 0);
	assert_int_equal(init_bootmem_node(bm, 0, 103, 320, 324, NULL), 0);
	assert_int_equal(free_bootmem(bm, PAGES(320), PAGES(4)), 0);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(h->mm.nr_trees, 1);
	assert_int_equal(free_all_bootmem(bm, &h->mm), 0);
	expect_buddy(&h->mm, 96, "----FF-F------------------------");
	expect_buddy(&h->mm, 64, "--------------------------------");
	expect_buddy(&h->mm, 192, "--------------------------------");
	expect_buddy(&h->mm, 320, "FFFF");
	assert_int_equal(h->mm.managed_pages, 7);
	assert_int_equal(buddy_nr_free(&h->mm.buddy), 7);
	assert_true(buddy_is_valid(&h->mm.buddy));
}

/*
 * All of it is reserved but frame 64; the bitmaps lie in the second node, in a word of the tree that
 * nobody has written. What follows the first node's 64 bits in its page is garbage, and not read.
 *   frames    64 … 127    192 … 259  260 261  262 … 319
 *             F-------    ---------  F   F    ---------
 */
static void test_bitmaps_alone(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add(h, 64, 128, 0);
	add(h, 192, 320, 0);
	assert_int_equal(init_bootmem_node(bm, 0, 260, 64, 128, NULL), 0);
	assert_int_equal(init_bootmem_node(bm, 0, 261, 192, 320, NULL), 0);
	assert_int_equal(free_bootmem(bm, PAGES(64), PAGES(1)), 0);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem(bm, &h->mm), 0);
	expect_buddy(&h->mm, 64, "F---------------");
	expect_buddy(&h->mm, 256, "----FF----------");
	assert_int_equal(h->mm.managed_pages, 3);
	assert_int_equal(buddy_nr_free(&h->mm.buddy), 3);
	assert_true(buddy_is_valid(&h->mm.buddy));
}

/* Node by node; what has no number goes with the call for the rest; each goes once. */
static void test_by_node(void **state)
{
	struct helper_bootmem *h = *state;

	add(h, 16, 24, 1);
	add(h, 32, 40, 0);
	add(h, 48, 56, 1);
	add(h, 64, 72, NONE);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.nr_nodes, 4);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, -2), -EMM_EINVAL);
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, 5), -EMM_ESTATE);
	assert_false(h->bm.handed_over);
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, 1), 0);
	assert_int_equal(h->mm.state, MM_READY);
	expect_buddy(&h->mm, 16, "FFFFFFFF");
	expect_buddy(&h->mm, 32, "--------");
	expect_buddy(&h->mm, 48, "FFFFFFFF");
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, 1), -EMM_ESTATE);
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, 0), 0);
	assert_int_equal(h->mm.state, MM_READY);
	expect_buddy(&h->mm, 64, "--------");
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), 0);
	expect_buddy(&h->mm, 16, "FFFFFFFF");
	expect_buddy(&h->mm, 32, "FFFFFFFF");
	expect_buddy(&h->mm, 48, "FFFFFFFF");
	expect_buddy(&h->mm, 64, "FFFFFFFF");
	expect_balance(h, &h->mm, 32);
}

/*
 * Two zones of one node, the bitmap in the low one (the map's limit puts it there):
 *   frames   16            32            48
 *            |--- low ---M |--- high ---|      M goes to the low zone, after the high one
 */
static void test_zones(void **state)
{
	struct helper_bootmem *h = *state;
	struct mm high, other;

	add(h, 16, 48, NONE);
	memblock_set_current_limit(&h->mb, PAGES(32));
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.nr_nodes, 1);
	expect_bits(&h->bm, 16, "...............R................");
	ready(h, &h->mm, 0, 32);
	ready(h, &high, 32, UINT64_MAX);
	ready(h, &other, 31, 33);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), 0);
	assert_int_equal(h->mm.state, MM_HANDED_OVER);
	assert_int_equal(h->mm.managed_pages, 15);
	expect_buddy(&h->mm, 16, "FFFFFFFFFFFFFFF-");
	assert_int_equal(free_all_bootmem(&h->bm, &other), -EMM_ESTATE);
	assert_int_equal(free_all_bootmem(&h->bm, &high), 0);
	expect_buddy(&h->mm, 16, "FFFFFFFFFFFFFFFF");
	expect_buddy(&high, 32, "FFFFFFFFFFFFFFFF");
	expect_balance(h, &h->mm, 16);
	expect_balance(h, &high, 16);
}

/* A bitmap on the border of two zones goes to both; one that is outside of all stays reserved. */
static void test_zones_and_bitmap(void **state)
{
	struct helper_bootmem *h = *state;
	uint64_t pages = 8 * PAGE_SIZE + 64; /* two pages of bitmap, with the array */
	struct mm low, high;
	struct mm_audit audit;

	add(h, 16, 16 + pages, NONE);
	memblock_set_current_limit(&h->mb, PAGES(34));
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.bdata[0].map_pfn, 32);
	assert_int_equal(h->bm.bdata[0].map_pages, 2);
	ready(h, &low, 0, 33);
	ready(h, &high, 33, UINT64_MAX);
	assert_int_equal(free_all_bootmem(&h->bm, &low), 0);
	expect_buddy(&low, 16, "FFFFFFFFFFFFFFFF-");
	assert_int_equal(free_all_bootmem(&h->bm, &high), 0);
	expect_buddy(&low, 16, "FFFFFFFFFFFFFFFFF");
	expect_buddy(&high, 33, "FFFFFFFF");
	expect_balance(h, &low, 17);
	expect_balance(h, &high, pages - 17);

	/* Only above the bitmap: nobody has it, and it is still bootmem's. */
	memblock_init(&h->mb, &h->ram.map);
	add(h, 16, 48, NONE);
	memblock_set_current_limit(&h->mb, PAGES(20));
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	ready(h, &high, 24, UINT64_MAX);
	assert_int_equal(free_all_bootmem(&h->bm, &high), 0);
	expect_balance(h, &high, 24);
	ready(h, &low, 0, 20);
	assert_int_equal(free_all_bootmem(&h->bm, &low), -EMM_ESTATE);
	assert_int_equal(mm_audit(&low, &h->mb, 0, &audit), -EMM_ESTATE);
	assert_true(memblock_is_region_reserved(&h->mb, PAGES(19), PAGES(1)));

	/* One frame is left: the bitmap is still needed. */
	memblock_init(&h->mb, &h->ram.map);
	add(h, 16, 48, NONE);
	memblock_set_current_limit(&h->mb, PAGES(20));
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	ready(h, &low, 0, 47);
	assert_int_equal(free_all_bootmem(&h->bm, &low), 0);
	expect_buddy(&low, 16, "FFF-FFFF");
	assert_int_equal(mm_audit(&low, &h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_BOOTMEM], 1);
	assert_int_equal(h->bm.nr_nodes, 1);
	ready(h, &high, 47, 48);
	assert_int_equal(free_all_bootmem(&h->bm, &high), 0);
	expect_balance(h, &low, 31);
	expect_balance(h, &high, 1);
}

/* Bitmaps do not wait for zones that have nothing free; those come all the same, or never. */
static void test_zones_without_free_pages(void **state)
{
	struct helper_bootmem *h = *state;
	struct mm low, high;

	add(h, 16, 64, 0);
	assert_int_equal(memblock_reserve(&h->mb, PAGES(32), PAGES(32)), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	ready(h, &low, 16, 32);
	assert_int_equal(free_all_bootmem(&h->bm, &low), 0);
	assert_int_equal(h->bm.nr_nodes, 0);
	expect_balance(h, &low, 16);
	ready(h, &high, 32, 64);
	assert_int_equal(free_all_bootmem(&h->bm, &high), 0);
	expect_balance(h, &high, 0);
	expect_buddy(&high, 32, "--------");
	assert_int_equal(buddy_alloc(high.buddy.harts, 0), -EMM_ENOMEM);
	assert_int_equal(free_all_bootmem(&h->bm, &high), -EMM_ESTATE);
}

/* Zones ascend, do not overlap, and are not more than there is room for. */
static void test_zone_errors(void **state)
{
	struct helper_bootmem *h = *state;
	struct mm mm[BOOTMEM_MAX_ZONES + 1], low;

	add(h, 16, 24 + 4 * (BOOTMEM_MAX_ZONES + 2), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	for (unsigned int i = 0; i <= BOOTMEM_MAX_ZONES; i++)
		ready(h, &mm[i], 24 + 4 * i, 28 + 4 * i);
	ready(h, &low, 16, 24);
	assert_int_equal(free_all_bootmem(&h->bm, &mm[0]), 0);
	assert_int_equal(free_all_bootmem(&h->bm, &low), -EMM_ESTATE);
	for (unsigned int i = 1; i < BOOTMEM_MAX_ZONES; i++)
		assert_int_equal(free_all_bootmem(&h->bm, &mm[i]), 0);
	assert_int_equal(free_all_bootmem(&h->bm, &mm[BOOTMEM_MAX_ZONES]), -EMM_ENOSPC);
	assert_int_equal(mm[BOOTMEM_MAX_ZONES].state, MM_READY);
	expect_buddy(&mm[1], 24, "----FFFF----");

	/* Two nodes: the zone below would find something, but comes too late. */
	memblock_init(&h->mb, &h->ram.map);
	add(h, 16, 24, 0);
	add(h, 32, 40, 1);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	ready(h, &mm[0], 32, 40);
	assert_int_equal(free_all_bootmem(&h->bm, &mm[0]), 0);
	ready(h, &low, 16, 32);
	assert_int_equal(free_all_bootmem(&h->bm, &low), -EMM_EOVERLAP);
}

/* So many nodes that the array of them is larger than a page: all of its pages come back. */
static void test_many_nodes(void **state)
{
	struct helper_bootmem *h = *state;

	for (unsigned int i = 0; i < 100; i++)
		add(h, 16 + 16 * i, 32 + 16 * i, (int)(i % 2));
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.nr_nodes, 100);
	assert_true(100 * sizeof(struct bootmem_data) > 2 * PAGE_SIZE);
	assert_int_equal(h->bm.bdata[0].map_pages, PFN_UP(100 * sizeof(struct bootmem_data) + 8));
	helper_check_follows(&h->bm, &h->mb);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), 0);
	expect_balance(h, &h->mm, 1600);
	assert_int_equal(h->mb.reserved.cnt, 0);
}

/* Memory that mm_plan() did not see. */
static void test_map_changed(void **state)
{
	struct helper_bootmem *h = *state;

	add(h, 16, 32, 0);
	ready(h, &h->mm, 0, UINT64_MAX);
	add(h, 48, 64, 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), -EMM_ERANGE);
}

/*
 * Somebody has reserved with bootmem's cause next to the bitmap, on both sides, behind bootmem's
 * back, and the ledger has no entry for the split: an error, and the bitmap stays reserved. The
 * array must not grow: what memblock takes for free is the buddy's by then.
 *   frames   16                  60  61  62  63  64
 *                                        B   M   B
 */
static void test_ledger_full(void **state)
{
	struct helper_bootmem *h = *state;
	struct mm_audit audit;

	add(h, 16, 64, 0);
	assert_int_equal(memblock_reserve_kern(&h->mb, PAGES(62), PAGES(1), CAUSE_BOOTMEM), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	add(h, 64, 65, 0);
	assert_int_equal(memblock_reserve_kern(&h->mb, PAGES(64), PAGES(1), CAUSE_BOOTMEM), 0);
	for (uint64_t i = 0; h->mb.reserved.cnt < h->mb.reserved.max; i++)
		assert_int_equal(memblock_reserve(&h->mb, PAGES(100 + 2 * i), 1), 0);
	ready(h, &h->mm, 0, UINT64_MAX);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), -EMM_ENOSPC);
	assert_true(h->mb.can_resize);
	assert_int_equal(h->mb.reserved.max, INIT_MEMBLOCK_REGIONS);
	assert_int_equal(mm_audit(&h->mm, &h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_BOOTMEM], 3);
	assert_int_equal(audit.managed, 49 - 3);
}

static void imx6_read(struct helper_bootmem *h, uint64_t *lowmem_end)
{
	FILE *in = fopen(TEST_DATA "imx6-memory-map.txt", "r");
	unsigned long long a, b;
	char line[200];

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "memory %llx %llx", &a, &b) == 2)
			assert_int_equal(memblock_add(&h->mb, a, b), 0);
		else if (sscanf(line, "reserved %llx %llx", &a, &b) == 2)
			assert_int_equal(memblock_reserve(&h->mb, a, b), 0);
		else if (sscanf(line, "lowmem-end %llx", &a) == 1)
			*lowmem_end = a;
	}
	fclose(in);
	assert_int_equal(h->mb.reserved.cnt, 35);
}

/*
 * The counts that the board's kernel printed, from each early allocator; with bootmem's bitmap in
 * high and in low memory.
 */
static void imx6(struct helper_bootmem *h, enum early_kind kind, bool limited)
{
	phys_addr_t lowmem_end = 0;
	struct early e;
	struct mm high;

	memblock_init(&h->mb, &h->ram.map);
	imx6_read(h, &lowmem_end);
	if (limited)
		memblock_set_current_limit(&h->mb, lowmem_end);
	assert_int_equal(early_init(&e, kind, &h->mb), 0);
	if (kind == EARLY_BOOTMEM) {
		helper_check_follows(&e.bootmem, &h->mb);
		assert_int_equal(PAGES(e.bootmem.bdata[0].map_pfn) < lowmem_end, limited);
	}
	ready(h, &h->mm, 0, PFN_DOWN(lowmem_end));
	ready(h, &high, PFN_DOWN(lowmem_end), UINT64_MAX);
	assert_int_equal(early_free_all(&e, &h->mm), 0);
	assert_int_equal(early_free_all(&e, &high), 0);
	expect_balance(h, &h->mm, 0x2e2c8);
	expect_balance(h, &high, 0x1c000);
	assert_int_equal(h->mb.reserved.cnt, 35);
}

static void test_imx6(void **state)
{
	struct helper_bootmem *h = *state;

	helper_ram_free(&h->ram);
	helper_ram_init(&h->ram, 0, GIB(2));
	for (enum early_kind kind = 0; kind < NR_EARLY_KINDS; kind++) {
		imx6(h, kind, false);
		imx6(h, kind, true);
	}
}

/* RAM up to the last page that an address can have: the page behind it is not there. */
static void test_top_of_memory(void **state)
{
	struct helper_bootmem *h = *state;
	phys_addr_t base = PHYS_ADDR_MAX - MIB(1) + 1, pa = 1;
	uint64_t pfn = PFN_DOWN(base);

	helper_ram_free(&h->ram);
	helper_ram_init(&h->ram, base, MIB(1) - PAGE_SIZE);
	assert_int_equal(memblock_add(&h->mb, base, PHYS_ADDR_MAX), 0);
	assert_int_equal(memblock_reserve(&h->mb, PHYS_ADDR_MAX - 4, PHYS_ADDR_MAX), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.bdata[0].node_low_pfn, pfn + 255);
	helper_check_follows(&h->bm, &h->mb);
	assert_int_equal(alloc_bootmem(&h->bm, PAGES(2), &pa), 0);
	assert_int_equal(pa, base);
	assert_int_equal(reserve_bootmem(&h->bm, PHYS_ADDR_MAX - 4, 4), -EMM_ERANGE);
	assert_int_equal(reserve_bootmem(&h->bm, PHYS_ADDR_MAX - PAGES(3) - 8, 4), 0);
	assert_int_equal(free_bootmem(&h->bm, base, PHYS_ADDR_MAX - base), -EMM_EDOUBLE);
	assert_int_equal(free_bootmem(&h->bm, base, PAGES(1)), 0);
	assert_int_equal(alloc_bootmem_low_pages(&h->bm, PAGES(255), &pa), -EMM_ENOMEM);
	assert_int_equal(mm_plan(&h->mm, &h->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(alloc_bootmem_low_pages(&h->bm, h->mm.meta_bytes, &pa), 0);
	assert_int_equal(mm_set_metadata(&h->mm, &h->mb, pa), 0);
	assert_int_equal(mm_init(&h->mm, &h->mb), 0);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), 0);
	expect_balance(h, &h->mm, 255 - 2 - PFN_UP(h->mm.meta_bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bootmem_test(test_runs_and_bitmap),
		bootmem_test(test_by_hand),
		bootmem_test(test_by_hand_elsewhere),
		bootmem_test(test_bitmaps_side_by_side),
		bootmem_test(test_bitmaps_alone),
		bootmem_test(test_by_node),
		bootmem_test(test_zones),
		bootmem_test(test_zones_and_bitmap),
		bootmem_test(test_zones_without_free_pages),
		bootmem_test(test_zone_errors),
		bootmem_test(test_many_nodes),
		bootmem_test(test_map_changed),
		bootmem_test(test_ledger_full),
		bootmem_test(test_imx6),
		bootmem_test(test_top_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
