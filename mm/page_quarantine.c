/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that were freed wait before they can be handed out again: who frees one a second time
 * meanwhile frees a free block, not another's.
 */
#include "page_record.h"

#define PFN_SHIFT  8
#define ORDER_MASK 0x1fU

/*
 * The records allowed the free: a buddy that refuses it has been used behind their back, and who
 * frees now is not to blame.
 */
static bool give_back(struct page_hart *h, uint64_t slot)
{
	uint64_t pfn = slot >> PFN_SHIFT;
	unsigned int order = (unsigned int)slot & ORDER_MASK;
	struct zone *z = page_records_for(h, pfn, 1)->zone;
	int err = page_free_to(h, z, pfn, order);

	if (unlikely(err)) {
		page_count_misuse(&h->pa->misuses);
		print_to(h->pa->out,
			 "page_owner: pfn 0x%llx, order %u: free behind the records' back\n",
			 (unsigned long long)pfn, order);
	}
	return !err;
}

void page_quarantine_put(struct page_hart *h, uint64_t pfn, unsigned int order)
{
	uint64_t slot = pfn << PFN_SHIFT | order | QUARANTINE_USED;
	struct page_watch *w = h->watch;

	slot = atomic_xchg(&w->slot[w->next++ % QUARANTINE_BLOCKS], slot);
	if (likely(slot))
		give_back(h, slot);
}

int page_put_back(struct page_hart *h, uint64_t pfn, unsigned int order)
{
	const struct page_records *r;

	if ((h->pa->features & PAGE_ALLOC_OWNER) && order <= QUARANTINE_MAX_ORDER) {
		page_quarantine_put(h, pfn, order);
		return 0;
	}
	r = page_records_for(h, pfn, 1);
	return r ? page_free_to(h, r->zone, pfn, order) : -EMM_ERANGE;
}

uint32_t page_quarantine_drain(struct page_hart *h, struct page_watch *w)
{
	uint32_t nr_blocks = 0;

	for (uint32_t i = 0; i < QUARANTINE_BLOCKS; i++) {
		uint64_t slot = atomic_read(&w->slot[i]) ? atomic_xchg(&w->slot[i], 0) : 0;

		if (slot && give_back(h, slot))
			nr_blocks++;
	}
	return nr_blocks;
}

uint32_t page_quarantine_drain_all(struct page_hart *h)
{
	uint32_t nr_blocks = 0;

	for (uint32_t i = 0; i < h->pa->nr_harts; i++)
		nr_blocks += page_quarantine_drain(h, h->pa->harts[i].watch);
	return nr_blocks;
}

uint64_t page_quarantined(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	if (!(pa->features & PAGE_ALLOC_OWNER))
		return 0;
	for (uint32_t i = 0; i < pa->nr_harts * QUARANTINE_BLOCKS; i++) {
		const struct page_hart *h = &pa->harts[i / QUARANTINE_BLOCKS];
		uint64_t slot = atomic_read(&h->watch->slot[i % QUARANTINE_BLOCKS]);

		if (slot && (!z || page_zone(pa, slot >> PFN_SHIFT) == z))
			nr_pages += 1ULL << (slot & ORDER_MASK);
	}
	return nr_pages;
}
