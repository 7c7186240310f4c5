/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of list_buddy share: lists, the order of a free block, the zone's lock. */
#ifndef MM_LIST_BUDDY_ZONE_H
#define MM_LIST_BUDDY_ZONE_H

#include <earlymm/error.h>
#include <earlymm/list_buddy.h>
#include "queued_lock.h"

_Static_assert(sizeof(void *) != 8 || sizeof(struct page) == 64, "struct page is a cache line");

/*
 * The zone's lock. All changes of free_area, and of struct pages that are in it, lie between these
 * two; a section is a block, or a batch of blocks, or a drain of what one hart may keep. What lies
 * outside is the hart's own: its lists, and the struct pages of blocks in them or in use. Of those
 * others look at the flags, under the lock, for PG_buddy, which only changes under it.
 */
static inline void zone_lock(struct list_zone *z, struct queued_waiter *self)
{
	queued_lock(&z->lock, self);
}

static inline void zone_unlock(struct list_zone *z, const struct queued_waiter *self)
{
	queued_unlock(&z->lock, self);
}

/* A page's flags are written by whoever has the page, and read by others: in one piece each. */
static inline void set_page_flags(struct page *page, uint64_t flags)
{
	atomic_set(&page->flags, flags);
}

/* The hart alone writes it; others look whether it is 0. */
static inline void set_pcp_count(struct per_cpu_pages *pcp, uint64_t count)
{
	atomic_set(&pcp->count, count);
}

/* What list_free_pages() may do without a look at the zone, unless it is asked for more. */
static inline uint64_t zone_fast_pages(const struct list_zone *z)
{
	return z->unused_pages ? 0 : z->spanned_pages;
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
	set_page_flags(page, page_flags(page) | PG_buddy);
}

static inline uint64_t zone_end_pfn(const struct list_zone *z)
{
	return z->start_pfn + z->spanned_pages;
}

/*
 * mm/list_buddy_drain.c. list_answer: another hart wants this one's blocks, or wanted them.
 * list_drain_others: asks for them. Returns how many were asked and gave back what they had, or
 * -EMM_EAGAIN: one did not in time.
 */
void list_answer(struct list_hart *h);
int list_drain_others(struct list_hart *self);

/* Frees a block whose pages have no references, in the zone's lists. Linux: __free_pages_ok. */
void list_free_to_zone(struct list_zone *z, uint64_t pfn, unsigned int order);

#endif
