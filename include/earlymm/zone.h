/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zones: the memory of one node between two limits of address, or a CMA area; each a struct mm of
 * its own, with watermarks and counters. Everything in pages unless it says otherwise.
 */
#ifndef EARLYMM_ZONE_H
#define EARLYMM_ZONE_H

#include <earlymm/gfp.h>
#include <earlymm/mm_init.h>

enum zone_type {
	ZONE_DMA32, /* below 4 GiB */
	ZONE_NORMAL,
	ZONE_HIGHMEM, /* from a configured boundary on */
	MAX_NR_ZONES,
	ZONE_CMA = MAX_NR_ZONES, /* an area that is lent to movable allocations */
};

#define DMA32_END_PFN (0x100000000ULL >> PAGE_SHIFT)

enum zone_watermark {
	WMARK_MIN, /* below: the emergency reserve */
	WMARK_LOW, /* below: other zones first */
	WMARK_HIGH,
	NR_WMARK,
};

/* Unmovable blocks come from the bottom of a zone, movable ones from the top: a context each. */
enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_TYPES,
};

#define NR_PAGE_ORDERS (BUDDY_MAX_ORDER + 1)

struct zone;

/*
 * One hart's side of a zone's books. Written by that hart alone but for @credit, read by all. What it holds in
 * stacks counts as taken. It begins with what each refill writes and ends with what is seldom written: that
 * may share a cache line with the next hart's.
 */
struct zone_hart {
	/* Pages that may be taken before the watermarks are looked at again. Others take it back. */
	int64_t credit;
	uint64_t taken_pages; /* from the trees: the sum of taken[][] */
	uint64_t freed_pages; /* the sum of freed[] */
	uint64_t taken[MIGRATE_TYPES][NR_PAGE_ORDERS]; /* blocks, by order */
	uint64_t freed[NR_PAGE_ORDERS];
	uint32_t fallbacks[NR_PAGE_ORDERS]; /* had from here, as a better zone had none to give */
	uint32_t failures[NR_PAGE_ORDERS]; /* this zone was the best one, and no other helped */
	uint32_t claims; /* ranges that were claimed: page_contig.h */
	uint32_t claim_failures;
	/*
	 * For vmstat, in blocks. What the hart takes here it wants from the node of the zone @meant;
	 * NULL: from this one. Up to @settled blocks that is counted: as @misses here, and as @foreign
	 * in the zone that was meant.
	 */
	struct zone *meant;
	uint64_t settled, misses, foreign;
};

struct zone {
	struct mm mm; /* limits, buddy, metadata, managed_pages */
	enum zone_type type;
	enum zone_type within; /* of a CMA area: the type of the zone around it; else @type */
	int nid; /* >= 0 */
	uint64_t present_pages; /* memory inside the limits, reserved and no-map too */
	uint64_t wmark[NR_WMARK];
	/* What allocations that may also have a zone of a higher type, the index, must leave. */
	uint64_t lowmem_reserve[MAX_NR_ZONES];
	struct zone_hart *harts;
	struct page_records *records; /* what is recorded of its pages, a struct a tree; or NULL */
};

/* "DMA32", "Normal", "HighMem", "CMA". */
const char *zone_name(enum zone_type type);

/*
 * zone_context() - the hart's context for blocks of @type: hart @hart of nr_harts, as counted by
 * @z->mm.nr_harts. CMA areas are used through both.
 */
static inline struct buddy_hart *zone_context(const struct zone *z, uint32_t hart,
					      enum migratetype type)
{
	return &z->mm.buddy.harts[(uint32_t)type * z->mm.nr_harts + hart];
}

#endif
