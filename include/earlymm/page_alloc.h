/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page allocator: nodes and zones on top of the buddy, Linux's interface. All state is in the
 * caller's struct page_alloc and in metadata that is planned with it. A hart calls with its own
 * struct page_hart, not from a trap handler that interrupted the allocator on the same hart.
 * Blocks are named by their first frame.
 *
 * Order of calls: page_alloc_plan(); for each zone a place for its metadata, mm_set_metadata() and
 * mm_init(), or page_alloc_place() for all; memblock_free_all() (or early_free_all()) for each zone
 * below the HIGHMEM boundary, upwards; page_alloc_init(); free_highpages().
 */
#ifndef EARLYMM_PAGE_ALLOC_H
#define EARLYMM_PAGE_ALLOC_H

#include <earlymm/handover.h>
#include <earlymm/zone.h>

#ifndef PAGE_ALLOC_MAX_NODES
#define PAGE_ALLOC_MAX_NODES 16
#endif
/* Zones with memory and CMA areas, together. */
#ifndef PAGE_ALLOC_MAX_ZONES
#define PAGE_ALLOC_MAX_ZONES 32
#endif
#define PAGE_ALLOC_MAX_CMA 8

/* What is recorded of pages, at the price of memory and time; chosen at set-up. */
enum page_alloc_features {
	PAGE_ALLOC_COMPOUND = 1, /* a bit a page: compound_head(), __GFP_COMP */
	PAGE_ALLOC_OWNER = 2, /* 16 bytes a page: every misuse is found; implies COMPOUND */
	PAGE_ALLOC_POISON = 4, /* free pages are filled, and looked at again when handed out */
	PAGE_ALLOC_WATCHED = PAGE_ALLOC_OWNER | PAGE_ALLOC_POISON, /* every page, at every step */
};

struct page_alloc_config {
	uint32_t nr_harts; /* >= 1 */
	uint32_t features; /* enum page_alloc_features */
	uint64_t highmem_pfn; /* where ZONE_HIGHMEM begins; 0: there is none */
	bool one_node; /* nodes are not told apart: all memory is node 0's */
	/* Areas to be lent, ascending, disjoint, reserved in memblock as long as the map lives. */
	const struct pfn_range *cma;
	uint32_t nr_cma;
	int (*distance)(void *ctx, int from, int to); /* of nodes; NULL: all alike */
	void *distance_ctx;
	/* Misuse that is found is told here, and damage; NULL: only counted. */
	const struct printer *out;
};

/* The zones an allocation on one node may have, the best first: indices of zones[]. */
struct zonelist {
	int nid;
	uint8_t nr;
	uint8_t zone[PAGE_ALLOC_MAX_ZONES];
};

struct page_alloc;

/*
 * What a hart has to itself. The fast paths need nothing else but the context they lead to. Others read
 * @freed, @free_zone and @flushes where they add up what is free, and set @drain_wanted: all of it rare.
 * It begins and ends with what is seldom written: there it may share cache lines with other harts'.
 */
struct page_hart {
	struct buddy_hart *fast[GFP_FAST_MASK + 1]; /* by gfp: where the last refill was */
	/* The hart's books in the zone of fast[gfp], if that is the best one; else NULL. */
	struct zone_hart *books[GFP_FAST_MASK + 1];
	struct buddy_hart *free_ctx; /* of the zone of the last free */
	/* Blocks that were freed there, and are not in that zone's books yet. */
	uint64_t freed[NR_PAGE_ORDERS];
	uint64_t free_zone; /* that zone's address, which others read, too; 0: none yet */
	uint64_t flushes; /* odd: freed[] is on its way into a zone's books */
	uint64_t drain_wanted; /* not 0: another hart wants what this one holds, in any zone */
	struct page_alloc *pa;
	const struct zonelist *local; /* of its node */
	uint32_t id;
	uint32_t refusals; /* calls with arguments that cannot be */
	struct page_watch *watch; /* with features; or NULL */
};

/* vm.overcommit_memory, as Linux would have it by default on such a machine. */
enum overcommit_policy {
	OVERCOMMIT_GUESS,
	OVERCOMMIT_ALWAYS, /* pages of 16 KiB or more, and no more than 128 of them */
};

struct page_alloc {
	struct zone zones[PAGE_ALLOC_MAX_ZONES]; /* by address; then CMA areas, by address */
	uint32_t nr_zones; /* of both kinds */
	uint32_t nr_cma;
	struct zonelist nodes[PAGE_ALLOC_MAX_NODES]; /* by node id */
	uint32_t nr_nodes;
	struct page_hart *harts;
	uint32_t nr_harts;
	uint32_t features;
	bool by_node; /* false: not asked for, or more zones than there is room for */
	enum overcommit_policy overcommit;
	uint64_t misuses; /* found, all harts */
	uint64_t damaged_pages; /* written to while they were free, all harts */
	struct page_owner_sum *owner_sums; /* for page_owner_report(), or NULL */
	struct pfn_range cma[PAGE_ALLOC_MAX_CMA];
	int (*distance)(void *ctx, int from, int to);
	void *distance_ctx;
	const struct phys_map *map;
	const struct printer *out;
};

/* ---- set-up ---- */

/*
 * page_alloc_plan() - finds the zones in the memory of @mb, and counts the metadata of each:
 * zones[i].mm.meta_bytes. If there are more than PAGE_ALLOC_MAX_ZONES, or a node id from
 * PAGE_ALLOC_MAX_NODES on, nodes are not told apart (by_node is false, all memory is node 0's).
 * Memory without a node is node 0's. A CMA area is dropped, with a message on cfg->out, where it
 * crosses a zone's border or a bank's, is not memory or not reserved as a whole with the cause
 * CAUSE_RESERVED_MEMORY; its edges are rounded inwards to pages. O(regions * zones).
 * Returns -EMM_EINVAL (no harts, unknown features, more than PAGE_ALLOC_MAX_CMA areas or areas
 * out of order), -EMM_ENOENT (no memory), -EMM_ENOSPC (too many zones even so: memory that lies
 * in alternation below and above borders; cannot be with up to two borders).
 * Linux: free_area_init, arch_zone_limits_init, cma_init_reserved_areas.
 */
int page_alloc_plan(struct page_alloc *pa, const struct memblock *mb,
		    const struct page_alloc_config *cfg);

/*
 * page_alloc_place() - mm_place_metadata() for each zone, on its own node where that has room;
 * mm_init() for each; memblock_free_all() for each below the HIGHMEM boundary. For programs
 * without other early allocators and phases. Returns their errors.
 */
int page_alloc_place(struct page_alloc *pa, struct memblock *mb);

/*
 * page_alloc_init() - from here on there are pages: the harts' contexts and books, CMA areas,
 * watermarks and zonelists. All zones but those above the HIGHMEM boundary were handed over, and
 * nothing is in use that was had from their buddies. From now on those are used through these calls
 * only: the books count what passes here.
 * Each hart is on node 0 until page_alloc_set_node(). O(zones * (harts + nodes)); with features
 * also O(pages). Returns -EMM_ESTATE, -EMM_EFAULT (metadata cannot be reached).
 * Linux: build_all_zonelists, setup_per_zone_wmarks, setup_per_cpu_pageset.
 */
int page_alloc_init(struct page_alloc *pa);

/* page_alloc_set_node() - the node that hart @hart allocates from first. -EMM_EINVAL, -EMM_ENOENT. */
int page_alloc_set_node(struct page_alloc *pa, uint32_t hart, int nid);

/*
 * free_highpages() - hands over the zones above the HIGHMEM boundary that were not yet (a program
 * with another early allocator does that itself, by early_free_all()), and sets all watermarks anew.
 * Returns how many pages these zones have, or an error of memblock_free_all()'s.
 * Linux: free_highpages.
 */
int64_t free_highpages(struct page_alloc *pa, const struct memblock *mb);

/* The policy for a machine with so many pages of 1 << page_shift bytes. Linux: mm_core_init. */
enum overcommit_policy mm_overcommit(unsigned int page_shift, uint64_t nr_pages);

/* The zone that manages @pfn (a CMA area rather than the zone around it), or NULL. O(zones). */
struct zone *page_zone(const struct page_alloc *pa, uint64_t pfn);

/*
 * zone_free_pages() - what is free in the zone's trees, from the harts' counters: exact in a
 * quiet moment. While other harts work each may be in it with the pages of one call, taken and not counted
 * yet (64 for a small order), and with what it freed while the others were read. O(harts).
 * Linux: zone_page_state(zone, NR_FREE_PAGES).
 */
uint64_t zone_free_pages(const struct page_alloc *pa, const struct zone *z);

/*
 * zone_watermark_ok() - may an allocation of @order take from the zone, down to watermark @mark
 * plus the reserve for allocations whose highest zone is @highest? __GFP_HIGH in @gfp halves the
 * mark, __GFP_MEMALLOC drops it. O(harts). Linux: __zone_watermark_ok.
 */
bool zone_watermark_ok(const struct page_alloc *pa, const struct zone *z, unsigned int order,
		       enum zone_watermark mark, enum zone_type highest, gfp_t gfp);

/* page_hart_drain() - gives back what the hart holds in stacks, of all zones. Linux: drain_local_pages. */
void page_hart_drain(struct page_hart *h);

/*
 * compound_head(), compound_order() - the block in use that holds @pfn: its first frame, its order.
 * Of blocks allocated with __GFP_COMP; with PAGE_ALLOC_OWNER of all. Any other page is by itself:
 * @pfn, 0. O(orders). Return -EMM_ESTATE (neither feature was chosen), -EMM_ERANGE (no tree covers
 * the frame). Linux: the same names.
 */
int64_t compound_head(const struct page_alloc *pa, uint64_t pfn);
int compound_order(const struct page_alloc *pa, uint64_t pfn);

/* ---- blocks ---- */

/*
 * alloc_pages() - a block of 2^order pages from the hart's node, or as near to it as there is one.
 * Returns its first frame, or -EMM_EINVAL (order above BUDDY_MAX_ORDER; unknown flags; both
 * __GFP_DMA32 and __GFP_HIGHMEM), -EMM_ESTATE (__GFP_COMP without PAGE_ALLOC_COMPOUND; counted
 * as a refusal), -EMM_EFAULT (__GFP_ZERO, and the map cannot reach the block: it went back),
 * -EMM_ENOMEM (no allowed zone has one above its watermark, with the stacks of all harts drained;
 * counted as a failure), -EMM_EAGAIN (as buddy_alloc(): other harts do not stand still, or one that
 * holds blocks did not give them back in time). From a hart's stack in some sixteen instructions.
 */
int64_t alloc_pages(struct page_hart *h, gfp_t gfp, unsigned int order);

/*
 * free_pages() - gives back what one of these returned, with the same order; on any hart.
 * Returns as buddy_free(); with PAGE_ALLOC_OWNER every misuse is found, see page_owner.h.
 */
int free_pages(struct page_hart *h, uint64_t pfn, unsigned int order);

/*
 * alloc_pages_nodemask() - the same from node @nid (NUMA_NO_NODE: the hart's), or as near to it as
 * there is one, on the nodes of @mask: a bit a node, as many as page_alloc.nr_nodes; NULL: on any.
 * With __GFP_THISNODE on @nid alone. Where nodes are not told apart (by_node is false) @nid and
 * @mask do not matter. A failure is counted in the best zone that is allowed; if none is, as a
 * refusal. Returns as alloc_pages(), and -EMM_EINVAL for a node that is not there.
 * O(zones) more than alloc_pages(). Linux: __alloc_pages.
 */
int64_t alloc_pages_nodemask(struct page_hart *h, gfp_t gfp, unsigned int order, int nid,
			     const uint64_t *mask);

/*
 * alloc_pages_bulk() - @nr blocks of order 0, into @pfns, in no particular order. Returns how many it
 * had: fewer if memory ran out on the way; or, if not one, alloc_pages()'s error. 0 for @nr 0. Whole
 * stacks at once: some eight instructions a page. Linux: alloc_pages_bulk.
 */
int64_t alloc_pages_bulk(struct page_hart *h, gfp_t gfp, uint64_t nr, uint64_t *pfns);

/*
 * free_pages_bulk() - frees @nr blocks of order 0. Neighbours in the array that share a word of the
 * tree, 64 pages, become free by one atomic operation. A page that is refused, as free_pages() would,
 * does not keep the others from being freed. Returns 0, or the error of the first that was refused;
 * *@nr_failed, unless NULL: how many were.
 */
int free_pages_bulk(struct page_hart *h, uint64_t nr, const uint64_t *pfns, uint64_t *nr_failed);

/* alloc_pages_node() - alloc_pages_nodemask() on any node. */
int64_t alloc_pages_node(struct page_hart *h, int nid, gfp_t gfp, unsigned int order);

/* alloc_page(), free_page() - a block of order 0. */
static inline int64_t alloc_page(struct page_hart *h, gfp_t gfp)
{
	return alloc_pages(h, gfp, 0);
}

static inline int free_page(struct page_hart *h, uint64_t pfn)
{
	return free_pages(h, pfn, 0);
}

/*
 * get_zeroed_page() - a page of zeros that the map of page_alloc_plan() reaches: not from
 * ZONE_HIGHMEM. Returns as alloc_pages().
 */
static inline int64_t get_zeroed_page(struct page_hart *h, gfp_t gfp)
{
	return alloc_pages(h, (gfp & ~__GFP_HIGHMEM) | __GFP_ZERO, 0);
}

#endif
