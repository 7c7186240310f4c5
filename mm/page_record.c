/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is recorded of pages: where it lies, and what happens when a block is handed out or comes
 * back. Layout, behind the zone's books: in the first zone what each hart has to itself, and sums for
 * the report on owners; struct page_records for each tree; then tree by tree the bits of blocks,
 * the owners, the bits of filled pages.
 */
#include "page_owner_fast.h"

/* What page_alloc.features is then. */
#define OWNERS_ONLY (PAGE_ALLOC_OWNER | PAGE_ALLOC_COMPOUND)

/* Words of bits for so many frames of a tree, wherever it begins. */
static uint64_t bit_words(uint64_t nr_pages)
{
	return nr_pages / 64 + 2;
}

static uint64_t shared_bytes(const struct page_alloc *pa)
{
	uint64_t bytes = pa->nr_harts * sizeof(struct page_watch);

	if (pa->features & PAGE_ALLOC_OWNER)
		bytes += OWNER_SUMS * sizeof(struct page_owner_sum);
	return bytes;
}

static uint64_t records_bytes(const struct page_alloc *pa, const struct zone *z)
{
	const struct mm *mm = &z->mm;
	uint64_t bytes = mm->nr_trees * sizeof(struct page_records);
	/* As many as the trees have at the most, each by itself. */
	uint64_t bits =
		(bit_words(mm->tree_pages) + mm->nr_trees * bit_words(0)) * sizeof(uint64_t);

	if (!pa->features)
		return 0;
	if (pa->features & PAGE_ALLOC_COMPOUND)
		bytes += bits;
	if (pa->features & PAGE_ALLOC_OWNER)
		bytes += mm->tree_pages * sizeof(struct page_owner);
	if (pa->features & PAGE_ALLOC_POISON)
		bytes += bits;
	return bytes + (z == pa->zones ? shared_bytes(pa) : 0);
}

void page_records_plan(const struct page_alloc *pa, struct zone *z)
{
	uint64_t bytes = records_bytes(pa, z);

	z->mm.extra_bytes += bytes;
	z->mm.meta_bytes += bytes;
}

/* Takes @bytes from *@at. */
static uintptr_t carve(uintptr_t *at, uint64_t bytes)
{
	uintptr_t start = *at;

	*at += bytes;
	return start;
}

static void carve_shared(struct page_alloc *pa, uintptr_t *at)
{
	struct page_watch *w = (struct page_watch *)carve(at, pa->nr_harts * sizeof(*w));

	for (uint32_t i = 0; i < pa->nr_harts; i++)
		page_hart_watch(&pa->harts[i], &w[i]);
	if (pa->features & PAGE_ALLOC_OWNER)
		pa->owner_sums =
			(struct page_owner_sum *)carve(at, OWNER_SUMS * sizeof(*pa->owner_sums));
}

static void carve_tree(const struct page_alloc *pa, struct zone *z, uint32_t i, uintptr_t *at)
{
	const struct buddy_tree *t = &z->mm.buddy.trees[i];
	struct page_records *r = &z->records[i];
	uint64_t first_word = t->start_pfn / 64;
	uint64_t bit_bytes = ((t->end_pfn - 1) / 64 - first_word + 1) * sizeof(uint64_t);

	*r = (struct page_records){
		.start_pfn = t->start_pfn,
		.nr_pages = t->end_pfn - t->start_pfn,
		.zone = z,
	};
	if (pa->features & PAGE_ALLOC_COMPOUND)
		r->blocks = carve(at, bit_bytes) - first_word * sizeof(uint64_t);
	if (pa->features & PAGE_ALLOC_OWNER)
		r->owners = carve(at, (t->end_pfn - t->start_pfn) * sizeof(struct page_owner)) -
			    t->start_pfn * sizeof(struct page_owner);
	if (pa->features & PAGE_ALLOC_POISON)
		r->filled = carve(at, bit_bytes) - first_word * sizeof(uint64_t);
}

void page_records_init(struct page_alloc *pa, struct zone *z)
{
	const struct buddy *b = &z->mm.buddy;
	uintptr_t at = (uintptr_t)(z->harts + pa->nr_harts);

	if (!pa->features)
		return;
	if (z == pa->zones)
		at += pa->nr_harts * sizeof(struct page_hart);
	fill_words((uint64_t *)at, 0, records_bytes(pa, z) / sizeof(uint64_t));
	if (z == pa->zones)
		carve_shared(pa, &at);
	z->records = (struct page_records *)carve(&at, b->nr_trees * sizeof(*z->records));
	for (uint32_t i = 0; i < b->nr_trees; i++)
		carve_tree(pa, z, i, &at);
	for (uint32_t i = 0; i < pa->nr_harts; i++)
		pa->harts[i].watch->last = z->records;
	if ((pa->features & PAGE_ALLOC_POISON) && z->mm.state == MM_HANDED_OVER)
		page_poison_init(pa, z);
}

const struct page_records *page_records_of(const struct page_alloc *pa, uint64_t pfn,
					   uint64_t nr_pages)
{
	const struct zone *z = page_zone(pa, pfn);
	const struct buddy_tree *t = z ? buddy_find_tree(&z->mm.buddy, pfn, nr_pages) : NULL;

	return t ? &z->records[t - z->mm.buddy.trees] : NULL;
}

const struct page_records *page_records_find(struct page_hart *h, uint64_t pfn, uint64_t nr_pages)
{
	const struct page_records *r = page_records_of(h->pa, pfn, nr_pages);

	if (r)
		h->watch->last = r;
	return r;
}

void page_count_misuse(uint64_t *nr)
{
	uint64_t old;

	do
		old = atomic_read(nr);
	while (!atomic_cmpxchg(nr, old, old + 1));
}

int page_record_alloc(struct page_hart *h, uint64_t pfn, unsigned int order, gfp_t gfp,
		      uintptr_t caller)
{
	const struct page_alloc *pa = h->pa;
	const struct page_records *r = NULL;
	int err = 0;

	if (pa->features)
		r = page_records_for(h, pfn, 1ULL << order);
	if (r && (pa->features & PAGE_ALLOC_POISON))
		page_poison_check(h, r, pfn, order, caller);
	if (gfp & __GFP_ZERO)
		err = clear_pages(pa->map, pfn, order);
	if (err || !r)
		return err;
	if (pa->features & PAGE_ALLOC_OWNER)
		page_owner_alloc(r, pfn, order, caller);
	else if ((gfp & __GFP_COMP) && order)
		page_mark_block(r, pfn, order);
	return 0;
}

int page_record_free(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller)
{
	const uint32_t features = h->pa->features;
	const struct page_records *r = NULL;
	int err = 0;

	if (!features)
		return 0;
	if (likely(order <= BUDDY_MAX_ORDER && block_start(pfn, order) == pfn))
		r = page_records_for(h, pfn, 1ULL << order);
	if ((features & PAGE_ALLOC_OWNER) &&
	    unlikely(!r || !page_owner_free(r, pfn, order, caller)))
		return page_owner_refuse(h, "free", pfn, order, caller);
	/* Without owners little can be known of a block: the buddy has the last word. */
	if (unlikely(!r))
		return order <= BUDDY_MAX_ORDER ? 0 : -EMM_EINVAL;
	if (features & PAGE_ALLOC_POISON)
		err = page_poison_fill(h, r, pfn, order, caller);
	if (!err && order && (features & PAGE_ALLOC_COMPOUND))
		page_unmark_block(r, pfn, order);
	return err;
}

int page_record_split(struct page_hart *h, uint64_t pfn, unsigned int order, unsigned int into,
		      uintptr_t caller)
{
	const struct page_alloc *pa = h->pa;
	const struct page_records *r;

	if (into > order)
		return -EMM_EINVAL;
	if (pa->features & PAGE_ALLOC_OWNER)
		return page_owner_split(h, pfn, order, into, caller);
	if (!order || !(pa->features & PAGE_ALLOC_COMPOUND))
		return 0;
	r = page_records_for(h, pfn, 1ULL << order);
	if (r)
		page_unmark_block(r, pfn, order);
	return 0;
}

int64_t page_hand_out(struct page_hart *h, uint64_t pfn, unsigned int order, gfp_t gfp,
		      uintptr_t caller)
{
	int err = page_record_alloc(h, pfn, order, gfp, caller);

	if (likely(!err))
		return (int64_t)pfn;
	page_free_block(h, pfn, order);
	return err;
}

/* Nothing but this to record, and the records are at hand. */
static inline bool is_simple(const struct page_hart *h, uint32_t features, uint64_t pfn,
			     unsigned int order)
{
	return h->pa->features == features && order <= BUDDY_MAX_ORDER &&
	       records_cover(h->watch->last, pfn, 1ULL << order);
}

int64_t page_alloc_recorded(struct page_hart *h, gfp_t gfp, unsigned int order, uintptr_t caller)
{
	struct buddy_hart *c = h->watch->fast[gfp & GFP_FAST_MASK];
	int64_t *top, pfn;

	if (unlikely(order >= atomic_read32(&c->nr_orders)))
		return page_alloc_by_list(h, gfp, order, caller);
	top = c->top[order];
	pfn = *top;
	if (unlikely(pfn < 0))
		return page_alloc_by_list(h, gfp, order, caller);
	c->top[order] = top - 1;
	if (unlikely((gfp & __GFP_ZERO) || !is_simple(h, OWNERS_ONLY, (uint64_t)pfn, order)))
		return page_hand_out(h, (uint64_t)pfn, order, gfp, caller);
	page_owner_alloc(h->watch->last, (uint64_t)pfn, order, caller);
	return pfn;
}

static int __attribute__((noinline))
free_recorded(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller)
{
	int err = page_record_free(h, pfn, order, caller);

	if (unlikely(order > BUDDY_MAX_ORDER))
		h->refusals++;
	return likely(!err) ? page_put_back(h, pfn, order) : err;
}

int page_free_recorded(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller)
{
	const struct page_records *r = h->watch->last;

	if (order <= QUARANTINE_MAX_ORDER && is_simple(h, OWNERS_ONLY, pfn, order) &&
	    likely(page_owner_free(r, pfn, order, caller))) {
		if (order)
			page_unmark_block(r, pfn, order);
		page_quarantine_put(h, pfn, order);
		return 0;
	}
	if (is_simple(h, PAGE_ALLOC_COMPOUND, pfn, order)) {
		if (order && block_start(pfn, order) == pfn)
			page_unmark_block(r, pfn, order);
		return page_free_to(h, r->zone, pfn, order);
	}
	return free_recorded(h, pfn, order, caller);
}
