/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the page allocator share. Private to mm/page_*.c and mm/zone*.c. */
#ifndef MM_PAGE_ALLOC_INTERNAL_H
#define MM_PAGE_ALLOC_INTERNAL_H

#include <earlymm/error.h>
#include <earlymm/page_alloc.h>
#include "buddy_fast.h"

/* mm/zone_wmark.c */
void zone_setup_watermarks(struct page_alloc *pa);
void zone_setup_lists(struct page_alloc *pa);
/* What an allocation must leave of the zone. */
uint64_t zone_reserve(const struct zone *z, enum zone_watermark mark, enum zone_type highest,
		      gfp_t gfp);
/* What the harts have taken from the zone and given to it: the same sum again, nothing has moved. */
uint64_t zone_pages_moved(const struct page_alloc *pa, const struct zone *z);
/* zone_watermark_ok() for any number of pages. */
bool zone_has_pages(const struct page_alloc *pa, const struct zone *z, uint64_t nr_pages,
		    enum zone_watermark mark, enum zone_type highest, gfp_t gfp);

/* What page_alloc_from() is asked for. */
struct page_request {
	gfp_t gfp;
	unsigned int order;
	const struct zonelist *list;
	const uint64_t *nodemask; /* a bit a node; NULL: all */
	uintptr_t caller;
	/* The hart's books in a zone that was asked already, and what that answered; NULL: none was. */
	const struct zone_hart *tried;
	int64_t tried_ret;
};

/* mm/page_alloc_slow.c */
int64_t page_alloc_slow(struct page_hart *h, gfp_t gfp, unsigned int order, uintptr_t caller);
int64_t page_alloc_by_list(struct page_hart *h, gfp_t gfp, unsigned int order, uintptr_t caller);
int64_t page_alloc_from(struct page_hart *h, const struct page_request *r);
/* The same without what is recorded, and without zeros. */
int64_t page_take_from(struct page_hart *h, const struct page_request *r);
int page_free_slow(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller);
/* Into the zone of @pfn, without a look at what is recorded; counted. */
int page_free_block(struct page_hart *h, uint64_t pfn, unsigned int order);
int page_free_to(struct page_hart *h, struct zone *z, uint64_t pfn, unsigned int order);

/* mm/page_numa.c. What the hart takes from @z is from now on meant for the node of @meant, or its own. */
void page_settle_meant(struct page_hart *h, struct zone *z, struct zone *meant);
/* Blocks that the hart's callers have got from the zone, whatever has become of them. */
uint64_t zone_blocks_had(const struct zone *z, uint32_t hart);
/* Of one node, blocks, in Linux's sense; exact in a quiet moment. O(zones * harts * orders). */
struct numa_counts {
	uint64_t hit; /* had here, and meant to be */
	uint64_t miss; /* had here, and meant for another node */
	uint64_t foreign; /* meant for this one, and had elsewhere */
	uint64_t local; /* had here by harts of this node */
	uint64_t other; /* by others */
};
void page_count_numa(const struct page_alloc *pa, int nid, struct numa_counts *n);

/* mm/page_hart.c */
void page_hart_init(struct page_alloc *pa, uint32_t id);
/* A zone has come: which one is the best is found out anew. */
void page_hart_forget_best(struct page_hart *h);
void page_hart_flush(struct page_hart *h);
/* Other harts find this where they find that a context of theirs was asked for a drain. */
void page_want_drain(const struct page_hart *h);
void page_answer_drain(struct page_hart *h);
/* Allocations with @gfp begin at @z from now on; @is_best: no zone that they may have is better. */
void page_hart_turn_to(struct page_hart *h, gfp_t gfp, const struct zone *z, bool is_best);
/* No allocation begins at @z until one was turned to it again. */
void page_hart_close(struct page_hart *h, const struct zone *z);

/* mm/page_parts.c */
void page_return_part(struct page_hart *h, struct zone *z, uint64_t start_pfn, uint64_t end_pfn);
void page_count_parts(struct page_hart *h, struct zone *z, enum migratetype type,
		      uint64_t start_pfn, uint64_t end_pfn);
int page_record_parts(struct page_hart *h, uint64_t start_pfn, uint64_t end_pfn, gfp_t gfp,
		      uintptr_t caller);
int page_free_parts(struct page_hart *h, uint64_t start_pfn, uint64_t nr_pages, uintptr_t caller);

/*
 * mm/page_contig.c. The first range of the zone that is free and could be claimed, and is then used
 * and counted. Or -EMM_EBUSY (there is none), -EMM_EAGAIN (lost to others, too often).
 */
int64_t page_claim_first(struct page_hart *h, struct zone *z, uint64_t nr_pages,
			 unsigned int align_order, gfp_t gfp, uintptr_t caller);
/* Counted; other harts are asked for what they hold. Returns @err, or -EMM_EAGAIN if some do. */
int page_claim_failed(struct page_hart *h, struct zone *z, int err);

/*
 * Another hart may take the credit back at any moment, by a store of 0. No order: it says how many pages,
 * not which, and no data hangs on it.
 */
static inline int64_t zone_credit(const struct zone_hart *zh)
{
	return (int64_t)atomic_read((const uint64_t *)&zh->credit);
}

static inline void zone_set_credit(struct zone_hart *zh, int64_t credit)
{
	atomic_set((uint64_t *)&zh->credit, (uint64_t)credit);
}

/* By an AMO: a store would bring back what was taken back since the load. */
static inline void zone_use_credit(struct zone_hart *zh, uint64_t nr_pages)
{
	atomic_add((uint64_t *)&zh->credit, -nr_pages);
}

/* The order of the largest aligned block that begins at @pfn and ends by @end_pfn, behind it. */
static inline unsigned int page_part_order(uint64_t pfn, uint64_t end_pfn)
{
	unsigned int order = fls64(end_pfn - pfn);

	if (pfn && ffs64(pfn) < order)
		order = ffs64(pfn);
	return order < BUDDY_MAX_ORDER ? order : BUDDY_MAX_ORDER;
}

/* The highest type of zone that @gfp allows. */
static inline enum zone_type gfp_zone(gfp_t gfp)
{
	if (gfp & __GFP_DMA32)
		return ZONE_DMA32;
	return gfp & __GFP_HIGHMEM ? ZONE_HIGHMEM : ZONE_NORMAL;
}

static inline enum migratetype gfp_migratetype(gfp_t gfp)
{
	return gfp & __GFP_MOVABLE ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE;
}

/* May an allocation with @gfp take from the zone, by its type? */
static inline bool zone_is_allowed(const struct zone *z, gfp_t gfp)
{
	return z->within <= gfp_zone(gfp) && (z->type != ZONE_CMA || (gfp & __GFP_MOVABLE));
}

/* Is it an order, and flags, that there are? */
static inline bool page_request_is_good(const struct page_request *r)
{
	const gfp_t both = __GFP_DMA32 | __GFP_HIGHMEM;

	return r->order <= BUDDY_MAX_ORDER && !(r->gfp & ~GFP_ALL_FLAGS) && (r->gfp & both) != both;
}

/* A call with arguments that cannot be: counted. Returns @err. */
static inline int page_refuse(struct page_hart *h, int err)
{
	h->refusals++;
	return err;
}

/*
 * The zonelist of a node; NUMA_NO_NODE: the hart's own. NULL: there is no such node. Where nodes
 * are not told apart each is node 0.
 */
static inline const struct zonelist *page_zonelist(const struct page_hart *h, int nid)
{
	if (nid == NUMA_NO_NODE)
		return h->local;
	if (nid < 0)
		return NULL;
	if (!h->pa->by_node)
		nid = 0;
	return (uint32_t)nid < h->pa->nr_nodes ? &h->pa->nodes[nid] : NULL;
}

/* Pages that a context's stacks have given back to the trees. Any hart's: garbage before it is ready. */
static inline uint64_t context_drained_pages(const struct buddy_hart *c)
{
	uint64_t nr_pages = 0;

	if (!atomic_read_acquire32(&c->is_ready))
		return 0;
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		nr_pages += atomic_read(&c->drained[order]) << order;
	return nr_pages;
}

/*
 * A counter of page_hart's or zone_hart's: written by its owner alone, read by others, one at a time and
 * without order. What a sum of them is worth: zone_free_pages().
 */
static inline void page_count(uint64_t *nr, uint64_t more)
{
	atomic_set(nr, *nr + more);
}

static inline void page_count_free(uint64_t *nr)
{
	page_count(nr, 1);
}

/* Are the frees that wait in h->freed[] those of zone @z? */
static inline bool page_counts_for(const struct page_hart *h, const struct zone *z)
{
	return atomic_read(&h->free_zone) == (uintptr_t)z;
}

/* Pages that the hart has freed, and its zone does not know of yet. */
static inline uint64_t uncounted_frees(const struct page_hart *h)
{
	uint64_t nr_pages = 0;

	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
		nr_pages += atomic_read(&h->freed[order]) << order;
	return nr_pages;
}

/*
 * Where a call to the public function came from. In a function that calls nothing but at its end
 * the register still has it; the compiler's builtin would make a stack frame of it. (Not optimised,
 * what is in line here is called.)
 */
#if defined(__riscv) && defined(__OPTIMIZE__)
static inline __attribute__((always_inline)) uintptr_t return_address(void)
{
	uintptr_t ra;

	__asm__ volatile("mv %0, ra" : "=r"(ra));
	return ra;
}
#define CALLER return_address()
#else
#define CALLER ((uintptr_t)__builtin_return_address(0))
#endif

#endif
