/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges that are no block: they are had, counted and freed as their parts, the largest aligned
 * blocks, upwards.
 */
#include "page_record.h"

/* Back into the zone, as if it had never been taken: nothing is counted. */
void page_return_part(struct page_hart *h, struct zone *z, uint64_t start_pfn, uint64_t end_pfn)
{
	struct buddy_hart *c = zone_context(z, h->id, MIGRATE_UNMOVABLE);

	while (start_pfn < end_pfn) {
		unsigned int order = page_part_order(start_pfn, end_pfn);

		/* Cannot fail: the block is this hart's. */
		buddy_free(c, start_pfn, order);
		start_pfn += 1ULL << order;
	}
}

/* The range is taken: its parts are. */
void page_count_parts(struct page_hart *h, struct zone *z, enum migratetype type,
		      uint64_t start_pfn, uint64_t end_pfn)
{
	struct zone_hart *zh = &z->harts[h->id];

	page_count(&zh->taken_pages, end_pfn - start_pfn);
	while (start_pfn < end_pfn) {
		unsigned int order = page_part_order(start_pfn, end_pfn);

		page_count(&zh->taken[type][order], 1);
		start_pfn += 1ULL << order;
	}
}

/*
 * What is recorded of the parts. On an error nothing is, and what was cleared is.
 */
int page_record_parts(struct page_hart *h, uint64_t start_pfn, uint64_t end_pfn, gfp_t gfp,
		      uintptr_t caller)
{
	uint64_t pfn = start_pfn;
	int err = 0;

	if (!h->pa->features && !(gfp & __GFP_ZERO))
		return 0;
	while (pfn < end_pfn && !err) {
		unsigned int order = page_part_order(pfn, end_pfn);

		err = page_record_alloc(h, pfn, order, gfp, caller);
		if (!err)
			pfn += 1ULL << order;
	}
	for (uint64_t at = start_pfn; err && at < pfn;) {
		unsigned int order = page_part_order(at, end_pfn);

		page_record_free(h, at, order, caller);
		at += 1ULL << order;
	}
	return err;
}

/* All of it or nothing, as far as the trees know: what lies in a hart's stack is not seen. */
int page_free_parts(struct page_hart *h, uint64_t start_pfn, uint64_t nr_pages, uintptr_t caller)
{
	struct zone *z = page_zone(h->pa, start_pfn);
	const struct buddy_tree *t;
	int ret = 0;

	if (!nr_pages)
		return page_refuse(h, -EMM_EINVAL);
	t = z && z->mm.state == MM_HANDED_OVER ? buddy_find_tree(&z->mm.buddy, start_pfn, nr_pages)
					       : NULL;
	if (!t)
		return page_refuse(h, -EMM_ERANGE);
	if (buddy_find_run(t, start_pfn, start_pfn + nr_pages, 1, 0) != UINT64_MAX)
		return buddy_refuse_free(zone_context(z, h->id, MIGRATE_UNMOVABLE));
	for (uint64_t pfn = start_pfn, end = start_pfn + nr_pages; pfn < end;) {
		unsigned int order = page_part_order(pfn, end);
		int err = page_free_slow(h, pfn, order, caller);

		ret = ret ? ret : err;
		pfn += 1ULL << order;
	}
	return ret;
}
