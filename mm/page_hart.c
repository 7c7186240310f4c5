/* SPDX-License-Identifier: BSD-2-Clause */
/* A hart's way into the page allocator: which context serves which kind of allocation. */
#include "page_record.h"

/* No fast path gets past it: for what no zone of the machine serves, and where all is recorded. */
static const struct buddy_hart closed_context;

void page_hart_turn_to(struct page_hart *h, gfp_t gfp, const struct zone *z, bool is_best)
{
	struct buddy_hart *c = zone_context(z, h->id, gfp_migratetype(gfp));

	gfp &= GFP_FAST_MASK;
	if (h->watch)
		h->watch->fast[gfp] = c;
	if (h->pa->features & PAGE_ALLOC_WATCHED)
		return;
	h->fast[gfp] = c;
	h->books[gfp] = is_best ? &z->harts[h->id] : NULL;
}

void page_hart_forget_best(struct page_hart *h)
{
	for (gfp_t gfp = 0; gfp <= GFP_FAST_MASK; gfp++)
		h->books[gfp] = NULL;
}

void page_hart_close(struct page_hart *h, const struct zone *z)
{
	struct buddy_hart *closed = (struct buddy_hart *)(uintptr_t)&closed_context;

	for (gfp_t gfp = 0; gfp <= GFP_FAST_MASK; gfp++) {
		const struct buddy_hart *c = zone_context(z, h->id, gfp_migratetype(gfp));

		if (h->watch && h->watch->fast[gfp] == c)
			h->watch->fast[gfp] = closed;
		if (h->fast[gfp] != c)
			continue;
		h->fast[gfp] = closed;
		h->books[gfp] = NULL;
	}
}

/* To the first zone of the hart's list, to begin with. */
static void begin_with(struct page_hart *h, gfp_t gfp)
{
	const struct page_alloc *pa = h->pa;
	const gfp_t both = __GFP_DMA32 | __GFP_HIGHMEM;

	h->fast[gfp] = (struct buddy_hart *)(uintptr_t)&closed_context;
	h->books[gfp] = NULL;
	if ((gfp & both) == both || (pa->features & PAGE_ALLOC_WATCHED))
		return;
	for (uint32_t i = 0; i < h->local->nr; i++) {
		const struct zone *z = &pa->zones[h->local->zone[i]];

		if (!zone_is_allowed(z, gfp))
			continue;
		h->fast[gfp] = zone_context(z, h->id, gfp_migratetype(gfp));
		return;
	}
}

/* Nothing is known of where a recorded block might come from. */
static void close_watch(struct page_hart *h)
{
	for (gfp_t gfp = 0; gfp <= GFP_FAST_MASK; gfp++)
		h->watch->fast[gfp] = (struct buddy_hart *)(uintptr_t)&closed_context;
}

int page_alloc_set_node(struct page_alloc *pa, uint32_t hart, int nid)
{
	struct page_hart *h;

	if (hart >= pa->nr_harts || nid < 0)
		return -EMM_EINVAL;
	if ((uint32_t)nid >= pa->nr_nodes)
		return -EMM_ENOENT;
	h = &pa->harts[hart];
	h->local = &pa->nodes[nid];
	if (h->watch)
		close_watch(h);
	for (gfp_t gfp = 0; gfp < __GFP_HIGH; gfp++) {
		begin_with(h, gfp);
		/* Which zones there are is all the same to it. */
		h->fast[gfp | __GFP_HIGH] = h->fast[gfp];
		h->books[gfp | __GFP_HIGH] = NULL;
	}
	return 0;
}

void page_hart_init(struct page_alloc *pa, uint32_t id)
{
	struct page_hart *h = &pa->harts[id];

	*h = (struct page_hart){
		.free_ctx = (struct buddy_hart *)(uintptr_t)&closed_context,
		.pa = pa,
		.id = id,
	};
	page_alloc_set_node(pa, id, 0);
}

void page_hart_watch(struct page_hart *h, struct page_watch *w)
{
	h->watch = w;
	close_watch(h);
}

/*
 * The books of the zone that frees went to become complete. Meanwhile a page is counted twice or not at
 * all: @flushes is odd then. An AMO sets it, for what follows may not come before it (.aq).
 */
void page_hart_flush(struct page_hart *h)
{
	struct zone_hart *zh;

	if (!h->free_zone)
		return;
	zh = &((const struct zone *)(uintptr_t)h->free_zone)->harts[h->id];
	atomic_xchg(&h->flushes, h->flushes + 1);
	for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++) {
		page_count(&zh->freed[order], h->freed[order]);
		page_count(&zh->freed_pages, h->freed[order] << order);
		atomic_set(&h->freed[order], 0);
	}
	atomic_set_release(&h->flushes, h->flushes + 1);
}

void page_want_drain(const struct page_hart *h)
{
	for (uint32_t i = 0; i < h->pa->nr_harts; i++)
		if (i != h->id)
			atomic_set(&h->pa->harts[i].drain_wanted, 1);
}

/*
 * Of all zones: the hart may not come to the others for long. One that is not seen yet, as the store
 * that closed the path overtook it, is answered zone by zone.
 */
void __attribute__((noinline)) page_answer_drain(struct page_hart *h)
{
	const struct page_alloc *pa = h->pa;

	atomic_set(&h->drain_wanted, 0);
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct buddy_hart *c = zone_context(&pa->zones[i], h->id, MIGRATE_UNMOVABLE);

		if (atomic_read(&c->request) || atomic_read(&c->sibling->request))
			buddy_hart_open(c);
	}
}

void page_hart_drain(struct page_hart *h)
{
	const struct page_alloc *pa = h->pa;

	if (h->watch)
		page_quarantine_drain(h, h->watch);
	page_hart_flush(h);
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
			if (pa->zones[i].mm.state == MM_HANDED_OVER)
				buddy_drain(zone_context(&pa->zones[i], h->id, type));
}
