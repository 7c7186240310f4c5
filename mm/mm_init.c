/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's metadata: trees for the banks of the memory map, with the words that they need, in
 * one piece of memory. Layout: struct buddy_hart array, struct buddy_tree array, words.
 */
#include <earlymm/error.h>
#include <earlymm/mm_init.h>
#include "buddy_init.h"

#define META_ALIGN PAGE_SIZE

/* Walks over the spans that get a tree each: banks with small gaps between them, together. */
struct span_iter {
	const struct memblock *mb;
	uint64_t from; /* where to go on */
	uint64_t limit_end;
	unsigned long next; /* the bank to go on with */
	const struct pfn_range *holes; /* those left */
	uint32_t nr_holes;
};

static void span_begin(struct span_iter *it, const struct mm *mm, const struct memblock *mb)
{
	*it = (struct span_iter){
		.mb = mb,
		.from = mm->start_pfn,
		.limit_end = mm->end_pfn,
		.holes = mm->holes,
		.nr_holes = mm->nr_holes,
	};
}

/* Cuts the frames at the first hole that is left of them. */
static void cut_at_hole(struct span_iter *it, uint64_t *start, uint64_t *end)
{
	for (; it->nr_holes && it->holes->start <= *start; it->holes++, it->nr_holes--)
		if (it->holes->end > *start)
			*start = it->holes->end;
	if (it->nr_holes && it->holes->start < *end)
		*end = it->holes->start;
}

/* The next bank's frames inside the limits, up to a hole, and its node. */
static bool next_bank(struct span_iter *it, uint64_t *start, uint64_t *end, int *nid)
{
	for (; it->next < it->mb->memory.cnt; it->next++) {
		const struct memblock_region *r = &it->mb->memory.regions[it->next];

		*start = PFN_UP(r->base);
		*end = PFN_DOWN(r->base + r->size);
		*nid = r->nid;
		if (*start < it->from)
			*start = it->from;
		if (*end > it->limit_end)
			*end = it->limit_end;
		if (*start >= *end || (r->flags & MEMBLOCK_NOT_FREE))
			continue;
		if (it->nr_holes)
			cut_at_hole(it, start, end);
		if (*start < *end) {
			it->from = *end;
			return true;
		}
	}
	return false;
}

static bool next_span(struct span_iter *it, uint64_t *start, uint64_t *end)
{
	uint64_t bank_start, bank_end;
	int nid, bank_nid;

	if (!next_bank(it, start, end, &nid))
		return false;
	for (;;) {
		struct span_iter here = *it;

		if (!next_bank(it, &bank_start, &bank_end, &bank_nid))
			return true;
		if (bank_nid != nid || bank_start - *end > MM_TREE_GAP_PAGES ||
		    it->holes != here.holes) {
			*it = here;
			return true;
		}
		*end = bank_end;
	}
}

int mm_plan_with(struct mm *mm, const struct memblock *mb, const struct mm_request *request)
{
	uint64_t start, end, end_pfn = request->end_pfn;
	struct span_iter it;

	if (end_pfn > PFN_DOWN(PHYS_ADDR_MAX))
		end_pfn = PFN_DOWN(PHYS_ADDR_MAX);
	if (request->start_pfn >= end_pfn || !request->nr_harts || (request->extra_bytes & 7) ||
	    (request->nr_contexts && request->nr_contexts < request->nr_harts))
		return -EMM_EINVAL;
	*mm = (struct mm){
		.start_pfn = request->start_pfn,
		.end_pfn = end_pfn,
		.nr_harts = request->nr_harts,
		.nr_contexts = request->nr_contexts ? request->nr_contexts : request->nr_harts,
		.nr_holes = request->nr_holes,
		.holes = request->holes,
		.extra_bytes = request->extra_bytes,
	};
	mm->meta_bytes = (uint64_t)mm->nr_contexts * sizeof(struct buddy_hart) + mm->extra_bytes;
	span_begin(&it, mm, mb);
	while (next_span(&it, &start, &end)) {
		struct buddy_tree layout;
		uint64_t bytes = buddy_lay_out(&layout, start, end);

		if (!mm->nr_trees) {
			mm->first_tree = layout;
			mm->first_bytes = bytes;
		}
		mm->nr_trees++;
		mm->tree_pages += end - start;
		mm->meta_bytes += sizeof(struct buddy_tree) + bytes;
	}
	if (!mm->nr_trees)
		return -EMM_ENOENT;
	mm->state = MM_PLANNED;
	return 0;
}

int mm_plan(struct mm *mm, const struct memblock *mb, uint64_t start_pfn, uint64_t end_pfn,
	    uint32_t nr_harts)
{
	const struct mm_request request = {
		.start_pfn = start_pfn,
		.end_pfn = end_pfn,
		.nr_harts = nr_harts,
	};

	return mm_plan_with(mm, mb, &request);
}

int mm_set_metadata(struct mm *mm, struct memblock *mb, phys_addr_t pa)
{
	if (mm->state != MM_PLANNED)
		return -EMM_ESTATE;
	if (pa & (META_ALIGN - 1))
		return -EMM_EINVAL;
	if (memblock_is_map_memory(mb, 0) && !memblock_is_region_reserved(mb, 0, PAGE_SIZE)) {
		int ret = memblock_reserve(mb, 0, PAGE_SIZE);

		if (ret)
			return ret;
	}
	mm->meta_pa = pa;
	mm->state = MM_PLACED;
	return 0;
}

int mm_place_metadata(struct mm *mm, struct memblock *mb)
{
	phys_addr_t bytes = PFN_PHYS(PFN_UP(mm->meta_bytes)), pa;
	bool bottom_up = mb->bottom_up;
	int ret;

	if (mm->state != MM_PLANNED)
		return -EMM_ESTATE;
	mb->bottom_up = true;
	ret = memblock_phys_alloc(mb, bytes, META_ALIGN, 0, PHYS_ADDR_MAX, NUMA_NO_NODE,
				  CAUSE_METADATA, &pa);
	mb->bottom_up = bottom_up;
	if (ret)
		return ret;
	ret = mm_set_metadata(mm, mb, pa);
	if (ret)
		memblock_free(mb, pa, bytes);
	return ret;
}

/* The trees after the first. */
static int add_trees(struct mm *mm, const struct memblock *mb, uint8_t *words,
		     const uint8_t *words_end)
{
	struct span_iter it;

	uint64_t start, end;

	span_begin(&it, mm, mb);
	if (!next_span(&it, &start, &end) || end != mm->first_tree.end_pfn)
		return -EMM_ESTATE;
	words += mm->first_bytes;
	for (uint32_t i = 1; i < mm->nr_trees; i++) {
		struct buddy_tree layout;
		uint64_t bytes;

		if (!next_span(&it, &start, &end) || start < mm->buddy.trees[i - 1].end_pfn)
			return -EMM_ESTATE;
		bytes = buddy_lay_out(&layout, start, end);
		if (bytes > (uint64_t)(words_end - words))
			return -EMM_ESTATE;
		buddy_setup_tree(&mm->buddy, &layout, words);
		words += bytes;
	}
	return 0;
}

int mm_init(struct mm *mm, const struct memblock *mb)
{
	struct buddy_hart *harts;
	struct buddy_tree *trees;
	uint8_t *words;

	if (mm->state != MM_PLACED)
		return -EMM_ESTATE;
	harts = phys_to_virt(mb->map, mm->meta_pa, mm->meta_bytes);
	if (!harts)
		return -EMM_EFAULT;
	trees = (struct buddy_tree *)(harts + mm->nr_contexts);
	words = (uint8_t *)(trees + mm->nr_trees);
	buddy_setup(&mm->buddy, trees, mm->nr_trees, harts, mm->nr_harts);
	buddy_setup_tree(&mm->buddy, &mm->first_tree, words);
	if (mm->nr_trees > 1) {
		int ret = add_trees(mm, mb, words,
				    (uint8_t *)harts + mm->meta_bytes - mm->extra_bytes);

		if (ret)
			return ret;
	}
	mm->state = MM_READY;
	return 0;
}
