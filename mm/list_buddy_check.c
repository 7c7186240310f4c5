/* SPDX-License-Identifier: BSD-2-Clause */
/* What a zone has free, and whether its lists, struct pages and counters agree. */
#include "list_buddy_zone.h"

uint64_t list_nr_held(const struct list_hart *h)
{
	return h->pcp.count;
}

uint64_t list_nr_free(const struct list_zone *z)
{
	uint64_t pages = 0;

	for (unsigned int order = 0; order <= LIST_MAX_ORDER; order++)
		pages += z->free_area[order].nr_free << order;
	return pages;
}

void list_nr_blocks(const struct list_zone *z, uint64_t counts[LIST_MAX_ORDER + 1])
{
	for (unsigned int order = 0; order <= LIST_MAX_ORDER; order++)
		counts[order] = z->free_area[order].nr_free;
}

/* Does a free block of this order begin at @pfn? */
static bool is_free_block(const struct list_zone *z, uint64_t pfn, unsigned int order)
{
	const struct page *page = pfn_to_page(z, pfn);

	return PageBuddy(page) && page->private == order;
}

bool list_page_is_free(const struct list_zone *z, uint64_t pfn)
{
	if (!list_pfn_valid(z, pfn))
		return false;
	for (unsigned int order = 0; order <= z->max_order; order++)
		if (is_free_block(z, pfn & ~(((uint64_t)1 << order) - 1), order))
			return true;
	return false;
}

/* Is @entry the lru of a struct page of the memmap? Nothing is read through it. */
static bool is_lru(const struct list_zone *z, const struct list_head *entry)
{
	uintptr_t offset = (uintptr_t)entry - offsetof(struct page, lru) - z->page0;

	return offset % sizeof(struct page) == 0 && list_pfn_valid(z, offset / sizeof(struct page));
}

/*
 * Is the list whole, with just @nr entries, each of them good? A step is taken only to what is in
 * the memmap.
 */
static bool list_is_whole(const struct list_zone *z, const struct list_head *list, uint64_t nr,
			  unsigned int order,
			  bool (*good)(const struct list_zone *z, const struct page *page,
				       unsigned int order))
{
	const struct list_head *at = list;

	for (uint64_t i = 0; i <= nr; i++) {
		const struct list_head *next = at->next;

		if (next != list && !is_lru(z, next))
			return false;
		if (next->prev != at)
			return false;
		if (next == list)
			return i == nr;
		if (!good(z, lru_to_page(next), order))
			return false;
		at = next;
	}
	return false;
}

/* A block of pages that nobody has, inside the zone. */
static bool is_unused_block(const struct list_zone *z, uint64_t pfn, unsigned int order)
{
	uint64_t nr_pages = (uint64_t)1 << order;

	if ((pfn & (nr_pages - 1)) || pfn < z->start_pfn || pfn + nr_pages > zone_end_pfn(z))
		return false;
	for (uint64_t i = 0; i < nr_pages; i++) {
		const struct page *page = pfn_to_page(z, pfn + i);

		if (page_count(page) || page->mapping || (page->flags & ~(uint64_t)PG_buddy) ||
		    (i && PageBuddy(page)))
			return false;
	}
	return true;
}

static bool is_good_free_block(const struct list_zone *z, const struct page *page,
			       unsigned int order)
{
	uint64_t pfn = page_to_pfn(z, page);

	if (!is_free_block(z, pfn, order) || !is_unused_block(z, pfn, order))
		return false;
	return order == z->max_order || !is_free_block(z, pfn ^ ((uint64_t)1 << order), order);
}

static bool is_good_held_block(const struct list_zone *z, const struct page *page,
			       unsigned int order)
{
	uint64_t pfn = page_to_pfn(z, page);

	/* A block that is free besides has its first page in a free block, or one inside it. */
	return is_unused_block(z, pfn, order) && !PageBuddy(page) && !list_page_is_free(z, pfn);
}

static uint64_t count_entries(const struct list_zone *z, const struct list_head *list,
			      uint64_t most)
{
	const struct list_head *at = list->next;
	uint64_t nr = 0;

	while (at != list && nr <= most && is_lru(z, at)) {
		at = at->next;
		nr++;
	}
	return nr;
}

static bool hart_is_valid(const struct list_zone *z, const struct list_hart *h)
{
	uint64_t pages = 0;

	if (h->zone != z || h->page0 != z->page0)
		return false;
	for (unsigned int order = 0; order <= LIST_COSTLY_ORDER; order++) {
		const struct list_head *list = &h->pcp.lists[order];
		uint64_t nr = count_entries(z, list, h->pcp.count);

		if (!list_is_whole(z, list, nr, order, is_good_held_block))
			return false;
		pages += nr << order;
	}
	return pages == h->pcp.count;
}

/* Every PG_buddy in the memmap must be one of the @nr_blocks that were found on lists. */
static bool no_stray_buddies(const struct list_zone *z, uint64_t nr_blocks)
{
	uint64_t nr = 0;

	for (uint64_t pfn = z->map_start_pfn; pfn < z->map_end_pfn; pfn++)
		nr += list_pfn_valid(z, pfn) && PageBuddy(pfn_to_page(z, pfn));
	return nr == nr_blocks;
}

bool list_is_valid(const struct list_zone *z)
{
	uint64_t nr_blocks = 0, pages = list_nr_free(z);

	if (z->state < LIST_MAPPED)
		return false;
	for (unsigned int order = 0; order <= LIST_MAX_ORDER; order++) {
		const struct free_area *area = &z->free_area[order];

		if (order > z->max_order && area->nr_free)
			return false;
		if (!list_is_whole(z, &area->free_list, area->nr_free, order, is_good_free_block))
			return false;
		nr_blocks += area->nr_free;
	}
	for (uint32_t i = 0; i < z->nr_harts; i++) {
		if (!hart_is_valid(z, &z->harts[i]))
			return false;
		pages += list_nr_held(&z->harts[i]);
	}
	return pages <= z->managed_pages && z->managed_pages <= z->present_pages &&
	       z->present_pages <= z->spanned_pages && no_stray_buddies(z, nr_blocks);
}
