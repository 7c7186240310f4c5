/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watermarks, the reserves for low zones, and the order in which zones are tried. The figures are
 * Linux's (mm/page_alloc.c, 6.x): min_free_kbytes = 4 * sqrt(lowmem in KiB), by default.
 */
#include "page_alloc_internal.h"

#define MIN_FREE_KIB 128
#define MAX_FREE_KIB 262144

/* A zone for all keeps so much of the memory above it: one page for so many. */
#define LOWMEM_RESERVE_RATIO 256

/* vm.watermark_scale_factor, in 10 000ths of a zone: the least distance between two marks. */
#define WATERMARK_SCALE 10

/* Of HIGHMEM zones: a reserve for form's sake. */
#define HIGHMEM_MIN_PAGES 32
#define HIGHMEM_MAX_PAGES 128

/* Looks at the counters of a hart that is just moving them. */
#define FLUSH_TURNS 64

/* No zone keeps more than one page of so many: Linux has no such limit, and needs more memory. */
#define MAX_RESERVE_RATIO 8

/* Rounded down; of more than can matter: more than can matter. */
static uint64_t isqrt(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = MAX_FREE_KIB; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= x)
			root += bit;
	return root;
}

static uint64_t clamp(uint64_t v, uint64_t low, uint64_t high)
{
	if (v < low)
		return low;
	return v > high ? high : v;
}

static uint64_t min_free_pages(uint64_t lowmem_pages)
{
	uint64_t kib = isqrt((lowmem_pages << (PAGE_SHIFT - 10)) * 16);

	return clamp(kib, MIN_FREE_KIB, MAX_FREE_KIB) >> (PAGE_SHIFT - 10);
}

/* part / all of x, without overflow for any number of pages. */
static uint64_t share(uint64_t x, uint64_t part, uint64_t all)
{
	while (all >> 32) {
		all >>= 1;
		part >>= 1;
	}
	return all ? x * part / all : 0;
}

static void set_marks(struct zone *z, uint64_t min_pages, uint64_t lowmem_pages)
{
	uint64_t managed = z->mm.managed_pages, step;
	uint64_t min = share(min_pages, managed, lowmem_pages);

	if (z->type == ZONE_HIGHMEM)
		min = clamp(managed / 1024, HIGHMEM_MIN_PAGES, HIGHMEM_MAX_PAGES);
	if (min > managed / MAX_RESERVE_RATIO)
		min = managed / MAX_RESERVE_RATIO;
	if (z->type == ZONE_CMA)
		min = 0;
	step = z->type == ZONE_CMA ? 0 : managed / 10000 * WATERMARK_SCALE;
	if (step < min / 4)
		step = min / 4;
	z->wmark[WMARK_MIN] = min;
	z->wmark[WMARK_LOW] = min + step;
	z->wmark[WMARK_HIGH] = min + 2 * step;
}

/*
 * What allocations that could have had a higher zone of the node must leave in a low one. A zone
 * that is alone with its node is for all. Linux: setup_per_zone_lowmem_reserve.
 */
static void set_reserves(struct page_alloc *pa, struct zone *z)
{
	uint64_t above[MAX_NR_ZONES] = { 0 };

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		const struct zone *other = &pa->zones[i];

		if (other->type == ZONE_CMA || other->nid != z->nid)
			continue;
		for (unsigned int type = other->type; type < MAX_NR_ZONES; type++)
			if (other->type > z->type)
				above[type] += other->mm.managed_pages;
	}
	for (unsigned int type = 0; type < MAX_NR_ZONES; type++)
		z->lowmem_reserve[type] = above[type] / LOWMEM_RESERVE_RATIO;
}

void zone_setup_watermarks(struct page_alloc *pa)
{
	uint64_t lowmem_pages = 0, min_pages;

	for (uint32_t i = 0; i < pa->nr_zones; i++)
		if (pa->zones[i].type < ZONE_HIGHMEM)
			lowmem_pages += pa->zones[i].mm.managed_pages;
	min_pages = min_free_pages(lowmem_pages);
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct zone *z = &pa->zones[i];

		set_marks(z, min_pages, lowmem_pages);
		set_reserves(pa, z);
		/* As the harts know them. */
		for (uint32_t hart = 0; hart < pa->nr_harts; hart++)
			z->harts[hart].credit = 0;
	}
}

/* ---- zonelists ---- */

static int distance(const struct page_alloc *pa, int from, int to)
{
	if (from == to || !pa->distance)
		return from != to;
	return pa->distance(pa->distance_ctx, from, to);
}

/* Zones of the node, the best first: the highest type; then what is lent. */
static void list_node(const struct page_alloc *pa, struct zonelist *list, int nid)
{
	static const enum zone_type types[] = { ZONE_HIGHMEM, ZONE_NORMAL, ZONE_DMA32, ZONE_CMA };

	for (unsigned int t = 0; t < ARRAY_SIZE(types); t++)
		for (uint32_t i = 0; i < pa->nr_zones; i++)
			if (pa->zones[i].type == types[t] && pa->zones[i].nid == nid)
				list->zone[list->nr++] = (uint8_t)i;
}

/* The nearest node that is not among those @seen; among equals the next in a round. */
static uint32_t nearest_node(const struct page_alloc *pa, uint32_t nid, uint32_t seen)
{
	bool found = false;
	uint32_t best = 0;
	int least = 0;

	for (uint32_t k = 0; k < pa->nr_nodes; k++) {
		uint32_t at = (nid + k) % pa->nr_nodes;
		int far = distance(pa, (int)nid, (int)at);

		if (seen >> at & 1 || (found && far >= least))
			continue;
		found = true;
		best = at;
		least = far;
	}
	return best;
}

/* The nodes by distance, each once. */
static void build_list(struct page_alloc *pa, uint32_t nid)
{
	struct zonelist *list = &pa->nodes[nid];
	uint32_t seen = 0;

	list->nid = (int)nid;
	list->nr = 0;
	for (uint32_t n = 0; n < pa->nr_nodes; n++) {
		uint32_t next = nearest_node(pa, nid, seen);

		seen |= 1U << next;
		list_node(pa, list, (int)next);
	}
}

void zone_setup_lists(struct page_alloc *pa)
{
	pa->nr_nodes = 0;
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		if ((uint32_t)pa->zones[i].nid >= pa->nr_nodes)
			pa->nr_nodes = (uint32_t)pa->zones[i].nid + 1;
	for (uint32_t nid = 0; nid < pa->nr_nodes; nid++)
		build_list(pa, nid);
}

/* ---- what is free ---- */

/* Pages that hart @i has freed, in one go: wrong if they are being moved from one counter to another. */
static inline uint64_t look_at_freed(const struct page_alloc *pa, const struct zone *z, uint32_t i)
{
	const struct page_hart *h = &pa->harts[i];

	return atomic_read(&z->harts[i].freed_pages) +
	       (page_counts_for(h, z) ? uncounted_frees(h) : 0);
}

/* The same, as page_hart_flush() shows them. */
static uint64_t __attribute__((noinline))
freed_pages(const struct page_alloc *pa, const struct zone *z, uint32_t i)
{
	const uint64_t *at = &pa->harts[i].flushes;
	uint64_t nr_pages = 0;

	/* A flush is some 150 instructions: one that takes longer is not waited for. */
	for (unsigned int turn = 0; turn < FLUSH_TURNS; turn++) {
		uint64_t flushes = atomic_read_acquire(at);

		nr_pages = look_at_freed(pa, z, i);
		/* The counters come before the second look. */
		atomic_fence_acquire();
		if (!(flushes & 1) && atomic_read(at) == flushes)
			break;
	}
	return nr_pages;
}

uint64_t zone_pages_moved(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < pa->nr_harts; i++) {
		nr_pages += freed_pages(pa, z, i) + atomic_read(&z->harts[i].taken_pages);
		for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
			nr_pages += context_drained_pages(zone_context(z, i, type));
	}
	return nr_pages;
}

uint64_t zone_free_pages(const struct page_alloc *pa, const struct zone *z)
{
	/* Late memory may be on its way: free_reserved. */
	uint64_t nr_free = atomic_read(&z->mm.managed_pages);

	for (uint32_t i = 0; i < pa->nr_harts; i++) {
		nr_free +=
			likely(pa->nr_harts == 1) ? look_at_freed(pa, z, i) : freed_pages(pa, z, i);
		nr_free -= atomic_read(&z->harts[i].taken_pages);
		for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
			nr_free += context_drained_pages(zone_context(z, i, type));
	}
	/* A free may have been read before, and the next allocation of those pages since. */
	return (int64_t)nr_free < 0 ? 0 : nr_free;
}

uint64_t zone_reserve(const struct zone *z, enum zone_watermark mark, enum zone_type highest,
		      gfp_t gfp)
{
	uint64_t min = z->wmark[mark];

	if (gfp & __GFP_MEMALLOC)
		return 0;
	if (gfp & __GFP_HIGH)
		min -= min / 2;
	if (highest < MAX_NR_ZONES && z->type != ZONE_CMA)
		min += z->lowmem_reserve[highest];
	return min;
}

bool zone_has_pages(const struct page_alloc *pa, const struct zone *z, uint64_t nr_pages,
		    enum zone_watermark mark, enum zone_type highest, gfp_t gfp)
{
	uint64_t nr_free = zone_free_pages(pa, z);

	return nr_free >= nr_pages && nr_free - nr_pages >= zone_reserve(z, mark, highest, gfp);
}

bool zone_watermark_ok(const struct page_alloc *pa, const struct zone *z, unsigned int order,
		       enum zone_watermark mark, enum zone_type highest, gfp_t gfp)
{
	return (gfp & __GFP_MEMALLOC) || zone_has_pages(pa, z, 1ULL << order, mark, highest, gfp);
}
