/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that were freed wait before they can be handed out again: who frees one a second time
 * meanwhile frees a free block, not another's.
 */
#include "page_record.h"

#define PFN_SHIFT  8
#define ORDER_MASK 0x1fU

/* The records allowed the free: a buddy that refuses it has been used behind their back. */
static int give_back(struct page_hart *h, uint64_t slot)
{
	uint64_t pfn = slot >> PFN_SHIFT;
	unsigned int order = (unsigned int)slot & ORDER_MASK;
	int err = page_free_block(h, pfn, order);

	if (err) {
		page_count_misuse(&h->pa->misuses);
		print_to(h->pa->out,
			 "page_owner: pfn 0x%llx, order %u: free behind the records' back\n",
			 (unsigned long long)pfn, order);
	}
	return err;
}

int page_put_back(struct page_hart *h, uint64_t pfn, unsigned int order)
{
	struct page_quarantine *q = h->quarantine;
	uint64_t slot = pfn << PFN_SHIFT | order | QUARANTINE_USED;

	if (!q || order > QUARANTINE_MAX_ORDER)
		return page_free_block(h, pfn, order);
	slot = atomic_xchg(&q->slot[q->next++ % QUARANTINE_BLOCKS], slot);
	if (slot)
		give_back(h, slot);
	return 0;
}

uint32_t page_quarantine_drain(struct page_hart *h, struct page_quarantine *q)
{
	uint32_t nr_blocks = 0;

	for (uint32_t i = 0; i < QUARANTINE_BLOCKS; i++) {
		uint64_t slot = atomic_read(&q->slot[i]) ? atomic_xchg(&q->slot[i], 0) : 0;

		if (slot && !give_back(h, slot))
			nr_blocks++;
	}
	return nr_blocks;
}

uint32_t page_quarantine_drain_all(struct page_hart *h)
{
	uint32_t nr_blocks = 0;

	for (uint32_t i = 0; i < h->pa->nr_harts; i++)
		nr_blocks += page_quarantine_drain(h, h->pa->harts[i].quarantine);
	return nr_blocks;
}

uint64_t page_quarantined(const struct page_alloc *pa, const struct zone *z)
{
	uint64_t nr_pages = 0;

	if (!(pa->features & PAGE_ALLOC_OWNER))
		return 0;
	for (uint32_t i = 0; i < pa->nr_harts * QUARANTINE_BLOCKS; i++) {
		const struct page_hart *h = &pa->harts[i / QUARANTINE_BLOCKS];
		uint64_t slot = atomic_read(&h->quarantine->slot[i % QUARANTINE_BLOCKS]);

		if (slot && (!z || page_zone(pa, slot >> PFN_SHIFT) == z))
			nr_pages += 1ULL << (slot & ORDER_MASK);
	}
	return nr_pages;
}
