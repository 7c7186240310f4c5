/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks in use, by who allocated them. */
#include "page_owner_fast.h"

/* What has no room among the callers, and the sum of all. */
struct page_owner_totals {
	struct page_owner_sum others;
	struct page_owner_sum all;
};

static void add_block(struct page_owner_sum *sum, unsigned int order)
{
	sum->nr_blocks++;
	sum->nr_pages += 1ULL << order;
}

/* The caller's sum, or that of the others if there are too many. */
static struct page_owner_sum *find_sum(struct page_alloc *pa, uintptr_t caller,
				       struct page_owner_totals *totals)
{
	/* Calls are two bytes apart, at least. */
	uint32_t at = (uint32_t)(caller >> 1) * 0x9e3779b1U >> 16;

	for (uint32_t i = 0; i < OWNER_SUMS; i++) {
		struct page_owner_sum *sum = &pa->owner_sums[(at + i) % OWNER_SUMS];

		if (!sum->nr_blocks)
			sum->caller = caller;
		if (sum->caller == caller)
			return sum;
	}
	return &totals->others;
}

static void add_tree(struct page_alloc *pa, const struct page_records *r,
		     struct page_owner_totals *totals)
{
	uint64_t step;

	for (uint64_t i = 0; i < r->nr_pages; i += step) {
		uint64_t allocated = atomic_read(&owner_of(r, r->start_pfn + i)->allocated);
		unsigned int order;

		step = 1;
		if (owner_state(allocated, &order) != PAGE_IN_USE)
			continue;
		step = 1ULL << order;
		add_block(find_sum(pa, owner_caller(allocated), totals), order);
		add_block(&totals->all, order);
	}
}

static struct page_owner_sum *largest(const struct page_alloc *pa)
{
	struct page_owner_sum *best = pa->owner_sums;

	for (uint32_t i = 1; i < OWNER_SUMS; i++)
		if (pa->owner_sums[i].nr_pages > best->nr_pages)
			best = &pa->owner_sums[i];
	return best;
}

int64_t page_owner_report(struct page_alloc *pa, const struct printer *out, uint32_t max_lines)
{
	struct page_owner_totals totals = { .all = { .caller = 0 } };
	uint64_t pages, blocks;

	if (!(pa->features & PAGE_ALLOC_OWNER))
		return -EMM_ESTATE;
	for (uint32_t i = 0; i < OWNER_SUMS; i++)
		pa->owner_sums[i] = (struct page_owner_sum){ .caller = 0 };
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		for (uint32_t k = 0; k < pa->zones[i].mm.buddy.nr_trees; k++)
			add_tree(pa, &pa->zones[i].records[k], &totals);
	pages = totals.all.nr_pages;
	blocks = totals.all.nr_blocks;
	for (; max_lines; max_lines--) {
		struct page_owner_sum *sum = largest(pa);

		if (!sum->nr_blocks)
			break;
		print_to(out, "page_owner: %llu pages in %llu blocks by 0x%llx\n",
			 (unsigned long long)sum->nr_pages, (unsigned long long)sum->nr_blocks,
			 (unsigned long long)sum->caller);
		pages -= sum->nr_pages;
		blocks -= sum->nr_blocks;
		*sum = (struct page_owner_sum){ .caller = 0 };
	}
	if (blocks)
		print_to(out, "page_owner: %llu pages in %llu blocks by others\n",
			 (unsigned long long)pages, (unsigned long long)blocks);
	return (int64_t)totals.all.nr_pages;
}
