/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of list_buddy share: lists, the order of a free block, the zone's lock. */
#ifndef MM_LIST_BUDDY_ZONE_H
#define MM_LIST_BUDDY_ZONE_H

#include <earlymm/error.h>
#include <earlymm/list_buddy.h>

_Static_assert(sizeof(void *) != 8 || sizeof(struct page) == 64, "struct page is a cache line");

/*
 * The zone's lock. There is none yet: one hart at a time uses a zone. All changes of free_area, and
 * of struct pages that are in it, lie between these two; a batch of blocks is one such section. What
 * lies outside is the hart's own: its lists, and the struct pages of blocks in them or in use.
 */
static inline void zone_lock(struct list_zone *z)
{
	(void)z;
}

static inline void zone_unlock(struct list_zone *z)
{
	(void)z;
}

static inline void list_init(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_insert(struct list_head *entry, struct list_head *prev,
			       struct list_head *next)
{
	entry->next = next;
	entry->prev = prev;
	next->prev = entry;
	prev->next = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *list)
{
	list_insert(entry, list, list->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	list_insert(entry, list->prev, list);
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

static inline struct page *lru_to_page(const struct list_head *entry)
{
	return (struct page *)((uintptr_t)entry - offsetof(struct page, lru));
}

static inline unsigned int buddy_order(const struct page *page)
{
	return (unsigned int)page->private;
}

static inline void set_buddy_order(struct page *page, unsigned int order)
{
	page->private = order;
	page->flags |= PG_buddy;
}

static inline uint64_t zone_end_pfn(const struct list_zone *z)
{
	return z->start_pfn + z->spanned_pages;
}

/* Frees a block whose pages have no references, in the zone's lists. Linux: __free_pages_ok. */
void list_free_to_zone(struct list_zone *z, uint64_t pfn, unsigned int order);

#endif
