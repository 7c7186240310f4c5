/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list_buddy: the classic page allocator, as Linux has it: a struct page for each page, free lists
 * by order, and a few small blocks in lists of each hart's own. The reference that the radix buddy
 * (buddy.h) is checked against and measured beside. No page that it manages is ever touched; the
 * memmap, the array of struct page, is metadata. All memory is the caller's.
 */
#ifndef EARLYMM_LIST_BUDDY_H
#define EARLYMM_LIST_BUDDY_H

#include <earlymm/memblock.h>

/*
 * The largest max_order that a zone may be set up with. Linux compiles one in, MAX_PAGE_ORDER,
 * usually 10 (LIST_DEFAULT_ORDER). Here it is a zone's own: a zone that is compared with the radix
 * buddy needs orders up to 18, and one of 16 MiB should not pay for a memmap of 1 GiB, since the
 * memmap is rounded to whole blocks of the largest order.
 */
#define LIST_MAX_ORDER     18
#define LIST_DEFAULT_ORDER 10

/* Blocks up to this order have per-hart lists. Linux: PAGE_ALLOC_COSTLY_ORDER. */
#define LIST_COSTLY_ORDER 3

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

/* Bits of page->flags. Linux keeps PG_buddy in page->page_type since 4.18. */
enum page_flags {
	PG_reserved = 1 << 0, /* not the allocator's: a hole, no-map, or reserved in memblock */
	PG_buddy = 1 << 1, /* the first page of a block in a free list of the zone */
	PG_head = 1 << 2, /* the first page of a compound block that is in use */
	PG_tail = 1 << 3, /* another page of it; Linux has bit 0 of compound_head */
};

/*
 * One for each page: 64 bytes, a cache line, as in Linux with memory cgroups. Of these the allocator
 * uses 40; mapping, index and memcg_data are for the owner of a page. mapping must be NULL again
 * when the page is freed, as in Linux.
 */
struct page {
	uint64_t flags;
	union {
		struct list_head lru; /* in a free list, or the owner's */
		struct page *compound_head; /* of a tail */
	};
	void *mapping;
	uint64_t index;
	/*
	 * The order of the block that begins here, free or in use. Linux keeps it for free blocks
	 * only and leaves private to the owner; here it lets a free with a wrong order be refused.
	 */
	uint64_t private;
	int32_t _mapcount; /* the owner's; -1: not mapped */
	int32_t _refcount; /* 0: free, or not the first page of its block */
	uint64_t memcg_data;
};

/* page->private of a page that was never made free. */
#define LIST_NO_ORDER UINT64_MAX

/* The free blocks of one order. Linux has a list for each migrate type; here all move alike. */
struct free_area {
	struct list_head free_list;
	uint64_t nr_free; /* blocks */
};

/* Small blocks that one hart keeps. Linux: struct per_cpu_pages. */
struct per_cpu_pages {
	uint64_t count; /* pages in all lists */
	uint64_t high; /* at so many the hart gives some back */
	uint64_t batch; /* pages that move between the hart and the zone at a time */
	struct list_head lists[LIST_COSTLY_ORDER + 1]; /* by order */
};

/* What one hart has to itself. Others look at pcp.count, and write @request and @fast_pages. */
struct list_hart {
	struct per_cpu_pages pcp;
	uintptr_t page0; /* as the zone's */
	uint64_t start_pfn; /* the zone's, */
	/* and its span; 0 if frames in it have no struct page, or if the hart is asked to drain. */
	uint64_t fast_pages;
	struct list_zone *zone;
	uint64_t request; /* not 0: another hart wants what this one keeps */
} __attribute__((aligned(64)));

enum list_state { LIST_NONE, LIST_EMPTY, LIST_PLACED, LIST_MAPPED, LIST_HANDED_OVER };

/*
 * A zone: one contiguous range of frames with a memmap and free lists. Everything but the harts'
 * own lists is protected by @lock, as by Linux's zone->lock: harts have it in the order in which
 * they came. Any number of harts may be in list_alloc_pages(), list_free_pages(), list_drain() and
 * list_request_drain(), each with a struct list_hart of its own, and in list_split_page() and
 * list_claim(). Set-up, list_add_range() and list_set_pcp() are for one hart, with no other in a
 * call; reports and checks are for a quiet moment too. Not from a trap handler that interrupted
 * the allocator.
 */
struct list_zone {
	enum list_state state;
	uint32_t nr_harts;
	uint32_t max_order;
	int32_t nid; /* whose memory this is; NUMA_NO_NODE: everybody's */
	uintptr_t page0; /* the address that the struct page of frame 0 would have (vmemmap) */
	uint64_t start_pfn; /* zone_start_pfn */
	uint64_t spanned_pages; /* from start_pfn on */
	uint64_t present_pages; /* of it in memblock's memory */
	uint64_t managed_pages; /* of it made free at some time */
	struct list_hart *harts;
	uint64_t map_start_pfn; /* frames that have a struct page: whole blocks of max_order */
	uint64_t map_end_pfn;
	uint64_t *
		absent; /* a bit for each such block: its memmap was given back; NULL: none can be */
	uint64_t unused_pages; /* pages of the memmap that were given back */
	phys_addr_t memmap_pa; /* where the memmap lies, if memblock knows */
	/* What is written all the time, apart from what is only read; and the lock by itself. */
	uint64_t lock __attribute__((aligned(64))); /* mm/queued_lock.h */
	struct free_area free_area[LIST_MAX_ORDER + 1] __attribute__((aligned(64)));
};

/* ---- struct page ---- */

static inline uint64_t page_flags(const struct page *page)
{
	return __atomic_load_n(&page->flags, __ATOMIC_RELAXED);
}

static inline bool PageReserved(const struct page *page)
{
	return page_flags(page) & PG_reserved;
}

static inline bool PageBuddy(const struct page *page)
{
	return page_flags(page) & PG_buddy;
}

static inline bool PageHead(const struct page *page)
{
	return page_flags(page) & PG_head;
}

static inline bool PageTail(const struct page *page)
{
	return page_flags(page) & PG_tail;
}

/*
 * Who sees that it has the last reference sees what the others did with the block: an acquire. (gcc
 * 12 would make an AMO of the builtin store, and a full fence of the load.)
 */
static inline int32_t page_count(const struct page *page)
{
#ifdef __riscv
	int32_t count = *(const volatile int32_t *)&page->_refcount;

	__asm__ volatile("fence r, rw" ::: "memory");
	return count;
#else
	return __atomic_load_n(&page->_refcount, __ATOMIC_ACQUIRE);
#endif
}

static inline void set_page_count(struct page *page, int32_t count)
{
#ifdef __riscv
	*(volatile int32_t *)&page->_refcount = count;
#else
	__atomic_store_n(&page->_refcount, count, __ATOMIC_RELAXED);
#endif
}

/* What a page begins with, before anybody has freed it. */
static inline void init_page_count(struct page *page)
{
	set_page_count(page, 1);
}

/* One more owner of a block in use, by its first page: list_free_pages() then has to be called once
 * more. Any owner may call it. */
static inline void get_page(struct page *page)
{
	__atomic_fetch_add(&page->_refcount, 1, __ATOMIC_RELAXED);
}

/* One owner less: how many are left. */
static inline int32_t put_page_ref(struct page *page)
{
	return __atomic_sub_fetch(&page->_refcount, 1, __ATOMIC_ACQ_REL);
}

/* The first page of the block that @page is in, if that is compound; else @page. */
static inline struct page *compound_head(struct page *page)
{
	return PageTail(page) ? page->compound_head : page;
}

/* The order of the compound block that begins with @page; 0 if none does. */
static inline unsigned int compound_order(const struct page *page)
{
	return PageHead(page) ? (unsigned int)page->private : 0;
}

/* Of frames of the memmap only: list_pfn_valid(). */
static inline struct page *pfn_to_page(const struct list_zone *z, uint64_t pfn)
{
	return (struct page *)(z->page0 + pfn * sizeof(struct page));
}

static inline uint64_t page_to_pfn(const struct list_zone *z, const struct page *page)
{
	return ((uintptr_t)page - z->page0) / sizeof(struct page);
}

/* ---- set-up: init, memmap placed, memmap written, memory added ---- */

/*
 * list_zone_init() - a zone for the frames [start_pfn, end_pfn) with blocks up to @max_order, and
 * nothing in it. Only memory of node @nid counts (NUMA_NO_NODE: of any). @harts lives as long as
 * the zone; neither needs to be zeroed. O(nr_harts).
 * Returns -EMM_EINVAL (NULL, no harts, an empty range or one beyond the address space, an order above
 * LIST_MAX_ORDER, nid < -1). Linux: free_area_init_core, setup_per_cpu_pageset.
 */
int list_zone_init(struct list_zone *z, struct list_hart *harts, uint32_t nr_harts,
		   uint64_t start_pfn, uint64_t end_pfn, unsigned int max_order, int nid);

/*
 * list_memmap_bytes() - bytes of metadata of such a zone: 64 for each page of the whole blocks of
 * @max_order that [start_pfn, end_pfn) lies in, and a bit for each of these blocks if there are
 * more than two. So the buddy of a page always has a struct page, and looking at it needs no check.
 */
uint64_t list_memmap_bytes(uint64_t start_pfn, uint64_t end_pfn, unsigned int max_order);

/*
 * list_set_memmap() - puts the memmap at @memmap, list_memmap_bytes() bytes, 8-byte aligned, of any
 * content. O(1). Returns -EMM_ESTATE, -EMM_EINVAL (NULL, unaligned), -EMM_ENOSPC (@bytes).
 */
int list_set_memmap(struct list_zone *z, void *memmap, uint64_t bytes);

/*
 * list_alloc_memmap() - the same with room from memblock (CAUSE_METADATA, on the zone's node if
 * possible), reached by its phys_map. Returns -EMM_ESTATE, -EMM_EFAULT (not reached; nothing is
 * reserved then), or an error of memblock_phys_alloc(). Linux: alloc_node_mem_map, memmap_alloc.
 */
int list_alloc_memmap(struct list_zone *z, struct memblock *mb);

/*
 * list_memmap_init() - writes every struct page: refcount 1, on no list. Frames that are no memory of
 * the zone are reserved. @mb NULL: all of the span is memory. O(span): 12 instructions a page.
 * Returns -EMM_ESTATE. Linux: memmap_init, init_unavailable_range, __init_single_page.
 */
int list_memmap_init(struct list_zone *z, const struct memblock *mb);

/*
 * list_reserve_bootmem_region() - marks the frames of [start, end), bytes, rounded outwards,
 * PG_reserved; frames outside the zone are skipped. Before they are added. O(pages).
 * Returns -EMM_ESTATE. Linux: reserve_bootmem_region.
 */
int list_reserve_bootmem_region(struct list_zone *z, phys_addr_t start, phys_addr_t end);

/*
 * list_free_unused_memmap() - gives the pages of the memmap that hold only struct pages of holes back
 * to @mb: whole pages, of holes rounded inwards to blocks of max_order (so that a buddy always has a
 * struct page). z->unused_pages counts them. Only for a memmap of list_alloc_memmap()'s.
 * Returns -EMM_ESTATE, or an error of memblock_free(), after which some may be free.
 * Linux: free_unused_memmap.
 */
int list_free_unused_memmap(struct list_zone *z, struct memblock *mb);

/*
 * list_memblock_free_all() - the handover: list_free_unused_memmap(), then every frame reserved in
 * @mb is marked (but MEMBLOCK_RSRV_NOINIT regions, whose pages stay as list_memmap_init() left
 * them), then every free range, rounded inwards, is added in the largest blocks that fit; then batch
 * and high of the harts are set. Neither the pages nor, but for the memmap, @mb are changed.
 * O(pages). Returns -EMM_ESTATE, or an error of memblock_free().
 * Linux: memblock_free_all, memmap_init_reserved_pages, __free_pages_memory.
 */
int list_memblock_free_all(struct list_zone *z, struct memblock *mb);

/*
 * list_add_range() - makes [start_pfn, end_pfn) free, at any time after list_memmap_init(): a zone
 * without memblock, or memory that was reserved until now. O(pages).
 * Returns -EMM_ESTATE, -EMM_EINVAL (empty), -EMM_ERANGE (not inside the zone, or without a memmap),
 * -EMM_EDOUBLE (a page of it was added before). Nothing has changed then.
 * Linux: memblock_free_late, __free_pages_core, free_reserved_area.
 */
int list_add_range(struct list_zone *z, uint64_t start_pfn, uint64_t end_pfn);

/*
 * list_set_pcp() - how much the hart keeps: it gets @batch pages at a time from the zone, and gives as
 * many back when it has @high. Returns -EMM_EINVAL (batch 0, high < batch).
 * Linux: zone_set_pageset_high_and_batch.
 */
int list_set_pcp(struct list_hart *h, uint64_t batch, uint64_t high);

/* ---- pages ---- */

#define LIST_COMP 1U /* a compound block: its tails know their head. Linux: __GFP_COMP */

/*
 * list_alloc_pages() - a block of 2^order pages, aligned to its size, with a refcount of 1. Orders up
 * to LIST_COSTLY_ORDER come from the hart's lists. O(max_order), with LIST_COMP O(2^order), under
 * the lock for O(max_order), or O(batch) where the lists are filled or drained; the wait for the
 * lock is that of as many others as there are.
 * Returns its first frame, or -EMM_EINVAL (order), -EMM_ENOMEM (no such block is free, with this
 * hart's lists drained, and those of the others, which were asked for it), -EMM_EAGAIN (another
 * hart that keeps blocks did not give them back in time). Linux: alloc_pages, rmqueue,
 * drain_all_pages.
 */
int64_t list_alloc_pages(struct list_hart *h, unsigned int order, unsigned int flags);

/*
 * list_free_pages() - drops a reference to a block that list_alloc_pages() returned, with the same
 * order; the last one frees it. O(max_order), of a compound block O(2^order).
 * Returns -EMM_EINVAL (order, or pfn not aligned to it; a reserved page; not the order that the block
 * has; page->mapping is set), -EMM_ERANGE (outside the zone, or a hole without a memmap),
 * -EMM_EDOUBLE (the page is free, or inside a block). Nothing has changed then.
 * Unseen: a block that another has got in the meantime; references taken on pages inside a block
 * that is not compound. Linux: __free_pages, free_pages_prepare, bad_page.
 */
int list_free_pages(struct list_hart *h, uint64_t pfn, unsigned int order);

/*
 * list_split_page() - makes a block in use one block for each 2^new_order pages of it, each with a
 * refcount of 1, to be freed on its own. O(2^(order - new_order)).
 * Returns -EMM_EINVAL, -EMM_ERANGE, -EMM_EDOUBLE as list_free_pages(); -EMM_EINVAL also for
 * new_order > order and for a compound block; -EMM_EBUSY (it has more than one reference).
 * Linux: split_page.
 */
int list_split_page(struct list_zone *z, uint64_t pfn, unsigned int order, unsigned int new_order);

/*
 * list_claim() - allocates exactly this block, if all of it is free in the zone's lists; what it is
 * cut out of stays free. O(max_order). Returns 0, -EMM_EINVAL (order, alignment), -EMM_ERANGE (not
 * wholly inside the zone), -EMM_EBUSY (a page is in use, reserved, or in a hart's list). Linux: take_page_off_buddy,
 * break_down_buddy_pages.
 */
int list_claim(struct list_zone *z, uint64_t pfn, unsigned int order);

/* list_drain() - gives the hart's blocks back to the zone. O(blocks). Linux: drain_pages. */
void list_drain(struct list_hart *h);

/*
 * list_request_drain() - asks all other harts that keep blocks to give them back: each does so in
 * its next free, or in its next allocation that its lists do not serve. Does not wait. Returns how
 * many were asked. O(nr_harts). Linux: drain_all_pages.
 */
uint32_t list_request_drain(struct list_hart *self);

/* ---- reports and checks ---- */

/* list_nr_held() - pages in the hart's lists: free, but for this hart only. O(1). */
uint64_t list_nr_held(const struct list_hart *h);

/* list_nr_free() - pages in the zone's lists, without those. O(orders). */
uint64_t list_nr_free(const struct list_zone *z);

/* list_nr_blocks() - free blocks in the zone's lists by order: counts[0..LIST_MAX_ORDER]. */
void list_nr_blocks(const struct list_zone *z, uint64_t counts[LIST_MAX_ORDER + 1]);

/* list_page_is_free() - is @pfn in a block of the zone's lists? O(orders). */
bool list_page_is_free(const struct list_zone *z, uint64_t pfn);

/* list_pfn_valid() - has @pfn, a frame of the zone, a struct page? O(1). Linux: pfn_valid. */
bool list_pfn_valid(const struct list_zone *z, uint64_t pfn);

/*
 * list_is_valid() - the invariants: links whole and inside the memmap; a page has PG_buddy if and
 * only if it begins a block on the list of its order; blocks aligned, disjoint, of pages without
 * references; no two free buddies below max_order; counters right; what harts hold is free nowhere
 * else. Needs a memmap that was written. Damaged links are found, not followed. O(span).
 */
bool list_is_valid(const struct list_zone *z);

#endif
