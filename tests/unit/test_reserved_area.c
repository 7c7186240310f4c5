/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved areas that go to the buddy after the handover, on maps with a drawing. */
#include "helper_handover.h"

#define RAM GIB(2)

static bool page_is_free(const struct helper_handover *f, phys_addr_t pa)
{
	return buddy_page_is_free(&f->mm.buddy, PFN_DOWN(pa));
}

/*
 *   |  image   |init-text|metadata|          free          |
 *   init memory goes; what it borders on stays
 */
static void test_init_memory(void **state)
{
	struct helper_handover *f = *state;
	struct mm_audit audit;

	helper_add_ram(f, RAM, MIB(64), NONE);
	memblock_reserve_cause(&f->h->mb, RAM, 0x40000, CAUSE_IMAGE);
	memblock_reserve_cause(&f->h->mb, RAM + 0x40000, 0x9000, CAUSE_INIT);
	helper_handover(f);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_INIT], 9);
	helper_expect_freed(f, RAM + 0x40000, 0x9000, 9);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_INIT], 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 64);
	for (phys_addr_t pa = RAM; pa < f->mm.meta_pa; pa += PAGE_SIZE)
		assert_int_equal(page_is_free(f, pa), pa >= RAM + 0x40000 && pa < RAM + 0x49000);
	/* Again: it is free. */
	helper_expect_refused(f, RAM + 0x40000, 0x9000, -EMM_EDOUBLE);
	helper_expect_refused(f, RAM + 0x48000, 0x1000, -EMM_EDOUBLE);
}

/*
 *   page:      0         1         2         3         4         5
 *   reserved:       [aaaaaaaaaaaaaaaaaa][bbbb](c)[dddddddddd]
 *   freed:          [------------------]            a: page 1, its edges stay
 *                                       [----]      b: page 3 is shared with c: nothing
 */
static void test_sub_page_edges(void **state)
{
	struct helper_handover *f = *state;
	phys_addr_t at = RAM + 0x100000;
	struct mm_audit audit;

	helper_add_ram(f, RAM, MIB(64), NONE);
	memblock_reserve_cause(&f->h->mb, at + 0x800, 0x2000, CAUSE_IMAGE);
	memblock_reserve_cause(&f->h->mb, at + 0x2800, 0xc00, CAUSE_FDT);
	memblock_reserve_cause(&f->h->mb, at + 0x3400, 0x40, CAUSE_INITRD);
	memblock_reserve_cause(&f->h->mb, at + 0x3440, 0x1400, CAUSE_ALLOC);
	helper_handover(f);
	helper_expect_freed(f, at + 0x800, 0x2000, 1);
	assert_true(page_is_free(f, at + 0x1000));
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 2);
	assert_int_equal(audit.reserved[CAUSE_FDT], 1);
	helper_expect_freed(f, at + 0x2800, 0xc00, 0);
	helper_expect_freed(f, at + 0x3400, 0x40, 0);
	helper_expect_freed(f, at + 0x3440, 0x1400, 0);
	/* Pages that are not wholly reserved, and that nobody may have: not those either. */
	helper_expect_refused(f, at, 0x1000, -EMM_EDOUBLE);
	helper_expect_refused(f, at + 0x4000, 0x1000, -EMM_EDOUBLE);
	/* Several causes at once: pages 2 and 3. */
	helper_expect_freed(f, at + 0x2000, 0x2000, 2);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE] + audit.reserved[CAUSE_FDT], 1);
	assert_int_equal(audit.reserved[CAUSE_ALLOC], 1);
}

/* No whole page, no page at all: nothing happens, also where nothing is reserved. */
static void test_nothing_to_free(void **state)
{
	struct helper_handover *f = *state;

	helper_add_ram(f, RAM, MIB(1), NONE);
	helper_handover(f);
	helper_expect_freed(f, RAM + 0x80000, 0, 0);
	helper_expect_freed(f, 0, 0, 0);
	helper_expect_freed(f, PHYS_ADDR_MAX, 0, 0);
	helper_expect_freed(f, RAM + 0x80001, 0x1ffe, 0);
	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, 0, 0, NULL), 0);
}

static void test_errors(void **state)
{
	struct helper_handover *f = *state;
	phys_addr_t at = RAM + 0x100000;

	helper_add_ram(f, RAM, GIB(1), NONE);
	memblock_mark_nomap(&f->h->mb, at + 0x8000, 0x2000);
	memblock_reserve(&f->h->mb, at, 0x10000);
	memblock_reserve(&f->h->mb, RAM + GIB(1) - 0x3000, 0x6000);
	helper_expect_refused(f, at, 0x1000, -EMM_ESTATE);
	helper_handover(f);
	f->h->mb.can_resize = true;
	helper_expect_refused(f, at, PHYS_ADDR_MAX - at + 1, -EMM_EINVAL);
	helper_expect_refused(f, PHYS_ADDR_MAX, 1, -EMM_EINVAL);
	assert_true(f->h->mb.can_resize);
	helper_expect_refused(f, at, PHYS_ADDR_MAX - at, -EMM_ERANGE);
	assert_false(f->h->mb.can_resize);
	helper_expect_refused(f, at, 0x9000, -EMM_ERANGE); /* no-map at its end */
	helper_expect_refused(f, at + 0x9000, 0x2000, -EMM_ERANGE); /* and at its start */
	helper_expect_refused(f, RAM + GIB(1) - 0x1000, 0x2000, -EMM_ERANGE); /* beyond memory */
	helper_expect_refused(f, RAM - 0x1000, 0x2000, -EMM_ERANGE);
	helper_expect_refused(f, RAM + GIB(1), 0x1000, -EMM_ERANGE);
	helper_expect_refused(f, at - 0x1000, 0x2000, -EMM_EDOUBLE); /* its first page is free */
	helper_expect_refused(f, at + 0xf000, 0x2000, -EMM_EDOUBLE);
	helper_expect_refused(f, RAM + MIB(32), 0x1000, -EMM_EDOUBLE);
	helper_expect_refused(f, f->mm.meta_pa, 0x1000, -EMM_EBUSY);
	helper_expect_freed(f, at, 0x8000, 8);
	helper_expect_freed(f, at + 0xa000, 0x6000, 6);
	helper_expect_freed(f, RAM + GIB(1) - 0x3000, 0x3000, 3);
}

/* Memory in use and memory in a hart's cache is not reserved: refused. */
static void test_in_use(void **state)
{
	struct helper_handover *f = *state;
	struct buddy_hart *hart;
	int64_t pfn, one;

	helper_add_ram(f, RAM, MIB(4), NONE);
	helper_handover(f);
	hart = f->mm.buddy.harts;
	pfn = buddy_alloc(hart, 3);
	one = buddy_alloc(hart, 0);
	assert_true(pfn > 0 && one > 0 && buddy_nr_held(hart) > 0);
	helper_expect_refused(f, PFN_PHYS(pfn), 0x8000, -EMM_EDOUBLE);
	helper_expect_refused(f, PFN_PHYS(one), 0x3000, -EMM_EDOUBLE);
	helper_expect_balance(f, 9);
}

/* Frame 0 is memory: it is nobody's, also when all around it becomes free. */
static void test_frame_0(void **state)
{
	struct helper_handover *f = *state;

	helper_add_ram(f, 0, MIB(4), NONE);
	memblock_reserve(&f->h->mb, 0, 0x8000);
	helper_handover(f);
	helper_expect_freed(f, 0, 0x8000, 7);
	assert_false(page_is_free(f, 0));
	assert_true(memblock_is_reserved(&f->h->mb, 0xfff));
	helper_expect_freed(f, 0, 0x1000, 0);
	helper_expect_refused(f, 0, 0x2000, -EMM_EDOUBLE);
}

/*
 * The limits of an allocator:      low       |      high
 *                                  [ rrrrrrrr|rrrr ]
 */
static void test_limits(void **state)
{
	struct helper_handover *f = *state;

	helper_add_ram(f, RAM, MIB(64), NONE);
	memblock_reserve(&f->h->mb, RAM + MIB(30), MIB(4));
	helper_handover_limits(f, PFN_DOWN(RAM + MIB(2)), PFN_DOWN(RAM + MIB(32)));
	helper_expect_refused(f, RAM + MIB(31), MIB(1) + 0x1000, -EMM_ERANGE);
	helper_expect_refused(f, RAM + MIB(32), 0x1000, -EMM_ERANGE);
	helper_expect_freed(f, RAM + MIB(30), MIB(2), 512);
	assert_int_equal(memblock_reserve(&f->h->mb, RAM, MIB(2)), 0);
	helper_expect_refused(f, RAM + MIB(1), MIB(1), -EMM_ERANGE);
}

/*
 * One reserved range over several entries of the memory map, which meet within a page:
 *    |   node 0    .mirror.  node 1 |
 *       [rrrrrrrrrrrrrrrrrrrrrrrr]         the pages at the dots never go
 */
static void test_entries_that_meet(void **state)
{
	struct helper_handover *f = *state;
	struct memblock *mb = &f->h->mb;
	struct mm_audit audit;

	helper_memsim_add(f->s, RAM, MIB(64));
	memblock_add_node(mb, RAM, MIB(8) + 0x14800, 0, 0);
	memblock_add_node(mb, RAM + MIB(8) + 0x14800, MIB(8), 0, MEMBLOCK_MIRROR);
	memblock_add_node(mb, RAM + MIB(16) + 0x14800, MIB(48) - 0x14800, 1, 0);
	memblock_reserve(mb, RAM + MIB(1), MIB(32));
	helper_handover(f);
	assert_int_equal(f->mm.nr_trees, 2);
	assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_PARTIAL], 2);
	helper_expect_freed(f, RAM + MIB(1), MIB(32), 32 * 256 - 2);
	assert_false(page_is_free(f, RAM + MIB(8) + 0x14000));
	assert_false(page_is_free(f, RAM + MIB(16) + 0x14000));
	assert_true(page_is_free(f, RAM + MIB(8) + 0x13000));
	assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_PARTIAL], 2);
	assert_int_equal(audit.reserved[CAUSE_OTHER], 0);
}

/* An entry that must be cut in two while the array is full; from its ends it goes. */
static void test_no_entry_left(void **state)
{
	struct helper_handover *f = *state;

	helper_add_ram(f, RAM, MIB(64), NONE);
	memblock_reserve(&f->h->mb, RAM + MIB(1), MIB(1));
	memblock_allow_resize(&f->h->mb);
	helper_memblock_fill_reserved(f->h, GIB(8), MIB(1), INIT_MEMBLOCK_REGIONS - 2);
	helper_handover(f);
	assert_int_equal(f->h->mb.reserved.cnt, INIT_MEMBLOCK_REGIONS);
	helper_expect_refused(f, RAM + MIB(1) + 0x1000, 0x1000, -EMM_ENOSPC);
	assert_false(f->h->mb.can_resize);
	helper_expect_freed(f, RAM + MIB(1), 0x1000, 1);
	helper_expect_freed(f, RAM + MIB(2) - 0x1000, 0x1000, 1);
	helper_expect_refused(f, RAM + MIB(1) + 0x2000, 0x1000, -EMM_ENOSPC);
	/* Across entries no cut is needed. */
	helper_expect_freed(f, RAM + MIB(1) + 0x1000, MIB(1) - 0x2000, 254);
	assert_int_equal(f->h->mb.reserved_array.size, 0);
}

/*
 * Holes of all sizes, around every border between words, freed in three pieces in each order: no
 * word below may be taken for written, or for new, that is not.
 */
static void test_every_order_of_pieces(void **state)
{
	static const unsigned int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
						   { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	static const uint64_t pages[] = {
		63, 64, 65, 127, 128, 4032, 4095, 4096, 4097, 8192, 8193
	};

	(void)state;
	for (unsigned int i = 0; i < 6 * ARRAY_SIZE(pages); i++) {
		uint64_t start = 4096 - 70 + i * 7, nr = pages[i / 6];
		uint64_t border[4] = { start, start + nr / 3, start + nr / 3 * 2, start + nr };
		struct helper_handover *f;

		helper_handover_setup((void **)&f);
		helper_memsim_add(f->s, RAM, MIB(128));
		memblock_add(&f->h->mb, RAM, MIB(128));
		memblock_reserve(&f->h->mb, RAM + PFN_PHYS(start), PFN_PHYS(nr));
		helper_handover(f);
		for (unsigned int j = 0; j < 3; j++) {
			uint64_t from = border[orders[i % 6][j]], to = border[orders[i % 6][j] + 1];

			helper_expect_freed(f, RAM + PFN_PHYS(from), PFN_PHYS(to - from),
					    to - from);
		}
		assert_int_equal(f->h->mb.reserved.cnt, 1);
		helper_handover_teardown((void **)&f);
	}
}

/*
 *   |..rrrrrrrr.rrrrrrrr......|      the dot between is less than a page: nobody ever had that
 *      [--]       [--]               page, and the hole goes on behind it
 */
static void test_gap_of_less_than_a_page(void **state)
{
	struct helper_handover *f = *state;
	const phys_addr_t at = RAM + MIB(1);

	helper_add_ram(f, RAM, MIB(64), NONE);
	memblock_reserve(&f->h->mb, at + 0x2000, 0x64000);
	memblock_reserve(&f->h->mb, at + 0x66040, MIB(1));
	helper_handover(f);
	helper_expect_freed(f, at + 0x45000, 0x1000, 1);
	helper_expect_freed(f, at + 0x87000, 0x1000, 1);
	helper_expect_refused(f, at + 0x66000, 0x1000, -EMM_EDOUBLE);
	helper_expect_freed(f, at + 0x2000, 0x43000, 0x43);
	helper_expect_freed(f, at + 0x46000, 0x20000, 0x20);
}

/* 5 GiB in the middle of 8 GiB are freed in pieces: all merges to blocks of 1 GiB. */
static void test_gigantic(void **state)
{
	struct helper_handover *f = *state;
	const phys_addr_t base = GIB(4) + MIB(300), end = GIB(9) + MIB(300);
	uint64_t counts[BUDDY_MAX_ORDER + 1];

	helper_memsim_add(f->s, RAM, GIB(8));
	memblock_add(&f->h->mb, RAM, GIB(8));
	memblock_reserve_cause(&f->h->mb, base, end - base, CAUSE_HUGEPAGES);
	helper_handover(f);
	for (phys_addr_t at = base + GIB(1); at < end; at += GIB(2))
		helper_expect_freed(f, at, GIB(1), GIB(1) / PAGE_SIZE);
	helper_expect_freed(f, base, 0x1000, 1);
	helper_expect_freed(f, base + 0x1000, GIB(1) - 0x1000, GIB(1) / PAGE_SIZE - 1);
	helper_expect_freed(f, base + GIB(2), GIB(1), GIB(1) / PAGE_SIZE);
	helper_expect_freed(f, base + GIB(4), GIB(1), GIB(1) / PAGE_SIZE);
	buddy_nr_blocks(&f->mm.buddy, counts);
	assert_int_equal(counts[BUDDY_MAX_ORDER], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		handover_test(test_init_memory),
		handover_test(test_sub_page_edges),
		handover_test(test_nothing_to_free),
		handover_test(test_errors),
		handover_test(test_in_use),
		handover_test(test_frame_0),
		handover_test(test_limits),
		handover_test(test_entries_that_meet),
		handover_test(test_no_entry_left),
		cmocka_unit_test(test_every_order_of_pieces),
		handover_test(test_gap_of_less_than_a_page),
		handover_test(test_gigantic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
