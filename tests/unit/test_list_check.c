/* SPDX-License-Identifier: BSD-2-Clause */
/* list_is_valid() sees each kind of damage, and follows no damaged link. */
#include "helper_list.h"

#include <stdlib.h>
#include <string.h>

#define BASE 0x80000

/*
 * Frames 0 to 15:  .|x|..|....|xxxx|..|h|h    h: with the hart, 0, 2, 4 and 12 head blocks on lists
 */
static struct helper_list *zone_with_all(void)
{
	struct helper_list *f = helper_list_new(BASE, BASE + 16, 4);

	assert_int_equal(list_claim(&f->z, BASE, 4), 0);
	assert_int_equal(list_split_page(&f->z, BASE, 4, 0), 0);
	for (unsigned int i = 0; i < 14; i++)
		if (i != 1 && (i < 8 || i > 11))
			assert_int_equal(list_free_pages(&f->harts[0], BASE + i, 0), 0);
	assert_int_equal(list_set_pcp(&f->harts[0], 1, 8), 0);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 14, 0), 0);
	assert_int_equal(list_free_pages(&f->harts[0], BASE + 15, 0), 0);
	expect_blocks(f, 1, 2, 1);
	return f;
}

/* Each damage: done to a good zone, seen, undone, good again. */
#define DAMAGED(f, ...)                               \
	do {                                          \
		helper_list_remember(f);              \
		__VA_ARGS__;                          \
		assert_false(list_is_valid(&(f)->z)); \
		restore(f);                           \
		assert_true(list_is_valid(&(f)->z));  \
	} while (0)

static void restore(struct helper_list *f)
{
	const char *at = f->snapshot;

	memcpy(f->memmap, at, f->memmap_bytes);
	memcpy(&f->z, at + f->memmap_bytes, sizeof(f->z));
	memcpy(f->harts, at + f->memmap_bytes + sizeof(f->z), sizeof(f->harts));
}

static struct page *page(struct helper_list *f, unsigned int i)
{
	return pfn_to_page(&f->z, BASE + i);
}

static void test_links(void **state)
{
	struct helper_list *f = zone_with_all();
	struct list_head outside = { &outside, &outside };
	struct free_area *area = f->z.free_area;

	(void)state;
	DAMAGED(f, page(f, 0)->lru.next = NULL);
	DAMAGED(f, page(f, 0)->lru.prev = NULL);
	DAMAGED(f, page(f, 2)->lru.next = &page(f, 2)->lru);
	DAMAGED(f, page(f, 2)->lru.next = &outside);
	DAMAGED(f, area[0].free_list.next = (struct list_head *)1);
	DAMAGED(f, area[1].free_list.next = (struct list_head *)UINTPTR_MAX);
	DAMAGED(f, area[1].free_list.prev = &area[1].free_list);
	DAMAGED(f, area[1].free_list.next = area[1].free_list.prev);
	DAMAGED(f, area[2].free_list.next = (struct list_head *)((char *)&page(f, 4)->lru + 8));
	DAMAGED(f, area[2].free_list.next = &page(f, 16)->lru);
	DAMAGED(f, area[3].free_list.next = &page(f, 4)->lru);
	DAMAGED(f, area[2] = (struct free_area){ { &area[2].free_list, &area[2].free_list }, 0 });
	DAMAGED(f, f->harts[0].pcp.lists[0].next = &outside);
	DAMAGED(f, f->harts[0].pcp.lists[0].next = NULL);
	DAMAGED(f, page(f, 14)->lru.next = &page(f, 15)->lru);
	helper_list_delete(f);
}

static void test_counters(void **state)
{
	struct helper_list *f = zone_with_all();

	(void)state;
	for (unsigned int order = 0; order <= LIST_MAX_ORDER; order++)
		DAMAGED(f, f->z.free_area[order].nr_free++);
	for (unsigned int order = 0; order < 3; order++)
		DAMAGED(f, f->z.free_area[order].nr_free--);
	DAMAGED(f, f->z.free_area[1].nr_free = UINT64_MAX);
	DAMAGED(f, f->harts[0].pcp.count++);
	DAMAGED(f, f->harts[0].pcp.count--);
	DAMAGED(f, f->harts[1].pcp.count++);
	DAMAGED(f, f->z.managed_pages = 10);
	DAMAGED(f, f->z.managed_pages++);
	DAMAGED(f, f->z.present_pages++);
	DAMAGED(f, f->z.present_pages--);
	DAMAGED(f, f->z.state = LIST_PLACED);
	DAMAGED(f, f->harts[1].zone = NULL);
	DAMAGED(f, f->harts[1].page0 += 64);
	helper_list_delete(f);
}

static void test_struct_pages(void **state)
{
	struct helper_list *f = zone_with_all();
	static const unsigned int not_heads[] = { 1, 3, 5, 6, 8, 13, 14, 15 };
	static const unsigned int unused[] = { 0, 2, 3, 4, 5, 7, 12, 13, 14, 15 };

	(void)state;
	/* PG_buddy if and only if it heads a block on a list. */
	for (unsigned int i = 0; i < ARRAY_SIZE(not_heads); i++)
		DAMAGED(f, page(f, not_heads[i])->flags |= PG_buddy);
	DAMAGED(f, page(f, 0)->flags = 0);
	DAMAGED(f, page(f, 4)->flags = 0);
	/* On the list of its order, and aligned. */
	DAMAGED(f, page(f, 0)->private = 1);
	DAMAGED(f, page(f, 4)->private = 1);
	DAMAGED(f, page(f, 4)->private = 3);
	DAMAGED(f, page(f, 4)->private = UINT64_MAX);
	/* Nobody has a page that is free. */
	for (unsigned int i = 0; i < ARRAY_SIZE(unused); i++) {
		DAMAGED(f, set_page_count(page(f, unused[i]), 1));
		DAMAGED(f, set_page_count(page(f, unused[i]), -1));
		DAMAGED(f, page(f, unused[i])->flags |= PG_reserved);
		DAMAGED(f, page(f, unused[i])->mapping = f);
	}
	helper_list_delete(f);
}

/* Puts a block on a list, as one that knows nothing of its neighbours would. */
static void push(struct helper_list *f, struct list_head *list, unsigned int i, unsigned int order,
		 bool buddy)
{
	struct page *p = page(f, i);

	p->private = order;
	p->flags = buddy ? PG_buddy : 0;
	set_page_count(p, 0);
	p->lru = (struct list_head){ list->next, list };
	list->next->prev = &p->lru;
	list->next = &p->lru;
}

static void free_beside(struct helper_list *f, unsigned int i, unsigned int order)
{
	push(f, &f->z.free_area[order].free_list, i, order, true);
	f->z.free_area[order].nr_free++;
}

static void hold(struct helper_list *f, unsigned int i, unsigned int order)
{
	push(f, &f->harts[1].pcp.lists[order], i, order, false);
	f->harts[1].pcp.count += 1ULL << order;
}

static void take_off(struct helper_list *f, unsigned int i, unsigned int order)
{
	struct page *p = page(f, i);

	p->lru.next->prev = p->lru.prev;
	p->lru.prev->next = p->lru.next;
	p->flags = 0;
	f->z.free_area[order].nr_free--;
}

static void test_overlaps(void **state)
{
	struct helper_list *f = zone_with_all();

	(void)state;
	f->z.managed_pages = f->z.present_pages = f->z.spanned_pages = 1000;
	/* Two buddies that did not merge. */
	DAMAGED(f, free_beside(f, 1, 0));
	/* Twice: inside another block, around one, in a hart's list besides, with two harts. */
	DAMAGED(f, free_beside(f, 6, 1));
	DAMAGED(f, {
		take_off(f, 0, 0);
		free_beside(f, 0, 2);
	});
	DAMAGED(f, hold(f, 5, 0));
	DAMAGED(f, hold(f, 6, 1));
	DAMAGED(f, free_beside(f, 14, 0));
	DAMAGED(f, free_beside(f, 14, 1));
	/* Not aligned, and not inside the zone. */
	DAMAGED(f, {
		set_page_count(page(f, 10), 0);
		free_beside(f, 9, 1);
	});
	DAMAGED(f, {
		set_page_count(page(f, 10), 0);
		hold(f, 9, 1);
	});
	DAMAGED(f, f->z.spanned_pages = 13);
	DAMAGED(f, f->z.start_pfn++);
	/* What is right in the same way is not damage. */
	free_beside(f, 8, 0);
	hold(f, 10, 0);
	f->harts[0].start_pfn = f->z.start_pfn;
	assert_true(list_is_valid(&f->z));
	helper_list_delete(f);
}

static void test_reports(void **state)
{
	struct helper_list *f = zone_with_all();
	static const bool is_free[] = { 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0 };

	(void)state;
	assert_int_equal(list_nr_free(&f->z), 9);
	assert_int_equal(list_nr_held(&f->harts[0]), 2);
	assert_int_equal(list_nr_held(&f->harts[1]), 0);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(list_page_is_free(&f->z, BASE + i), is_free[i]);
	assert_false(list_page_is_free(&f->z, BASE - 1));
	assert_false(list_page_is_free(&f->z, BASE + 16));
	assert_false(list_page_is_free(&f->z, UINT64_MAX));
	assert_true(list_pfn_valid(&f->z, BASE) && list_pfn_valid(&f->z, BASE + 15));
	assert_false(list_pfn_valid(&f->z, BASE - 1) || list_pfn_valid(&f->z, BASE + 16));
	helper_list_delete(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),        cmocka_unit_test(test_counters),
		cmocka_unit_test(test_struct_pages), cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
