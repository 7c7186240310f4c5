/* SPDX-License-Identifier: BSD-2-Clause */
/* CMA areas: what is lent to movable allocations, as long as nobody claims it. */
#include <earlymm/page_contig.h>
#include "page_alloc_internal.h"

struct zone *cma_zone(const struct page_alloc *pa, uint32_t area)
{
	if (area >= pa->nr_cma)
		return NULL;
	return (struct zone *)&pa->zones[pa->nr_zones - pa->nr_cma + area];
}

int64_t cma_alloc(struct page_hart *h, uint32_t area, uint64_t nr_pages, unsigned int align_order)
{
	struct zone *z = cma_zone(h->pa, area);
	int64_t pfn;

	if (!z)
		return page_refuse(h, -EMM_ENOENT);
	if (!nr_pages || nr_pages > z->mm.managed_pages || align_order > BUDDY_MAX_ORDER)
		return page_refuse(h, -EMM_EINVAL);
	pfn = page_claim_first(h, z, nr_pages, align_order, GFP_KERNEL,
			       (uintptr_t)__builtin_return_address(0));
	return pfn >= 0 ? pfn : page_claim_failed(h, z, (int)pfn);
}

int cma_release(struct page_hart *h, uint32_t area, uint64_t pfn, uint64_t nr_pages)
{
	const struct zone *z = cma_zone(h->pa, area);

	/* Where the range ends is seen by page_free_parts(): an area has a tree of its own. */
	if (!z || page_zone(h->pa, pfn) != z)
		return page_refuse(h, z ? -EMM_ERANGE : -EMM_ENOENT);
	return page_free_parts(h, pfn, nr_pages, (uintptr_t)__builtin_return_address(0));
}
