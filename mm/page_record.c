/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is recorded of pages: where it lies, and what happens when a block is handed out or comes
 * back. Layout, behind the zone's books: in the first zone, with PAGE_ALLOC_OWNER, sums for the
 * report and quarantines; struct page_records for each tree; then tree by tree the bits of blocks,
 * the owners, the bits of filled pages.
 */
#include "page_record.h"

/* Words of bits for so many frames of a tree, wherever it begins. */
static uint64_t bit_words(uint64_t nr_pages)
{
	return nr_pages / 64 + 2;
}

static uint64_t shared_bytes(const struct page_alloc *pa)
{
	if (!(pa->features & PAGE_ALLOC_OWNER))
		return 0;
	return OWNER_SUMS * sizeof(struct page_owner_sum) +
	       pa->nr_harts * sizeof(struct page_quarantine);
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
	struct page_quarantine *q;

	pa->owner_sums = (struct page_owner_sum *)carve(at, OWNER_SUMS * sizeof(*pa->owner_sums));
	q = (struct page_quarantine *)carve(at, pa->nr_harts * sizeof(*q));
	for (uint32_t i = 0; i < pa->nr_harts; i++)
		pa->harts[i].quarantine = &q[i];
}

static void carve_tree(const struct page_alloc *pa, struct page_records *r,
		       const struct buddy_tree *t, uintptr_t *at)
{
	uint64_t first_word = t->start_pfn / 64;
	uint64_t bit_bytes = ((t->end_pfn - 1) / 64 - first_word + 1) * sizeof(uint64_t);

	*r = (struct page_records){ .tree = t };
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
	if (z == pa->zones && shared_bytes(pa))
		carve_shared(pa, &at);
	z->records = (struct page_records *)carve(&at, b->nr_trees * sizeof(*z->records));
	for (uint32_t i = 0; i < b->nr_trees; i++)
		carve_tree(pa, &z->records[i], &b->trees[i], &at);
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
		r = page_records_of(pa, pfn, 1ULL << order);
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

/* Without owners little can be known of a block: the buddy has the last word. */
static const struct page_records *records_of_block(const struct page_alloc *pa, uint64_t pfn,
						   unsigned int order)
{
	if (order > BUDDY_MAX_ORDER || block_start(pfn, order) != pfn)
		return NULL;
	return page_records_of(pa, pfn, 1ULL << order);
}

int page_record_free(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller)
{
	const struct page_alloc *pa = h->pa;
	const struct page_records *r;
	int err = 0;

	if (!pa->features)
		return 0;
	if (pa->features & PAGE_ALLOC_OWNER)
		err = page_owner_free(h, pfn, order, caller);
	r = err ? NULL : records_of_block(pa, pfn, order);
	if (!r)
		return err;
	if (pa->features & PAGE_ALLOC_POISON)
		err = page_poison_fill(h, r, pfn, order, caller);
	if (!err && order && (pa->features & PAGE_ALLOC_COMPOUND))
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
	r = records_of_block(pa, pfn, order);
	if (r)
		page_unmark_block(r, pfn, order);
	return 0;
}

int page_free_recorded(struct page_hart *h, uint64_t pfn, unsigned int order, uintptr_t caller)
{
	int err = page_record_free(h, pfn, order, caller);

	return err ? err : page_put_back(h, pfn, order);
}
