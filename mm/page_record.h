/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is recorded of pages (enum page_alloc_features): called by whatever hands blocks out or
 * takes them back. Private to mm/page_*.c and mm/zone*.c.
 *
 * Who gets a block by page_alloc_from(), or frees one by page_free_slow(), need not care. Who takes
 * pages in another way (by buddy_claim(), say) and has counted them calls page_record_alloc() for
 * each block; before page_free_block() comes page_record_free(), and page_put_back() does as well
 * what that does, by way of the quarantine. buddy_split() needs page_record_split() before it.
 * Without features, and without __GFP_ZERO, all of them do nothing.
 */
#ifndef MM_PAGE_RECORD_H
#define MM_PAGE_RECORD_H

#include <earlymm/page_owner.h>
#include "page_alloc_internal.h"

struct page_watch;

/* The records of one tree's pages: addresses that the record of frame 0 would have. */
struct page_records {
	uint64_t start_pfn;
	uint64_t nr_pages;
	struct zone *zone;
	uintptr_t blocks; /* a bit a block in use, see block_bit() */
	uintptr_t owners; /* struct page_owner */
	uintptr_t filled; /* a bit a page: free and filled with the pattern */
};

/* What is recorded of a page, at the first frame of a block. Written by who has the block. */
struct page_owner {
	uint64_t allocated; /* caller << OWNER_SHIFT | order << 2 | enum page_owner_state */
	uint64_t freed; /* caller << OWNER_SHIFT | OWNER_MIDDLE */
};

/* Code addresses are sign-extended, of 57 bits at the most. */
#define OWNER_SHIFT 7
/* The frame is the middle of a block that was handed out once. */
#define OWNER_MIDDLE 1U

/* For page_owner_report(): what a caller has. */
struct page_owner_sum {
	uintptr_t caller;
	uint64_t nr_blocks; /* 0: nobody's */
	uint64_t nr_pages;
};
#define OWNER_SUMS 512U

/* ---- mm/page_record.c ---- */

/* Adds what the records of the zone's pages take to its plan. */
void page_records_plan(const struct page_alloc *pa, struct zone *z);

/* Clean records, behind the zone's books. O(pages). */
void page_records_init(struct page_alloc *pa, struct zone *z);

/* The records of the tree that holds all of [pfn, pfn + nr_pages), or NULL. */
const struct page_records *page_records_of(const struct page_alloc *pa, uint64_t pfn,
					   uint64_t nr_pages);

/* The same, kept in h->watch->last. */
const struct page_records *page_records_find(struct page_hart *h, uint64_t pfn, uint64_t nr_pages);

/*
 * page_record_alloc() - a block is about to be handed out to @caller: poison is looked at,
 * __GFP_ZERO clears it, who has it is recorded. Aligned, not in use. Returns 0, or -EMM_EFAULT
 * (it is to be cleared and cannot be reached): nothing is recorded then, the block may go back by
 * page_free_block(). O(order), and O(pages) to clear or to look at poison.
 */
int page_record_alloc(struct page_hart *h, uint64_t pfn, unsigned int order, gfp_t gfp,
		      uintptr_t caller);

/* page_hand_out() - that, and where it fails the block goes back. Returns @pfn, or -EMM_EFAULT. */
int64_t page_hand_out(struct page_hart *h, uint64_t pfn, unsigned int order, gfp_t gfp,
		      uintptr_t caller);

/*
 * page_record_free() - may @caller free this block? If so it is recorded as free, and filled.
 * Returns 0 (the caller gives it back by page_put_back()), or the error of the misuse, which has
 * been told and counted: then nothing has changed. O(order), and O(pages) to fill.
 */
int page_record_free(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller);

/*
 * page_record_split() - a block in use becomes blocks of @into, which is not above @order, each to
 * be freed by itself. Who got it stays on record. With PAGE_ALLOC_OWNER a misuse is found as by
 * page_record_free(). O(blocks).
 */
int page_record_split(struct page_hart *h, uint64_t pfn, unsigned int order, unsigned int into,
		      uintptr_t caller);

/* All of an allocation for which no stack is open: without THISNODE, and the flags may be. */
int64_t page_alloc_recorded(struct page_hart *h, gfp_t gfp, unsigned int order, uintptr_t caller);

/* All of a free: the slow path of free_pages() with features. */
int page_free_recorded(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller);

/* One misuse more. */
void page_count_misuse(uint64_t *nr);

/* mm/page_hart.c: the hart has this from now on; its contents are zeros. */
void page_hart_watch(struct page_hart *h, struct page_watch *w);

/* ---- mm/page_compound.c ---- */

void page_mark_block(const struct page_records *r, uint64_t pfn, unsigned int order);
bool page_unmark_block(const struct page_records *r, uint64_t pfn, unsigned int order);

/* The order, from 1 on, of the block in use that holds @pfn; 0: there is none. */
unsigned int page_find_block(const struct page_records *r, uint64_t pfn);

/* ---- mm/page_owner.c ---- */

/* Tells and counts what is wrong with a @call. Returns its error. */
int page_owner_refuse(struct page_hart *h, const char *call, uint64_t pfn, unsigned int order,
		      uintptr_t caller);
int page_owner_split(struct page_hart *h, uint64_t pfn, unsigned int order, unsigned int into,
		     uintptr_t caller);

/* ---- mm/page_quarantine.c ---- */

#define QUARANTINE_BLOCKS    64U
#define QUARANTINE_MAX_ORDER 3U
#define QUARANTINE_USED      0x80U

/* What a hart has to itself where pages are recorded. */
struct page_watch {
	/* Where page_hart.fast[] would lead, if it did not lead to a closed context. */
	struct buddy_hart *fast[GFP_FAST_MASK + 1];
	const struct page_records *last; /* those that were needed last */
	/*
	 * What it has freed last, in a ring: a pfn in bits 8 and up, order, QUARANTINE_USED; or 0.
	 * Whoever exchanges a slot for something else has the block, on any hart.
	 */
	uint64_t next; /* by its hart alone */
	uint64_t slot[QUARANTINE_BLOCKS];
};

/* page_put_back() - back to the zone, at once or by way of the quarantine. page_free_block()'s errors. */
int page_put_back(struct page_hart *h, uint64_t pfn, unsigned int order);

/* A block of a small order waits; another goes back in its place. */
void page_quarantine_put(struct page_hart *h, uint64_t pfn, unsigned int order);

/* Gives back the blocks of @w; of all harts. Returns how many that were. */
uint32_t page_quarantine_drain(struct page_hart *h, struct page_watch *w);
uint32_t page_quarantine_drain_all(struct page_hart *h);

/* ---- mm/page_poison.c ---- */

void page_poison_init(const struct page_alloc *pa, const struct zone *z);
void page_poison_check(struct page_hart *h, const struct page_records *r, uint64_t pfn,
		       unsigned int order, uintptr_t caller);
int page_poison_fill(struct page_hart *h, const struct page_records *r, uint64_t pfn,
		     unsigned int order, uintptr_t caller);

/* ---- mm/page_clear.c ---- */

/* Stores @value into @nr words. */
void fill_words(uint64_t *p, uint64_t value, uint64_t nr);

/*
 * clear_pages() - zeros for the 2^order pages from @pfn on, reached page by page. Returns 0, or
 * -EMM_EFAULT if @map cannot reach one; those before it are cleared. O(pages).
 */
int clear_pages(const struct phys_map *map, uint64_t pfn, unsigned int order);

/* ---- bits ---- */

/*
 * The bit of a block of order 1 and more has the number of its middle frame: no two blocks share
 * one, and that of a small block is in the word of its frames.
 */
static inline uint64_t block_bit(uint64_t pfn, unsigned int order)
{
	return pfn | 1ULL << (order - 1);
}

static inline uint64_t *bit_word(uintptr_t bits, uint64_t nr)
{
	return (uint64_t *)(bits + (nr >> 6) * sizeof(uint64_t));
}

static inline uint64_t block_start(uint64_t pfn, unsigned int order)
{
	return pfn & ~((1ULL << order) - 1);
}

/* Trees are disjoint, those of different zones too. */
static inline bool records_cover(const struct page_records *r, uint64_t pfn, uint64_t nr_pages)
{
	uint64_t at = pfn - r->start_pfn;

	return at < r->nr_pages && nr_pages <= r->nr_pages - at;
}

/* For a hart that is going to need them again. NULL: no tree holds all of it. */
static inline const struct page_records *page_records_for(struct page_hart *h, uint64_t pfn,
							  uint64_t nr_pages)
{
	const struct page_records *r = h->watch->last;

	return likely(records_cover(r, pfn, nr_pages)) ? r : page_records_find(h, pfn, nr_pages);
}

/* Does a block of @order that holds @pfn lie in the tree? If not, no larger one does. */
static inline bool block_is_recorded(const struct page_records *r, uint64_t pfn, unsigned int order)
{
	uint64_t start = block_start(pfn, order);

	return order <= BUDDY_MAX_ORDER && records_cover(r, start, 1ULL << order);
}

#endif
