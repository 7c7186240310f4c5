/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the page allocator has on record of a page, with PAGE_ALLOC_OWNER: who got it, who freed it,
 * and so what is wrong with a free. Callers are code addresses, for addr2line.
 *
 * free_pages() (and all that frees) refuses, counts in page_alloc.misuses, and tells page_alloc.out
 * in one line, before anything has changed:
 *   -EMM_ERANGE   a frame that was never handed out: outside memory, no-map, reserved, or free
 *                 since the boot
 *   -EMM_EDOUBLE  a frame that has been handed out and is free: freed twice, at once or late
 *   -EMM_EINVAL   a frame in use, but not this block: another order, inside a block; a frame that
 *                 is not aligned to the order, wherever it is in memory; no such order
 * The line: "page_owner: free of pfn 0x80245, order 0: double free; called from 0x80201234; on
 * record: order 3 at pfn 0x80240, free, allocated by 0x80205678, freed by 0x80209abc".
 *
 * Unseen: the second free of a block that has been given to another since, with the same order.
 * That other's own free is then a double free. To make it rare, blocks of up to order 3 wait in a
 * quarantine of their hart's, the last 64 that it freed, before they can be handed out again.
 * page_hart_drain() empties it, and an allocation that fails takes what is in those of all harts.
 * They are not free meanwhile (zone_free_pages()), nor in use: see page_quarantined().
 */
#ifndef EARLYMM_PAGE_OWNER_H
#define EARLYMM_PAGE_OWNER_H

#include <earlymm/page_alloc.h>

enum page_owner_state {
	PAGE_NEVER_USED, /* never handed out: reserved, no memory, or free since the boot */
	PAGE_IN_USE,
	PAGE_FREED, /* in a tree, on a stack or in quarantine */
};

struct page_owner_info {
	enum page_owner_state state;
	unsigned int order; /* of the block that holds the page, or held it when it was freed */
	uint64_t pfn; /* where that begins */
	uintptr_t allocated_by; /* 0: nobody, or not on record any more */
	uintptr_t freed_by; /* who freed what began there last; 0: nobody */
};

/*
 * page_owner_lookup() - what is on record of @pfn. Of a block in use it is exact. A page that was
 * inside a freed block is PAGE_FREED, but the block that is named may be one of several that it was
 * part of, and order and callers are 0 once the block's first frame is in another use. O(orders).
 * Returns 0, -EMM_ESTATE (no PAGE_ALLOC_OWNER), -EMM_ERANGE (no tree covers the frame).
 */
int page_owner_lookup(const struct page_alloc *pa, uint64_t pfn, struct page_owner_info *info);

/*
 * page_owner_report() - blocks in use by who allocated them, the largest sum of pages first: up to
 * @max_lines callers, then the others in one line. Tells 512 callers apart. For a quiet moment, one
 * hart at a time. O(pages). Returns how many pages are in use, or -EMM_ESTATE.
 */
int64_t page_owner_report(struct page_alloc *pa, const struct printer *out, uint32_t max_lines);

/*
 * page_quarantined() - pages of @z (NULL: of all zones) that wait in the harts' quarantines: freed
 * by their owners, and neither free nor held in stacks. Exact in a quiet moment. O(harts).
 */
uint64_t page_quarantined(const struct page_alloc *pa, const struct zone *z);

#endif
