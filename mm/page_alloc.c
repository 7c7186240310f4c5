/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page allocator's fast paths: a block from the stack that served this kind of allocation
 * last, and a free into the zone of the last one. Everything else is in page_alloc_slow.c.
 */
#include "page_alloc_internal.h"

int64_t alloc_pages(struct page_hart *h, gfp_t gfp, unsigned int order)
{
	if (likely(gfp <= GFP_FAST_MASK)) {
		/* Signed, as the ABI has it: an index without a conversion. */
		struct buddy_hart *c = h->fast[(int)gfp];

		if (likely(order < atomic_read32(&c->nr_orders))) {
			int64_t **at = &c->top[(int)order], *top = *at;
			int64_t pfn = *top;

			if (likely(pfn >= 0)) {
				*at = top - 1;
				return pfn;
			}
		}
	}
	return page_alloc_slow(h, gfp, order, CALLER);
}

int free_pages(struct page_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_hart *c = h->free_ctx;

	if (likely(order == 0)) {
		if (buddy_free_page_fast(c, pfn)) {
			page_count_free(&h->freed[0]);
			return 0;
		}
	} else if (order < RADIX_SHIFT) {
		if (buddy_free_run_fast(c, pfn, order)) {
			page_count_free(&h->freed[(int)order]);
			return 0;
		}
	}
	return page_free_slow(h, pfn, order, CALLER);
}
