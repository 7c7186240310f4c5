/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges that are claimed as they lie. A range is isolated part by part: a part that is claimed is
 * this hart's, so nobody else takes from it; what is not claimed yet others may take, and then all
 * goes back. The part that could not be had was in use at that moment, and so was the range.
 */
#include <earlymm/page_contig.h>
#include "page_record.h"

/* Ranges that are found and lost to another hart, before a search is given up. */
#define CLAIM_TRIES 64

/* Nothing of this hart's is in the way, nor what was freed and is watched for a while. */
static void drain_zone(struct page_hart *h, const struct zone *z)
{
	if (h->pa->features & PAGE_ALLOC_OWNER)
		page_quarantine_drain_all(h);
	for (unsigned int type = 0; type < MIGRATE_TYPES; type++)
		buddy_drain(zone_context(z, h->id, type));
}

/* Claims [start_pfn, end_pfn), in one tree, as a whole or not at all. */
static int claim_parts(struct page_hart *h, struct zone *z, uint64_t start_pfn, uint64_t end_pfn)
{
	struct buddy_hart *c = zone_context(z, h->id, MIGRATE_UNMOVABLE);
	unsigned int order;

	for (uint64_t pfn = start_pfn; pfn < end_pfn; pfn += 1ULL << order) {
		int err;

		order = page_part_order(pfn, end_pfn);
		err = buddy_claim(c, pfn, order);
		if (err) {
			page_return_part(h, z, start_pfn, pfn);
			return err;
		}
	}
	return 0;
}

/*
 * The same, counted, and as the caller wants it; each page is a block of its own. Returns
 * -EMM_EBUSY, -EMM_EAGAIN, -EMM_EFAULT.
 */
static int claim_range(struct page_hart *h, struct zone *z, uint64_t start_pfn, uint64_t end_pfn,
		       gfp_t gfp, uintptr_t caller)
{
	struct buddy_hart *c = zone_context(z, h->id, MIGRATE_UNMOVABLE);
	int err = claim_parts(h, z, start_pfn, end_pfn);
	unsigned int order;

	if (err)
		return err;
	err = page_record_parts(h, start_pfn, end_pfn, gfp, caller);
	if (err) {
		page_return_part(h, z, start_pfn, end_pfn);
		return err;
	}
	for (uint64_t pfn = start_pfn; pfn < end_pfn; pfn += 1ULL << order) {
		order = page_part_order(pfn, end_pfn);
		buddy_split(c, pfn, order);
	}
	page_count_parts(h, z, gfp_migratetype(gfp), start_pfn, end_pfn);
	/* No hart has been promised any of what is left. */
	for (uint32_t i = 0; i < h->pa->nr_harts; i++)
		zone_set_credit(&z->harts[i], 0);
	z->harts[h->id].claims++;
	return 0;
}

/* Others are asked for what they hold, once. True: that may be what was in the way. */
static bool ask_others(const struct page_hart *h, const struct zone *z)
{
	page_want_drain(h);
	return buddy_request_drain(zone_context(z, h->id, MIGRATE_UNMOVABLE)) != 0;
}

int page_claim_failed(struct page_hart *h, struct zone *z, int err)
{
	z->harts[h->id].claim_failures++;
	return err != -EMM_EFAULT && ask_others(h, z) ? -EMM_EAGAIN : err;
}

/* Flags for memory that is named: those that choose zones do not matter. */
static bool claim_is_good(gfp_t gfp)
{
	const struct page_request r = { .gfp = gfp };

	return page_request_is_good(&r) && !(gfp & __GFP_COMP);
}

int alloc_contig_range(struct page_hart *h, uint64_t start_pfn, uint64_t end_pfn, gfp_t gfp)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	struct zone *z;
	int err;

	if (start_pfn >= end_pfn || !claim_is_good(gfp))
		return page_refuse(h, -EMM_EINVAL);
	z = page_zone(h->pa, start_pfn);
	if (!z || !buddy_find_tree(&z->mm.buddy, start_pfn, end_pfn - start_pfn))
		return page_refuse(h, -EMM_ERANGE);
	if (z->mm.state != MM_HANDED_OVER)
		return page_refuse(h, -EMM_ESTATE);
	drain_zone(h, z);
	err = claim_range(h, z, start_pfn, end_pfn, gfp, caller);
	return err ? page_claim_failed(h, z, err) : 0;
}

int free_contig_range(struct page_hart *h, uint64_t start_pfn, uint64_t nr_pages)
{
	return page_free_parts(h, start_pfn, nr_pages, (uintptr_t)__builtin_return_address(0));
}

int64_t page_claim_first(struct page_hart *h, struct zone *z, uint64_t nr_pages,
			 unsigned int align_order, gfp_t gfp, uintptr_t caller)
{
	const struct buddy *b = &z->mm.buddy;
	unsigned int tries = 0;
	int err;

	drain_zone(h, z);
	for (uint32_t i = 0; i < b->nr_trees; i++) {
		const struct buddy_tree *t = &b->trees[i];
		uint64_t pfn = t->start_pfn;

		for (; tries < CLAIM_TRIES; tries++, pfn++) {
			pfn = buddy_find_run(t, pfn, t->end_pfn, nr_pages, align_order);
			if (pfn == UINT64_MAX)
				break;
			err = claim_range(h, z, pfn, pfn + nr_pages, gfp, caller);
			if (!err || err == -EMM_EFAULT)
				return err ? err : (int64_t)pfn;
		}
	}
	return tries ? -EMM_EAGAIN : -EMM_EBUSY;
}

/* One zone for alloc_contig_pages(). */
static int64_t alloc_in_zone(struct page_hart *h, struct zone *z, uint64_t nr_pages, gfp_t gfp,
			     uintptr_t caller)
{
	unsigned int align_order = nr_pages & (nr_pages - 1) ? 0 : fls64(nr_pages);
	int64_t pfn;

	if (!zone_has_pages(h->pa, z, nr_pages, WMARK_MIN, gfp_zone(gfp), gfp))
		return -EMM_ENOMEM;
	pfn = page_claim_first(h, z, nr_pages, align_order, gfp, caller);
	if (pfn < 0 && pfn != -EMM_EFAULT && ask_others(h, z))
		pfn = -EMM_EAGAIN;
	return pfn == -EMM_EBUSY ? -EMM_ENOMEM : pfn;
}

int64_t alloc_contig_pages(struct page_hart *h, uint64_t nr_pages, gfp_t gfp, int nid)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	const struct zonelist *list = page_zonelist(h, nid);
	struct zone *first = NULL;
	int64_t ret = -EMM_ENOMEM;

	if (!list || !nr_pages || !claim_is_good(gfp))
		return page_refuse(h, -EMM_EINVAL);
	for (unsigned int i = 0; i < list->nr; i++) {
		struct zone *z = &h->pa->zones[list->zone[i]];
		int64_t pfn;

		if (z->type == ZONE_CMA || !zone_is_allowed(z, gfp) ||
		    z->mm.state != MM_HANDED_OVER ||
		    ((gfp & __GFP_THISNODE) && z->nid != list->nid))
			continue;
		first = first ? first : z;
		pfn = alloc_in_zone(h, z, nr_pages, gfp, caller);
		if (pfn >= 0 || pfn == -EMM_EFAULT)
			return pfn;
		ret = pfn == -EMM_EAGAIN ? pfn : ret;
	}
	if (!first)
		return page_refuse(h, -EMM_ENOMEM);
	first->harts[h->id].claim_failures++;
	return ret;
}
