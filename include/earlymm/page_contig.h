/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of pages that are no power of two, ranges that are named, and CMA areas. A range is had,
 * counted and recorded as its parts: the largest aligned blocks from its beginning on. Each page of
 * it is as split by buddy_split(): without PAGE_ALLOC_OWNER any aligned part may be given back by
 * free_pages() as well, with it the parts, or the range.
 *
 * Memory in use is not moved: a range is to be had only if no page of it is in use. What it takes to
 * make it so (giving up movable blocks) is up to their owners. Flags are those of alloc_pages() but
 * for __GFP_COMP, which is -EMM_EINVAL: a range is no block. With __GFP_ZERO the answer may be
 * -EMM_EFAULT: the map cannot reach the range, nothing was taken. All refusals are counted:
 * page_hart.refusals for arguments, zone_hart.claim_failures or failures for the rest.
 */
#ifndef EARLYMM_PAGE_CONTIG_H
#define EARLYMM_PAGE_CONTIG_H

#include <earlymm/page_alloc.h>

/*
 * alloc_pages_exact() - @nr_pages in a row, at a multiple of the next power of two; 1 <= nr_pages <=
 * 2^BUDDY_MAX_ORDER. From a block of that order; the rest of it goes back at once and is not counted
 * as taken: 7 pages cost 7 pages. O(nr_pages / BUDDY_RADIX) more than alloc_pages().
 * Returns the first frame, or -EMM_EINVAL, or alloc_pages()'s errors for that order.
 * Linux: alloc_pages_exact.
 */
int64_t alloc_pages_exact(struct page_hart *h, uint64_t nr_pages, gfp_t gfp);

/* alloc_pages_exact_nid() - the same on a node, as alloc_pages_node(). */
int64_t alloc_pages_exact_nid(struct page_hart *h, int nid, uint64_t nr_pages, gfp_t gfp);

/*
 * free_pages_exact() - gives back what the two have returned, with the same @nr_pages; on any hart.
 * Returns -EMM_EINVAL (no pages), -EMM_ERANGE (not within one zone's memory), -EMM_EDOUBLE (a page
 * of it is free in a tree; one in a hart's stack is not seen): nothing was freed. With
 * PAGE_ALLOC_OWNER also free_pages()'s errors for a part, the first; the other parts were freed.
 * O(nr_pages / BUDDY_RADIX). Linux: free_pages_exact.
 */
int free_pages_exact(struct page_hart *h, uint64_t pfn, uint64_t nr_pages);

/*
 * alloc_contig_range() - [start_pfn, end_pfn), which lies in one zone (or CMA area) and in one of
 * its trees: no gap of more than MM_TREE_GAP_PAGES in it. Any length, any limits. Watermarks are not
 * looked at: it is this memory or none; flags that choose zones do not matter.
 * It has the range if no page of it is in use at some moment of the call: each part is claimed when
 * it is free as a whole, and nobody else can have it from then on. Otherwise what was claimed is
 * given back, and all is as it was, but that the hart's stacks of the zone are drained.
 * Returns 0, or -EMM_EINVAL (empty; flags), -EMM_ERANGE (not within one tree), -EMM_ESTATE (a zone
 * that was not handed over yet), -EMM_EBUSY (a page of it is in use, or was never added),
 * -EMM_EAGAIN (the same, but another hart holds pages of the zone in its stacks, and has been asked
 * for them; or was in the middle of an operation). Waits for nothing.
 * O(nr_pages / BUDDY_RADIX); a refusal O(nr_pages / 2^BUDDY_MAX_ORDER + levels^3).
 * Linux: alloc_contig_range; there is no migration.
 */
int alloc_contig_range(struct page_hart *h, uint64_t start_pfn, uint64_t end_pfn, gfp_t gfp);

/*
 * alloc_contig_pages() - @nr_pages in a row, any number: the lowest range that is free, in the first
 * zone of node @nid's list (NUMA_NO_NODE: the hart's) that has one and keeps its min watermark. No
 * CMA areas. For a power of two the range is aligned to its size. Returns its first frame, or
 * -EMM_EINVAL, -EMM_ENOMEM (no allowed zone has one), -EMM_EAGAIN (as alloc_contig_range()).
 * O(words that hold something in the zones). Linux: alloc_contig_pages.
 */
int64_t alloc_contig_pages(struct page_hart *h, uint64_t nr_pages, gfp_t gfp, int nid);

/*
 * free_contig_range() - gives back what the two have given, or a part of it; on any hart. Returns and
 * costs as free_pages_exact(). Linux: free_contig_range.
 */
int free_contig_range(struct page_hart *h, uint64_t start_pfn, uint64_t nr_pages);

/* ---- CMA areas: lent to movable allocations when all other memory is at its watermark ---- */

/* cma_zone() - the zone of area @area, counted upwards by address; NULL: there are not so many. */
struct zone *cma_zone(const struct page_alloc *pa, uint32_t area);

/*
 * cma_alloc() - claims @nr_pages of the area, at a multiple of 2^@align_order: the lowest that are
 * free. They are unmovable memory of the area's zone then: what is lent is taken[MIGRATE_MOVABLE].
 * Returns the first frame, or -EMM_ENOENT (no such area), -EMM_EINVAL (@nr_pages is 0 or more than
 * the area has; @align_order above BUDDY_MAX_ORDER), -EMM_EBUSY (no such range is free: too much is
 * claimed, or lent; what is lent is not taken back), -EMM_EAGAIN (as alloc_contig_range(), or 64
 * ranges that were found went to other harts). O(words of the area that hold something).
 * Linux: cma_alloc.
 */
int64_t cma_alloc(struct page_hart *h, uint32_t area, uint64_t nr_pages, unsigned int align_order);

/*
 * cma_release() - gives it back, or a part of it. Returns -EMM_ENOENT, -EMM_ERANGE (not within the
 * area), or free_pages_exact()'s errors. Linux: cma_release.
 */
int cma_release(struct page_hart *h, uint32_t area, uint64_t pfn, uint64_t nr_pages);

#endif
