/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list buddy call by call: splitting and merging, the harts' lists, blocks in use, and what is
 * refused. In the drawings a letter is a page: . free, x in use, and | is between blocks.
 */
#include "helper_list.h"

#define BASE 0x80000

static void take(struct helper_list *f, uint64_t pfn, unsigned int order)
{
	assert_int_equal(list_claim(&f->z, pfn, order), 0);
}

/* To the zone at once: high is 1. */
static void give(struct helper_list *f, uint64_t pfn, unsigned int order)
{
	assert_int_equal(list_free_pages(&f->harts[0], pfn, order), 0);
	assert_int_equal(list_nr_held(&f->harts[0]), 0);
}

static void test_struct_page(void **state)
{
	struct helper_list *f = helper_list_mapped(BASE, BASE + 16, 4);
	struct page *page = pfn_to_page(&f->z, BASE + 5);

	(void)state;
	assert_int_equal(sizeof(struct page), 64);
	assert_ptr_equal(page, (struct page *)f->memmap + 5);
	assert_int_equal(page_to_pfn(&f->z, page), BASE + 5);
	assert_int_equal(page_count(page), 1);
	set_page_count(page, 7);
	get_page(page);
	assert_int_equal(page_count(page), 8);
	init_page_count(page);
	assert_int_equal(page_count(page), 1);
	assert_false(PageReserved(page) || PageBuddy(page) || PageHead(page) || PageTail(page));
	assert_int_equal(compound_order(page), 0);
	assert_ptr_equal(compound_head(page), page);
	helper_list_delete(f);
}

/*
 *   ................   one block of 16
 *   x|.|..|....|........
 */
static void test_expand_and_merge(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);

	(void)state;
	expect_blocks(f, 0, 0, 0, 0, 1);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), BASE);
	expect_blocks(f, 1, 1, 1, 1, 0);
	assert_true(list_page_is_free(&f->z, BASE + 1));
	assert_false(list_page_is_free(&f->z, BASE));
	/* The smallest block that does: ..|.... of x|.|..|....|........ */
	assert_int_equal(list_alloc_pages(&f->harts[0], 2, 0), BASE + 4);
	expect_blocks(f, 1, 1, 0, 1, 0);
	assert_int_equal(list_alloc_pages(&f->harts[0], 3, 0), BASE + 8);
	expect_blocks(f, 1, 1, 0, 0, 0);
	assert_int_equal(list_alloc_pages(&f->harts[0], 2, 0), -EMM_ENOMEM);
	assert_int_equal(list_alloc_pages(&f->harts[0], 4, 0), -EMM_ENOMEM);
	give(f, BASE + 4, 2);
	expect_blocks(f, 1, 1, 1, 0, 0);
	give(f, BASE, 0); /* ........|xxxxxxxx */
	expect_blocks(f, 0, 0, 0, 1, 0);
	give(f, BASE + 8, 3);
	expect_blocks(f, 0, 0, 0, 0, 1);
	helper_list_delete(f);
}

/* Blocks of the largest order have no buddies; nor do odd ends of a zone. */
static void test_largest_order(void **state)
{
	struct helper_list *f = helper_list_new(BASE + 3, BASE + 21, 3);

	(void)state;
	/* .|....|........|....|. : frames 3, 4-7, 8-15, 16-19, 20 */
	expect_blocks(f, 2, 0, 2, 1);
	assert_int_equal(list_alloc_pages(&f->harts[0], 4, 0), -EMM_EINVAL);
	assert_int_equal(list_claim(&f->z, BASE + 16, 3), -EMM_ERANGE);
	assert_int_equal(list_claim(&f->z, BASE, 3), -EMM_ERANGE);
	for (unsigned int i = 0; i < 18; i++)
		assert_in_range(list_alloc_pages(&f->harts[0], 0, 0), BASE + 3, BASE + 20);
	expect_blocks(f, 0);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), -EMM_ENOMEM);
	for (unsigned int i = 0; i < 18; i++)
		give(f, BASE + 3 + i * 7 % 18, 0);
	expect_blocks(f, 2, 0, 2, 1);
	helper_list_delete(f);

	/* max_order 0: single pages, no merging at all. */
	f = helper_list_new(BASE, BASE + 5, 0);
	expect_blocks(f, 5);
	assert_int_equal(list_alloc_pages(&f->harts[0], 1, 0), -EMM_EINVAL);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), BASE + 4);
	give(f, BASE + 4, 0);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 4, 1), -EMM_EINVAL);
	expect_blocks(f, 5);
	helper_list_delete(f);
}

/*
 *   xx|..|xxxx    page 0 would merge at once with ..  if page 1 came: it is handed out last,
 *   .x|..|x.xx    though it came last
 */
static void test_tail_placement(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 8, 3);

	(void)state;
	take(f, BASE, 3);
	assert_int_equal(list_split_page(&f->z, BASE, 3, 0), 0);
	give(f, BASE + 2, 0);
	give(f, BASE + 3, 0);
	expect_blocks(f, 0, 1);
	give(f, BASE + 5, 0);
	give(f, BASE, 0);
	expect_blocks(f, 2, 1);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), BASE + 5);
	/* Without such a neighbour: last in, first out. */
	give(f, BASE + 5, 0);
	give(f, BASE + 6, 0);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), BASE + 6);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), BASE + 5);
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, 0), BASE);
	helper_list_delete(f);

	/* The same one order up: half a block of 8 is as far as it goes. */
	f = helper_list_new(BASE, BASE + 16, 3);
	take(f, BASE, 3);
	take(f, BASE + 8, 3);
	assert_int_equal(list_split_page(&f->z, BASE, 3, 1), 0);
	assert_int_equal(list_split_page(&f->z, BASE + 8, 3, 1), 0);
	give(f, BASE + 4, 1);
	give(f, BASE + 6, 1);
	give(f, BASE + 12, 1);
	give(f, BASE, 1);
	assert_int_equal(list_alloc_pages(&f->harts[0], 1, 0), BASE + 12);
	helper_list_delete(f);
}

/* 4 pages at a time; at 8 the hart gives the 4 oldest back. */
static void test_hart_lists(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 64, 6);
	struct list_hart *h = &f->harts[0];
	int64_t pfn[12];

	(void)state;
	assert_int_equal(list_set_pcp(h, 0, 8), -EMM_EINVAL);
	assert_int_equal(list_set_pcp(h, 4, 3), -EMM_EINVAL);
	assert_int_equal(list_set_pcp(h, 4, 8), 0);
	for (unsigned int i = 0; i < 12; i++) {
		pfn[i] = list_alloc_pages(h, 0, 0);
		assert_int_equal(pfn[i], BASE + i); /* rising, as the block is cut up */
		assert_int_equal(list_nr_held(h), 3 - i % 4);
		assert_int_equal(list_nr_free(&f->z), 60 - i / 4 * 4);
	}
	for (unsigned int i = 0; i < 7; i++)
		assert_int_equal(list_free_pages(h, (uint64_t)pfn[i], 0), 0);
	assert_int_equal(list_nr_held(h), 7);
	assert_int_equal(list_nr_free(&f->z), 52);
	assert_int_equal(list_free_pages(h, (uint64_t)pfn[7], 0), 0);
	assert_int_equal(list_nr_held(h), 4);
	assert_int_equal(list_nr_free(&f->z), 56);
	assert_true(list_page_is_free(&f->z, BASE + 3) && !list_page_is_free(&f->z, BASE + 4));
	assert_true(list_is_valid(&f->z));
	/* Last in, first out. */
	for (unsigned int i = 7; i >= 4; i--)
		assert_int_equal(list_alloc_pages(h, 0, 0), BASE + i);
	assert_int_equal(list_nr_held(h), 0);
	list_drain(h);
	assert_int_equal(list_nr_free(&f->z), 56);
	helper_list_delete(f);
}

/* The larger a block, the fewer at a time, but two at least; and orders share the count of pages. */
static void test_hart_orders(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 256, 8);
	struct list_hart *h = &f->harts[0];

	(void)state;
	assert_int_equal(list_set_pcp(h, 12, 100), 0);
	assert_in_range(list_alloc_pages(h, 1, 0), BASE, BASE + 254);
	assert_int_equal(list_nr_held(h), 10); /* 6 blocks, 1 in use */
	assert_in_range(list_alloc_pages(h, 2, 0), BASE, BASE + 252);
	assert_int_equal(list_nr_held(h), 10 + 8); /* 3, 1 */
	assert_in_range(list_alloc_pages(h, 3, 0), BASE, BASE + 248);
	assert_int_equal(list_nr_held(h), 10 + 8 + 8); /* 2, 1 */
	assert_in_range(list_alloc_pages(h, 4, 0), BASE, BASE + 240);
	assert_int_equal(list_nr_held(h), 26); /* straight from the zone */
	assert_true(list_is_valid(&f->z));
	list_drain(h);
	assert_int_equal(list_nr_held(h), 0);
	assert_int_equal(list_nr_free(&f->z), 256 - 2 - 4 - 8 - 16);
	assert_true(list_is_valid(&f->z));
	helper_list_delete(f);
}

/* batch and high by the size of the zone: what Linux computes for 4 KiB pages. */
static void test_pcp_sizes(void **state)
{
	static const uint64_t sizes[][2] = {
		{ 1, 1 },       { 12287, 1 },    { 12288, 3 },    { 20479, 3 },   { 24576, 7 },
		{ 32768, 7 },   { 65536, 15 },   { 131072, 31 },  { 176127, 31 }, { 176128, 63 },
		{ 262144, 63 }, { 1 << 20, 63 }, { 1 << 30, 63 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct helper_list *f = helper_list_mapped(0, 1, 0);

		f->z.managed_pages = sizes[i][0] - 1; /* as if so many had been added */
		assert_int_equal(list_add_range(&f->z, 0, 1), 0);
		for (unsigned int k = 0; k < 2; k++) {
			assert_int_equal(f->harts[k].pcp.batch, sizes[i][1]);
			assert_int_equal(f->harts[k].pcp.high, sizes[i][1] * 6);
		}
		helper_list_delete(f);
	}
}

/* Giving back starts with the list that became too long, and goes on with the others. */
static void test_give_back_order(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 64, 6);
	struct list_hart *h = &f->harts[0];

	(void)state;
	take(f, BASE, 6);
	assert_int_equal(list_split_page(&f->z, BASE, 6, 1), 0);
	assert_int_equal(list_split_page(&f->z, BASE + 32, 1, 0), 0);
	assert_int_equal(list_set_pcp(h, 5, 8), 0);
	assert_int_equal(list_free_pages(h, BASE, 1), 0);
	assert_int_equal(list_free_pages(h, BASE + 4, 1), 0);
	assert_int_equal(list_free_pages(h, BASE + 8, 1), 0);
	assert_int_equal(list_free_pages(h, BASE + 32, 0), 0);
	expect_blocks(f, 0);
	/* 8 pages: 5 are to go, 2 of order 0, then 2 blocks of order 1, the oldest first. */
	assert_int_equal(list_free_pages(h, BASE + 33, 0), 0);
	assert_int_equal(list_nr_held(h), 2);
	expect_blocks(f, 0, 3);
	assert_true(list_page_is_free(&f->z, BASE) && list_page_is_free(&f->z, BASE + 33));
	assert_int_equal(list_alloc_pages(h, 1, 0), BASE + 8);
	/* Too many of order 1: those go first, and what has order 0 last. */
	assert_int_equal(list_split_page(&f->z, BASE + 16, 1, 0), 0);
	assert_int_equal(list_free_pages(h, BASE + 16, 0), 0);
	assert_int_equal(list_free_pages(h, BASE + 17, 0), 0);
	assert_int_equal(list_free_pages(h, BASE + 20, 1), 0);
	assert_int_equal(list_free_pages(h, BASE + 24, 1), 0);
	assert_int_equal(list_free_pages(h, BASE + 28, 1), 0);
	assert_int_equal(list_nr_held(h), 2);
	expect_blocks(f, 0, 6);
	assert_true(list_page_is_free(&f->z, BASE + 28) && !list_page_is_free(&f->z, BASE + 16));
	helper_list_delete(f);
}

/* All pages are with the hart, in pieces; a large block must be had nevertheless. */
static void test_drain_before_failure(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);
	struct list_hart *h = &f->harts[0], *other = &f->harts[1];

	(void)state;
	assert_int_equal(list_set_pcp(h, 16, 64), 0);
	assert_int_equal(list_alloc_pages(h, 0, 0), BASE);
	assert_int_equal(list_nr_held(h), 15);
	assert_int_equal(list_alloc_pages(h, 4, 0), -EMM_ENOMEM);
	assert_int_equal(list_nr_held(h), 0);
	assert_int_equal(list_free_pages(h, BASE, 0), 0);
	/* Page 0 is kept by the first hart, which is asked, and answers in its next free. */
	assert_int_equal(list_alloc_pages(other, 4, 0), -EMM_EAGAIN);
	assert_int_equal(list_alloc_pages(other, 3, 0), BASE + 8);
	assert_int_equal(list_nr_held(h), 1);
	assert_int_equal(list_free_pages(h, BASE + 8, 3), 0); /* on the other hart */
	assert_int_equal(list_nr_held(h), 8);
	assert_int_equal(list_request_drain(h), 0); /* the other has nothing */
	assert_int_equal(list_request_drain(other), 1);
	assert_int_equal(list_alloc_pages(h, 0, 0), BASE); /* its lists did not serve it */
	assert_int_equal(list_nr_held(h), 15);
	assert_int_equal(list_free_pages(h, BASE, 0), 0);
	assert_int_equal(list_nr_held(h), 16);
	assert_int_equal(list_alloc_pages(h, 4, 0), BASE);
	assert_int_equal(list_nr_held(h), 0);
	assert_int_equal(list_free_pages(other, BASE, 4), 0);
	expect_blocks(f, 0, 0, 0, 0, 1);
	helper_list_delete(f);
}

/* A request closes the fast path of frees until it is answered, and no longer. */
static void test_request(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);
	struct list_hart *h = &f->harts[0], *other = &f->harts[1];

	(void)state;
	assert_int_equal(list_set_pcp(h, 4, 64), 0);
	assert_int_equal(list_alloc_pages(h, 0, 0), BASE);
	assert_int_equal(list_alloc_pages(h, 0, 0), BASE + 1);
	assert_int_equal(h->fast_pages, 16);
	assert_int_equal(list_request_drain(other), 1);
	assert_int_equal(h->fast_pages, 0);
	assert_int_equal(list_nr_held(h), 2);
	assert_int_equal(list_free_pages(h, BASE, 0), 0);
	assert_int_equal(h->fast_pages, 16);
	assert_int_equal(h->request, 0);
	assert_int_equal(list_nr_held(h), 1); /* what was freed after the drain */
	assert_int_equal(list_free_pages(h, BASE + 1, 0), 0);
	assert_int_equal(list_nr_held(h), 2);
	/* A drain of its own is an answer, too. */
	assert_int_equal(list_request_drain(other), 1);
	list_drain(h);
	assert_int_equal(list_request_drain(other), 0);
	assert_int_equal(list_alloc_pages(other, 4, 0), BASE);
	assert_int_equal(list_alloc_pages(other, 0, 0), -EMM_ENOMEM);
	assert_int_equal(list_free_pages(other, BASE, 4), 0);
	expect_blocks(f, 0, 0, 0, 0, 1);
	helper_list_delete(f);
}

/* A reference more is a free more. */
static void test_references(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);

	(void)state;
	take(f, BASE + 4, 2);
	get_page(pfn_to_page(&f->z, BASE + 4));
	assert_int_equal(list_split_page(&f->z, BASE + 4, 2, 0), -EMM_EBUSY);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 4, 2), 0);
	assert_false(list_page_is_free(&f->z, BASE + 4));
	assert_int_equal(page_count(pfn_to_page(&f->z, BASE + 4)), 1);
	give(f, BASE + 4, 2);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 4, 2), -EMM_EDOUBLE);
	expect_blocks(f, 0, 0, 0, 0, 1);
	helper_list_delete(f);
}

static void test_split_page(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);

	(void)state;
	take(f, BASE + 8, 3);
	assert_int_equal(list_split_page(&f->z, BASE + 8, 3, 2), 0); /* xxxx|xxxx */
	give(f, BASE + 12, 2);
	expect_blocks(f, 0, 0, 1, 1);
	assert_int_equal(list_split_page(&f->z, BASE + 8, 2, 0), 0); /* x|x|x|x|.... */
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(page_count(pfn_to_page(&f->z, BASE + 8 + i)), 1);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 8, 2), -EMM_EINVAL);
	give(f, BASE + 9, 0);
	give(f, BASE + 11, 0);
	expect_blocks(f, 2, 0, 1, 1);
	give(f, BASE + 8, 0);
	give(f, BASE + 10, 0);
	expect_blocks(f, 0, 0, 0, 0, 1);

	take(f, BASE, 1);
	helper_list_remember(f);
	assert_int_equal(list_split_page(&f->z, BASE, 1, 2), -EMM_EINVAL);
	assert_int_equal(list_split_page(&f->z, BASE, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_split_page(&f->z, BASE, 5, 0), -EMM_EINVAL);
	assert_int_equal(list_split_page(&f->z, BASE + 1, 1, 0), -EMM_EINVAL);
	assert_int_equal(list_split_page(&f->z, BASE + 1, 0, 0), -EMM_EDOUBLE);
	assert_int_equal(list_split_page(&f->z, BASE + 2, 1, 0), -EMM_EDOUBLE);
	assert_int_equal(list_split_page(&f->z, BASE + 16, 1, 0), -EMM_ERANGE);
	helper_list_check_unchanged(f);
	helper_list_delete(f);
}

/* Tails know their head, while the block is in use; by order, through the lists and past them. */
static void test_compound(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 64, 6);
	static const unsigned int orders[] = { 1, 3, 4, 6 };

	(void)state;
	for (unsigned int n = 0; n < ARRAY_SIZE(orders); n++) {
		unsigned int order = orders[n];
		int64_t pfn = list_alloc_pages(&f->harts[0], order, LIST_COMP);
		struct page *head = pfn_to_page(&f->z, (uint64_t)pfn);

		assert_int_equal(pfn, BASE);
		assert_true(PageHead(head) && !PageTail(head));
		assert_int_equal(compound_order(head), order);
		for (uint64_t i = 0; i < 64; i++) {
			struct page *page = head + i;
			bool tail = i && i < 1ULL << order;

			assert_int_equal(PageTail(page), tail);
			assert_ptr_equal(compound_head(page), tail ? head : page);
		}
		assert_true(list_is_valid(&f->z));
		helper_list_remember(f);
		assert_int_equal(list_split_page(&f->z, BASE, order, 0), -EMM_EINVAL);
		assert_int_equal(list_free_pages(&f->harts[0], BASE + 1, 0), -EMM_EDOUBLE);
		assert_int_equal(list_free_pages(&f->harts[0], BASE, order - 1), -EMM_EINVAL);
		helper_list_check_unchanged(f);
		give(f, BASE, order);
		for (uint64_t i = 0; i < 64; i++)
			assert_false(PageHead(head + i) || PageTail(head + i));
		expect_blocks(f, 0, 0, 0, 0, 0, 0, 1);
	}
	/* One page is not compound, whatever was asked for. */
	assert_int_equal(list_alloc_pages(&f->harts[0], 0, LIST_COMP), BASE);
	assert_false(PageHead(pfn_to_page(&f->z, BASE)));
	helper_list_delete(f);
}

/*
 *   ................
 *   ........|....|.|x|..
 */
static void test_claim(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);

	(void)state;
	take(f, BASE + 13, 0);
	expect_blocks(f, 1, 1, 1, 1, 0);
	assert_true(list_page_is_free(&f->z, BASE + 12) && list_page_is_free(&f->z, BASE + 14));
	take(f, BASE, 2); /* xxxx|....|....|.|x|.. */
	expect_blocks(f, 1, 1, 2);
	take(f, BASE + 4, 2);
	helper_list_remember(f);
	assert_int_equal(list_claim(&f->z, BASE, 0), -EMM_EBUSY);
	assert_int_equal(list_claim(&f->z, BASE + 1, 0), -EMM_EBUSY);
	assert_int_equal(list_claim(&f->z, BASE + 8, 3), -EMM_EBUSY); /* a part is free */
	assert_int_equal(list_claim(&f->z, BASE + 1, 1), -EMM_EINVAL);
	assert_int_equal(list_claim(&f->z, BASE, 5), -EMM_EINVAL);
	assert_int_equal(list_claim(&f->z, BASE - 1, 0), -EMM_ERANGE);
	assert_int_equal(list_claim(&f->z, UINT64_MAX, 0), -EMM_ERANGE);
	assert_int_equal(list_claim(&f->z, BASE + 16, 0), -EMM_ERANGE);
	helper_list_check_unchanged(f);
	give(f, BASE, 2);
	give(f, BASE + 4, 2);
	assert_int_equal(list_set_pcp(&f->harts[0], 4, 8), 0);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 13, 0), 0);
	assert_int_equal(list_claim(&f->z, BASE + 13, 0), -EMM_EBUSY); /* with the hart */
	list_drain(&f->harts[0]);
	take(f, BASE, 4);
	give(f, BASE, 4);
	helper_list_delete(f);
}

/* Every mistake there is a code for, and nothing changes. Page 15 is reserved. */
static void test_wrong_frees(void **state)
{
	struct helper_list *f = helper_list_mapped(BASE, BASE + 16, 4);
	struct list_hart *h = &f->harts[0];
	struct page *page;

	(void)state;
	assert_int_equal(list_add_range(&f->z, BASE, BASE + 15), 0);
	assert_int_equal(
		list_reserve_bootmem_region(&f->z, PFN_PHYS(BASE + 15), PFN_PHYS(BASE + 16)), 0);
	assert_int_equal(list_set_pcp(h, 1, 8), 0);
	take(f, BASE, 0);
	take(f, BASE + 4, 2);
	take(f, BASE + 12, 0);
	assert_int_equal(list_free_pages(h, BASE + 12, 0), 0); /* with the hart */
	take(f, BASE + 13, 0);
	page = pfn_to_page(&f->z, BASE + 13);
	page->mapping = f;
	helper_list_remember(f);

	assert_int_equal(list_free_pages(h, BASE, 5), -EMM_EINVAL);
	assert_int_equal(list_free_pages(h, BASE, 64), -EMM_EINVAL);
	assert_int_equal(list_free_pages(h, BASE, ~0U), -EMM_EINVAL);
	assert_int_equal(list_free_pages(h, BASE + 6, 2), -EMM_EINVAL);
	assert_int_equal(list_free_pages(h, BASE + 15, 0), -EMM_EINVAL); /* reserved */
	assert_int_equal(list_free_pages(h, BASE + 13, 0), -EMM_EINVAL); /* mapped */
	assert_int_equal(list_free_pages(h, BASE, 1), -EMM_EINVAL); /* x. */
	assert_int_equal(list_free_pages(h, BASE + 4, 1), -EMM_EINVAL); /* a part */
	assert_int_equal(list_free_pages(h, BASE + 4, 0), -EMM_EINVAL);
	assert_int_equal(list_free_pages(h, BASE - 1, 0), -EMM_ERANGE);
	assert_int_equal(list_free_pages(h, BASE + 16, 0), -EMM_ERANGE);
	assert_int_equal(list_free_pages(h, BASE + 16, 4), -EMM_ERANGE);
	assert_int_equal(list_free_pages(h, 0, 0), -EMM_ERANGE);
	assert_int_equal(list_free_pages(h, UINT64_MAX, 0), -EMM_ERANGE);
	assert_int_equal(list_free_pages(h, UINT64_MAX << 4, 4), -EMM_ERANGE);
	assert_int_equal(list_free_pages(h, BASE + 1, 0), -EMM_EDOUBLE); /* a block */
	assert_int_equal(list_free_pages(h, BASE + 2, 0), -EMM_EDOUBLE);
	assert_int_equal(list_free_pages(h, BASE + 3, 0), -EMM_EDOUBLE); /* inside one */
	assert_int_equal(list_free_pages(h, BASE + 8, 2), -EMM_EDOUBLE);
	assert_int_equal(list_free_pages(h, BASE + 12, 0), -EMM_EDOUBLE); /* with the hart */
	assert_int_equal(list_free_pages(h, BASE + 5, 0), -EMM_EDOUBLE); /* inside a block in use */
	assert_int_equal(list_free_pages(h, BASE + 6, 1), -EMM_EDOUBLE);
	helper_list_check_unchanged(f);

	page->mapping = NULL;
	assert_int_equal(list_free_pages(h, BASE + 13, 0), 0);
	assert_int_equal(list_free_pages(h, BASE + 4, 2), 0);
	assert_int_equal(list_free_pages(h, BASE + 4, 2), -EMM_EDOUBLE);
	assert_int_equal(list_free_pages(h, BASE, 0), 0); /* above high: all of one list goes */
	list_drain(h);
	expect_blocks(f, 1, 1, 1, 1);
	helper_list_delete(f);
}

/* A page with damaged counts or flags is not taken back. */
static void test_bad_page_state(void **state)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);
	static const uint64_t flags[] = { PG_reserved, PG_buddy, PG_tail };
	struct list_hart *h = &f->harts[0];
	struct page *page = pfn_to_page(&f->z, BASE);

	(void)state;
	take(f, BASE, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		page->flags = flags[i];
		helper_list_remember(f);
		assert_int_equal(list_free_pages(h, BASE, 0), -EMM_EINVAL);
		helper_list_check_unchanged(f);
	}
	page->flags = 0;
	set_page_count(page, -1);
	assert_int_equal(list_free_pages(h, BASE, 0), -EMM_EDOUBLE);
	set_page_count(page, 1);
	give(f, BASE, 0);
	expect_blocks(f, 0, 0, 0, 0, 1);
	helper_list_delete(f);
}

/* Every page in every order, and back in an order that merges late. */
static void test_exhaust(void **state)
{
	(void)state;
	for (unsigned int order = 0; order <= 10; order++) {
		struct helper_list *f = helper_list_new(BASE, BASE + 2048, 10);
		struct list_hart *h = &f->harts[order % 2];
		uint64_t nr = 2048 >> order;

		assert_int_equal(list_set_pcp(h, 31, 186), 0);
		for (uint64_t i = 0; i < nr; i++) {
			int64_t pfn = list_alloc_pages(h, order, 0);

			assert_in_range(pfn, BASE, BASE + 2047);
			assert_int_equal((uint64_t)pfn & ((1ULL << order) - 1), 0);
		}
		assert_int_equal(list_alloc_pages(h, order, 0), -EMM_ENOMEM);
		assert_int_equal(list_alloc_pages(h, 0, 0), -EMM_ENOMEM);
		expect_blocks(f, 0);
		for (uint64_t i = 0; i < nr; i++) {
			uint64_t at = nr > 1 ? (i * 2 + (i * 2 >= nr)) % nr : 0;

			assert_int_equal(list_free_pages(h, BASE + (at << order), order), 0);
		}
		list_drain(h);
		expect_blocks(f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
		helper_list_delete(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_struct_page),
		cmocka_unit_test(test_expand_and_merge),
		cmocka_unit_test(test_largest_order),
		cmocka_unit_test(test_tail_placement),
		cmocka_unit_test(test_hart_lists),
		cmocka_unit_test(test_hart_orders),
		cmocka_unit_test(test_pcp_sizes),
		cmocka_unit_test(test_give_back_order),
		cmocka_unit_test(test_drain_before_failure),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_split_page),
		cmocka_unit_test(test_compound),
		cmocka_unit_test(test_claim),
		cmocka_unit_test(test_wrong_frees),
		cmocka_unit_test(test_bad_page_state),
		cmocka_unit_test(test_exhaust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
