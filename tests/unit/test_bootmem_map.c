/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem made from a memblock map: which nodes, which bits, where the bitmaps lie, and that
 * memblock keeps the ledger. In the drawings a letter is a page: '.' free, 'R' reserved.
 */
#include "helper_bootmem.h"

#include <string.h>

static void add(struct helper_bootmem *h, uint64_t start_pfn, uint64_t end_pfn, int nid,
		uint32_t flags)
{
	assert_int_equal(memblock_add_node(&h->mb, PAGES(start_pfn), PAGES(end_pfn - start_pfn),
					   nid, flags),
			 0);
}

static void expect_node(const struct bootmem *bm, uint32_t i, uint64_t start_pfn, uint64_t end_pfn,
			int nid, uint32_t flags)
{
	assert_in_range(i, 0, bm->nr_nodes - 1);
	assert_int_equal(bm->bdata[i].node_boot_start, PAGES(start_pfn));
	assert_int_equal(bm->bdata[i].node_low_pfn, end_pfn);
	assert_int_equal(bm->bdata[i].nid, nid);
	assert_int_equal(bm->bdata[i].flags, flags);
}

/*
 *   frames  16        32    40        48        56        64          G + 64   G + 80
 *           | node 0  |     | node 0  | node 1  | 1,      | 1, NOMAP  |  large | 1 |
 *           |         | gap |         |         | HOTPLUG |           |  gap   |   |
 *   bdata   [-------- 0 --------------][-- 1 --][-- 2 --]                      [ 3 ]
 */
static void test_nodes(void **state)
{
	struct helper_bootmem *h = *state;
	uint64_t far = 64 + BOOTMEM_GAP_PAGES + 1;

	add(h, 16, 32, 0, 0);
	add(h, 40, 48, 0, 0);
	add(h, 48, 56, 1, 0);
	add(h, 56, 60, 1, MEMBLOCK_HOTPLUG);
	add(h, 60, 64, 1, MEMBLOCK_NOMAP);
	add(h, far, far + 16, 1, 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.nr_nodes, 4);
	expect_node(&h->bm, 0, 16, 48, 0, 0);
	expect_node(&h->bm, 1, 48, 56, 1, 0);
	expect_node(&h->bm, 2, 56, 60, 1, MEMBLOCK_HOTPLUG);
	expect_node(&h->bm, 3, far, far + 16, 1, 0);
	expect_bits(&h->bm, 16, "................RRRRRRRR....................RRRR");
	/* The bitmaps: a page each, from the top, memblock's too. */
	expect_bits(&h->bm, far, "............RRRR");
	expect_map(&h->mb, reserved, { PAGES(far + 12), PAGES(4), ALLOC(CAUSE_BOOTMEM), NONE });
	assert_int_equal(h->bm.min_low_pfn, 16);
	assert_int_equal(h->bm.max_low_pfn, far + 16);
	assert_int_equal(h->bm.max_pfn, far + 16);
	assert_int_equal(h->bm.saved_max_pfn, far + 16);
	assert_int_equal(h->bm.nr_all_pages, 16 + 8 + 8 + 4 + 16);
	assert_int_equal(h->bm.max_dma_address, MAX_DMA_ADDRESS);
	helper_check_follows(&h->bm, &h->mb);
}

/* A gap as large as allowed, and NOMAP or a driver's memory between two banks: one node. */
static void test_gaps(void **state)
{
	struct helper_bootmem *h = *state;
	uint64_t far = 32 + BOOTMEM_GAP_PAGES;

	add(h, 16, 20, NONE, 0);
	add(h, 20, 24, NONE, MEMBLOCK_NOMAP);
	add(h, 24, 26, NONE, 0);
	add(h, 26, 28, NONE, MEMBLOCK_DRIVER_MANAGED);
	add(h, 28, 32, NONE, 0);
	add(h, far, far + 4, NONE, 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.nr_nodes, 1);
	expect_node(&h->bm, 0, 16, far + 4, NONE, 0);
	expect_bits(&h->bm, 16, "....RRRR..RR....RRRR");
	/* 32804 bits take a page and 5 bytes, and the array comes before them. */
	assert_int_equal(h->bm.bdata[0].map_pages, 2);
	expect_bits(&h->bm, far - 2, "RR..RRRR");
	helper_check_follows(&h->bm, &h->mb);
}

/* Where RAM begins above 4 GiB, it begins above the default goal. */
static void test_high_ram(void **state)
{
	struct helper_bootmem *h = *state;

	helper_ram_free(&h->ram);
	helper_ram_init(&h->ram, GIB(8), MIB(1));
	assert_int_equal(memblock_add(&h->mb, GIB(8), MIB(1)), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.max_dma_address, GIB(8));
}

/*
 * Memory is rounded inwards, what is reserved outwards; pages that nobody has as a whole are not
 * free; frame 0 is not.      x: reserved bytes
 *   frames     0  1  2  3  4   5   6   7   8
 *   memory    |-----------------)  (----------   5.5 to 6.25: none
 *   reserved        x    xxx|xxx               one byte in 2; 3.5 to 4 one cause, 4 to 4.5 another
 *   bits       R  .  R  R  R   R   R   .
 */
static void test_bits(void **state)
{
	struct helper_bootmem *h = *state;

	assert_int_equal(memblock_add(&h->mb, 0, PAGES(5) + 2048), 0);
	assert_int_equal(memblock_add(&h->mb, PAGES(6) + 1024, PAGES(30)), 0);
	assert_int_equal(memblock_reserve(&h->mb, PAGES(2) + 17, 1), 0);
	assert_int_equal(memblock_reserve_cause(&h->mb, PAGES(3) + 2048, 2048, CAUSE_IMAGE), 0);
	assert_int_equal(memblock_reserve_cause(&h->mb, PAGES(4), 2048, CAUSE_FDT), 0);
	/* Outside of memory, over its end, beyond everything. */
	assert_int_equal(memblock_reserve(&h->mb, PAGES(35) + 1024, PAGES(10)), 0);
	assert_int_equal(memblock_reserve(&h->mb, PAGES(100), PAGES(10)), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	expect_bits(&h->bm, 0, "R.RRRRR.........");
	expect_bits(&h->bm, 32, "..RRR");
	assert_int_equal(h->bm.bdata[0].node_low_pfn, 36);
	assert_true(memblock_is_region_reserved(&h->mb, 0, 1));
	helper_check_follows(&h->bm, &h->mb);
}

/* No frame 0 that is memory: none is reserved. One that is reserved in part stays so. */
static void test_frame_0(void **state)
{
	struct helper_bootmem *h = *state;

	add(h, 0, 4, NONE, 0);
	add(h, 8, 16, NONE, 0);
	assert_int_equal(memblock_reserve_cause(&h->mb, 100, 8, CAUSE_IMAGE), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	expect_map(&h->mb, reserved, { 100, 8, RSRV(CAUSE_IMAGE), NONE },
		   { PAGES(15), PAGES(1), ALLOC(CAUSE_BOOTMEM), NONE });
	expect_bits(&h->bm, 0, "R...RRRR.......R");
	assert_int_equal(free_bootmem(&h->bm, 0, PAGES(1)), -EMM_ERANGE);

	memblock_init(&h->mb, &h->ram.map);
	add(h, 8, 16, NONE, 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->mb.reserved.cnt, 1);
}

/*
 * Nothing is left behind by what fails. Three nodes of 4 pages, in which there is room for a page
 * of bitmap in as many as @room; then, with room enough, each request that the map refuses.
 */
static void test_failures(void **state)
{
	struct helper_bootmem *h = *state;
	struct helper_snapshot was;

	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), -EMM_ENOENT);
	assert_int_equal(memblock_add(&h->mb, PAGES(7) + 8, PAGES(1)), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), -EMM_ENOENT);
	add(h, 0, 4, 0, 0);
	add(h, 16, 20, 1, 0);
	add(h, 32, 36, 2, 0);
	for (unsigned int room = 0; room < 3; room++) {
		static const phys_addr_t free_pfn[] = { 2, 17, 34 };

		assert_int_equal(memblock_reserve(&h->mb, 0, PAGES(40)), 0);
		for (unsigned int i = 0; i < room; i++)
			assert_int_equal(memblock_free(&h->mb, PAGES(free_pfn[i]), PAGE_SIZE), 0);
		helper_snapshot_take(&was, &h->mb);
		assert_int_equal(do_init_bootmem(&h->bm, &h->mb), -EMM_ENOMEM);
		helper_snapshot_check(&was, &h->mb);
	}
	assert_int_equal(memblock_free(&h->mb, 0, PAGES(40)), 0);
	/* The array of nodes and three bitmaps. */
	for (unsigned int request = 1; request <= 4; request++) {
		helper_snapshot_take(&was, &h->mb);
		h->ram.refuse = request;
		assert_int_equal(do_init_bootmem(&h->bm, &h->mb), -EMM_EFAULT);
		helper_snapshot_check(&was, &h->mb);
	}
	h->ram.refuse = 5;
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_int_equal(h->bm.nr_nodes, 3);
}

/* Bitmaps come from the top, also where the map is bottom-up, and its direction stays. */
static void test_top_down(void **state)
{
	struct helper_bootmem *h = *state;

	add(h, 16, 32, NONE, 0);
	memblock_set_bottom_up(&h->mb, true);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	assert_true(h->mb.bottom_up);
	expect_bits(&h->bm, 16, "...............R");
}

/*
 * What is reserved, freed and allocated is so in memblock, in whole pages: a small allocation that
 * goes into the page before leaves no record.
 */
static void test_ledger(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;
	phys_addr_t pa;

	add(h, 16, 32, NONE, 0);
	assert_int_equal(do_init_bootmem(bm, &h->mb), 0);
	assert_int_equal(reserve_bootmem(bm, PAGES(20) + 8, 8), 0);
	assert_int_equal(alloc_bootmem_low(bm, 100, &pa), 0);
	assert_int_equal(alloc_bootmem_low(bm, 100, &pa), 0);
	assert_int_equal(pa, PAGES(16) + 128);
	expect_map(&h->mb, reserved, { PAGES(16), PAGES(1), ALLOC(CAUSE_ALLOC), NONE },
		   { PAGES(20), PAGES(1), RSRV(CAUSE_OTHER), NONE },
		   { PAGES(31), PAGES(1), ALLOC(CAUSE_BOOTMEM), NONE });
	assert_int_equal(alloc_bootmem_low(bm, PAGES(1), &pa), 0);
	assert_int_equal(free_bootmem(bm, PAGES(20), PAGES(1)), 0);
	assert_int_equal(free_bootmem(bm, PAGES(16), PAGES(1)), 0);
	expect_map(&h->mb, reserved, { PAGES(17), PAGES(1), ALLOC(CAUSE_ALLOC), NONE },
		   { PAGES(31), PAGES(1), ALLOC(CAUSE_BOOTMEM), NONE });
	expect_bits(bm, 16, ".R.............R");
	/* Where memblock says what it does, bootmem says it too; failures go where its warnings go. */
	h->mb.debug = &h->printer;
	assert_int_equal(alloc_bootmem_low_pages(bm, 1, &pa), 0);
	assert_int_equal(free_bootmem(bm, pa, PAGES(1)), 0);
	assert_non_null(strstr(h->out.text, "bootmem reserve: [0x0000000000010000"));
	assert_non_null(strstr(h->out.text, "bootmem free: [0x0000000000010000"));
	assert_null(bm->printer);
	h->mb.debug = NULL;
	h->mb.warn = &h->printer;
	memblock_free(&h->mb, PAGES(31), PAGES(1));
	assert_int_equal(do_init_bootmem(bm, &h->mb), 0);
	assert_ptr_equal(bm->printer, &h->printer);
	/* Nodes come from the map only. */
	assert_int_equal(init_bootmem_node(bm, 0, 1024, 40, 50, NULL), -EMM_ESTATE);
}

/* The reserved array is at its end and may not grow: an error, and neither side has changed. */
static void test_ledger_full(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;
	struct helper_snapshot was;
	phys_addr_t pa = 1;

	add(h, 16, 32, NONE, 0);
	/* One entry is left, for the bitmap. */
	for (uint64_t i = 0; i < INIT_MEMBLOCK_REGIONS - 1; i++)
		assert_int_equal(memblock_reserve(&h->mb, PAGES(100 + 2 * i), 1), 0);
	assert_int_equal(do_init_bootmem(bm, &h->mb), 0);
	h->mb.can_resize = false;
	helper_snapshot_take(&was, &h->mb);
	assert_int_equal(reserve_bootmem(bm, PAGES(20), 1), -EMM_ENOSPC);
	assert_int_equal(alloc_bootmem_low(bm, 100, &pa), -EMM_ENOSPC);
	assert_int_equal(pa, 1);
	expect_bits(bm, 16, "...............R");
	assert_int_equal(bm->bdata[0].last_offset, 0);
	helper_snapshot_check(&was, &h->mb);
}

/*
 * The array grows under an allocation: the new one is reserved in the bitmap too. When it grows
 * again, the first one's pages are free again.
 */
static void test_growth(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;
	struct memblock_array first;
	phys_addr_t pa;
	uint64_t pfn = 0x1000;

	add(h, 0x1000, 0x2000, NONE, 0);
	assert_int_equal(do_init_bootmem(bm, &h->mb), 0);
	/* Every second page, so that no two reservations merge. */
	for (; !h->mb.reserved_array.size; pfn += 2)
		assert_int_equal(reserve_bootmem(bm, PAGES(pfn), 1), 0);
	first = h->mb.reserved_array;
	assert_int_equal(first.base, PAGES(0x1ffe - PFN_UP(first.size) + 1));
	for (uint64_t i = 0; i < PFN_UP(first.size); i++)
		assert_true(helper_is_reserved(bm, PFN_DOWN(first.base) + i));
	helper_check_follows(bm, &h->mb);
	for (; h->mb.reserved_array.base == first.base; pfn += 2)
		assert_int_equal(__alloc_bootmem(bm, 1, PAGE_SIZE, PAGES(pfn), &pa), 0);
	assert_false(helper_is_reserved(bm, PFN_DOWN(first.base)));
	helper_check_follows(bm, &h->mb);
	/* By a free that splits an entry. */
	assert_int_equal(__alloc_bootmem(bm, PAGES(0x800), PAGE_SIZE, PAGES(pfn), &pa), 0);
	pfn = PFN_DOWN(pa) + 1;
	first = h->mb.reserved_array;
	for (; h->mb.reserved_array.base == first.base; pfn += 2)
		assert_int_equal(free_bootmem(bm, PAGES(pfn), PAGES(1)), 0);
	helper_check_follows(bm, &h->mb);
	assert_true(memblock_is_valid(&h->mb));
}

/* Not to be freed by hand: the bitmaps, memblock's arrays, what is no memory, what two share. */
static void test_may_not_free(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add(h, 16, 20, NONE, 0);
	add(h, 20, 24, NONE, MEMBLOCK_NOMAP);
	add(h, 24, 28, NONE, 0);
	add(h, 32, 40, NONE, 0);
	assert_int_equal(memblock_add(&h->mb, PAGES(40), 100), 0);
	assert_int_equal(memblock_add_node(&h->mb, PAGES(40) + 100, PAGES(2) - 100, 1, 0), 0);
	assert_int_equal(memblock_reserve_cause(&h->mb, PAGES(24), PAGES(1), CAUSE_MEMBLOCK), 0);
	assert_int_equal(memblock_reserve_cause(&h->mb, PAGES(28) - 8, 8, CAUSE_FDT), 0);
	assert_int_equal(memblock_reserve_cause(&h->mb, PAGES(30), PAGES(2) + 8, CAUSE_FDT), 0);
	assert_int_equal(do_init_bootmem(bm, &h->mb), 0);
	expect_bits(bm, 16, "....RRRRR..RRRRRR......RRRR");
	assert_int_equal(free_bootmem(bm, PAGES(39), PAGES(1)), -EMM_EBUSY);
	assert_int_equal(free_bootmem(bm, PAGES(24), PAGES(1)), -EMM_EBUSY);
	assert_int_equal(free_bootmem(bm, PAGES(20), PAGES(2)), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PAGES(30), PAGES(3)), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PAGES(29), PAGES(1)), -EMM_ERANGE);
	expect_bits(bm, 16, "....RRRRR..RRRRRR......RRRR");
	/* What is reserved in part is freed as a page. */
	assert_int_equal(free_bootmem(bm, PAGES(32), PAGES(1)), 0);
	assert_int_equal(free_bootmem(bm, PAGES(27), PAGES(1)), 0);
	expect_bits(bm, 16, "....RRRRR...RRRR.......RRRR");
	helper_check_follows(bm, &h->mb);
}

/* HOTPLUG memory is in a bitmap, but where movable_node says so not allocated from. */
static void test_hotplug(void **state)
{
	struct helper_bootmem *h = *state;
	phys_addr_t pa;

	add(h, 16, 20, 0, MEMBLOCK_HOTPLUG);
	add(h, 20, 28, 0, 0);
	h->mb.movable_node = true;
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	expect_bits(&h->bm, 16, "..........RR");
	assert_int_equal(alloc_bootmem_low_pages(&h->bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(20));
	h->mb.movable_node = false;
	assert_int_equal(alloc_bootmem_low_pages(&h->bm, 1, &pa), 0);
	assert_int_equal(pa, PAGES(16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bootmem_test(test_nodes),        bootmem_test(test_gaps),
		bootmem_test(test_high_ram),     bootmem_test(test_bits),
		bootmem_test(test_frame_0),      bootmem_test(test_failures),
		bootmem_test(test_top_down),     bootmem_test(test_ledger),
		bootmem_test(test_ledger_full),  bootmem_test(test_growth),
		bootmem_test(test_may_not_free), bootmem_test(test_hotplug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
