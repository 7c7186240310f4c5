/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the memory map to a page allocator: how large its metadata is, where it lies, and the
 * buddy's trees on it. The order is mm_plan(), mm_place_metadata() (or mm_set_metadata()), mm_init(), then
 * memblock_free_all() (handover.h). All state is in the caller's struct mm.
 */
#ifndef EARLYMM_MM_INIT_H
#define EARLYMM_MM_INIT_H

#include <earlymm/buddy.h>
#include <earlymm/memblock.h>

/*
 * Banks of one node with at most this gap between them share a tree: the words for the gap cost
 * less than a tree of their own.
 */
#define MM_TREE_GAP_PAGES ((uint64_t)BUDDY_RADIX * BUDDY_RADIX)

enum mm_state { MM_NONE, MM_PLANNED, MM_PLACED, MM_READY, MM_HANDED_OVER };

struct mm {
	enum mm_state state;
	uint64_t start_pfn; /* the frames that this allocator is for: a zone's limits */
	uint64_t end_pfn;
	struct buddy_tree first_tree; /* from the plan: its layout, its size */
	uint64_t first_bytes;
	uint32_t nr_trees;
	uint32_t nr_harts;
	uint32_t
		nr_contexts; /* room for so many struct buddy_hart; the first nr_harts are in use */
	uint32_t nr_holes;
	const struct pfn_range *holes;
	phys_addr_t meta_pa;
	/* struct buddy_hart and buddy_tree arrays, the trees' words, and extra_bytes at the end. */
	uint64_t meta_bytes;
	uint64_t extra_bytes;
	uint64_t tree_pages; /* frames inside the trees' limits, small gaps too */
	struct buddy buddy;
	uint64_t managed_pages; /* given to the buddy at the handover, and later */
};

/*
 * mm_plan() - counts trees and metadata for the memory of @mb inside [start_pfn, end_pfn).
 * no-map memory gets no words. nr_harts >= 1. O(memory regions); touches nothing.
 * Returns -EMM_EINVAL (empty limits, no harts), -EMM_ENOENT (no memory inside the limits).
 */
int mm_plan(struct mm *mm, const struct memblock *mb, uint64_t start_pfn, uint64_t end_pfn,
	    uint32_t nr_harts);

/* What mm_plan_with() is asked for. */
struct mm_request {
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint32_t nr_harts;
	uint32_t nr_contexts; /* room for so many struct buddy_hart; 0: nr_harts */
	uint64_t extra_bytes; /* of metadata, for the caller; a multiple of 8 */
	/* Ranges that get no tree here, and end one: ascending, disjoint; they live as long as @mm. */
	const struct pfn_range *holes;
	uint32_t nr_holes;
};

/* mm_plan_with() - mm_plan() with all there is to ask for. The same errors. */
int mm_plan_with(struct mm *mm, const struct memblock *mb, const struct mm_request *request);

/*
 * mm_place_metadata() - reserves room for it, with CAUSE_METADATA: as low as it fits, since there
 * it borders on what is reserved already and the handover has fewer edges to write; whole pages,
 * as every early allocator (early.h) gives them. The memory is not touched: it may hold anything.
 * Then it does what mm_set_metadata() does.
 * Returns -EMM_ESTATE, -EMM_ENOMEM (@mm and @mb unchanged), or an error of memblock's.
 */
int mm_place_metadata(struct mm *mm, struct memblock *mb);

/*
 * mm_set_metadata() - the same with a place given: meta_bytes at @pa, a multiple of the page size,
 * which the caller has reserved (early_alloc()). Frame 0, where it is memory and nothing of it is
 * reserved, is reserved (CAUSE_OTHER): a page whose address is NULL is nobody's to have. O(log of
 * the regions). Returns -EMM_ESTATE, -EMM_EINVAL (@pa), or an error of memblock's; nothing has
 * changed then.
 */
int mm_set_metadata(struct mm *mm, struct memblock *mb, phys_addr_t pa);

/*
 * mm_init() - the buddy with its trees, nothing free in them yet. Reaches the metadata through
 * the map of @mb. O(memory regions + 64 GiB units).
 * Precondition: the banks are those that mm_plan() saw. Returns -EMM_ESTATE (not placed, or it
 * shows that they are not), -EMM_EFAULT (the metadata cannot be reached).
 */
int mm_init(struct mm *mm, const struct memblock *mb);

#endif
