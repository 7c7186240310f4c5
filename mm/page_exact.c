/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of pages that are no power of two: from the block of the next order, what is not needed
 * goes back at once.
 */
#include <earlymm/page_contig.h>
#include "page_alloc_internal.h"

/*
 * Keeps the first @nr_pages of a block, which is then taken as their parts; or none if they are not
 * as the caller wants them.
 */
static int keep_first(struct page_hart *h, uint64_t pfn, uint64_t nr_pages,
		      const struct page_request *r)
{
	enum migratetype type = gfp_migratetype(r->gfp);
	struct zone *z = page_zone(h->pa, pfn);
	struct zone_hart *zh = &z->harts[h->id];
	uint64_t size = 1ULL << r->order;
	int err = page_record_parts(h, pfn, pfn + nr_pages, r->gfp, r->caller);

	if (err)
		nr_pages = 0;
	buddy_split(zone_context(z, h->id, type), pfn, r->order);
	page_return_part(h, z, pfn + nr_pages, pfn + size);
	page_count(&zh->taken[type][r->order], -1ULL);
	page_count(&zh->taken_pages, -size);
	page_count_parts(h, z, type, pfn, pfn + nr_pages);
	return err;
}

static int64_t alloc_exact(struct page_hart *h, const struct zonelist *list, uint64_t nr_pages,
			   gfp_t gfp, uintptr_t caller)
{
	struct page_request r = {
		.gfp = gfp,
		.list = list,
		.caller = caller,
	};
	int64_t pfn;
	int err = 0;

	if (!list || !nr_pages || nr_pages > 1ULL << BUDDY_MAX_ORDER || (gfp & __GFP_COMP) ||
	    !page_request_is_good(&r))
		return page_refuse(h, -EMM_EINVAL);
	r.order = fls64(nr_pages);
	r.order += 1ULL << r.order < nr_pages;
	pfn = page_take_from(h, &r);
	if (pfn >= 0)
		err = keep_first(h, (uint64_t)pfn, nr_pages, &r);
	return err ? err : pfn;
}

int64_t alloc_pages_exact(struct page_hart *h, uint64_t nr_pages, gfp_t gfp)
{
	return alloc_exact(h, h->local, nr_pages, gfp, (uintptr_t)__builtin_return_address(0));
}

int64_t alloc_pages_exact_nid(struct page_hart *h, int nid, uint64_t nr_pages, gfp_t gfp)
{
	return alloc_exact(h, page_zonelist(h, nid), nr_pages, gfp,
			   (uintptr_t)__builtin_return_address(0));
}

int free_pages_exact(struct page_hart *h, uint64_t pfn, uint64_t nr_pages)
{
	return page_free_parts(h, pfn, nr_pages, (uintptr_t)__builtin_return_address(0));
}
