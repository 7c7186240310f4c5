/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's set-up: trees over memory of any content, and ranges that become free, at the
 * handover or later. Only words at a range's edges and bits of the level above are written.
 */
#include "buddy_init.h"

uint64_t buddy_lay_out(struct buddy_tree *layout, uint64_t start_pfn, uint64_t end_pfn)
{
	uint64_t at = 0;

	layout->start_pfn = start_pfn;
	layout->end_pfn = end_pfn;
	/* The top first. */
	for (unsigned int level = BUDDY_LEVELS; level-- > 0;) {
		uint64_t first = start_pfn >> WORD_SHIFT(level);
		uint64_t last = (end_pfn - 1) >> WORD_SHIFT(level);

		layout->node0[level] = at - first * NODE_BYTES(level);
		at += (last - first + 1) * NODE_BYTES(level);
	}
	return at;
}

uint64_t buddy_tree_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	struct buddy_tree layout;

	return buddy_lay_out(&layout, start_pfn, end_pfn);
}

int buddy_init(struct buddy *b, struct buddy_tree *trees, uint32_t max_trees,
	       struct buddy_hart *harts, uint32_t nr_harts)
{
	if (!b || !trees || !harts || !nr_harts)
		return -EMM_EINVAL;
	buddy_setup(b, trees, max_trees, harts, nr_harts);
	return 0;
}

void buddy_add_harts(struct buddy *b, uint32_t nr_harts)
{
	while (b->nr_harts < nr_harts) {
		buddy_setup_hart(b, &b->harts[b->nr_harts]);
		b->nr_harts++;
		b->nr_sharers++;
	}
}

void buddy_pair(struct buddy_hart *unmovable, struct buddy_hart *movable)
{
	if (!unmovable->sibling)
		unmovable->buddy->nr_sharers--;
	unmovable->sibling = movable;
	movable->sibling = unmovable;
	movable->is_movable = 1;
}

void buddy_tune(struct buddy *b, enum buddy_setting setting)
{
	b->setting = setting;
}

int buddy_add_laid_out(struct buddy *b, const struct buddy_tree *layout, void *meta)
{
	if (layout->end_pfn > PHYS_ADDR_MAX >> PAGE_SHIFT || !meta || ((uintptr_t)meta & 7))
		return -EMM_EINVAL;
	if (b->nr_trees == b->max_trees)
		return -EMM_ENOSPC;
	if (b->nr_trees && layout->start_pfn < b->trees[b->nr_trees - 1].end_pfn)
		return -EMM_EOVERLAP;
	buddy_setup_tree(b, layout, meta);
	return 0;
}

int buddy_add_tree(struct buddy *b, uint64_t start_pfn, uint64_t end_pfn, void *meta,
		   uint64_t meta_bytes)
{
	struct buddy_tree layout;

	if (start_pfn >= end_pfn)
		return -EMM_EINVAL;
	if (meta_bytes < buddy_lay_out(&layout, start_pfn, end_pfn))
		return -EMM_ENOSPC;
	return buddy_add_laid_out(b, &layout, meta);
}

/* What buddy_add_range() works on. */
struct add_range {
	struct buddy_hart *h;
	const struct buddy_tree *t;
	uint64_t hole_start;
	uint64_t hole_end;
};

/* Makes @mask free in a word at the range's edge: in one that holds something, or in a new one. */
static int add_bits(const struct add_range *r, unsigned int level, uint64_t idx, uint64_t mask)
{
	return mask ? buddy_put(r->h, r->t, level, idx, mask) : 0;
}

/*
 * The words that contain @pfn, at each level where @pfn is not a border between two words: those
 * that lie wholly in the hole have never been written.
 */
static void init_path(const struct add_range *r, uint64_t pfn)
{
	for (unsigned int level = TOP; level-- > 0;) {
		uint64_t idx = pfn >> WORD_SHIFT(level);
		uint64_t start = idx << WORD_SHIFT(level);

		if (pfn == start)
			return;
		if (start >= r->hole_start && start + (1ULL << WORD_SHIFT(level)) <= r->hole_end)
			buddy_node_init(r->t, level, idx, 0);
	}
}

/* Bits [from, to) of a word, to > from. */
static uint64_t bit_range(uint64_t from, uint64_t to)
{
	return (~0ULL >> (64 - (to - from))) << from;
}

/* The blocks of [start, end), level by level: partial words at both ends, the middle to the next. */
static int add_blocks(const struct add_range *r, uint64_t start, uint64_t end)
{
	for (unsigned int level = 0; level < TOP && start < end; level++) {
		uint64_t first = start >> RADIX_SHIFT, last = end >> RADIX_SHIFT;
		int ret = 0;

		if (first == last) {
			return add_bits(r, level, first, bit_range(BITS_OF(start), BITS_OF(end)));
		}
		if (BITS_OF(start)) {
			ret = add_bits(r, level, first, bit_range(BITS_OF(start), BUDDY_RADIX));
			first++;
		}
		if (!ret && BITS_OF(end))
			ret = add_bits(r, level, last, bit_range(0, BITS_OF(end)));
		if (ret)
			return ret;
		start = first;
		end = last;
	}
	while (start < end) {
		uint64_t word_end = (start | (BUDDY_RADIX - 1)) + 1;
		uint64_t stop = word_end < end ? word_end : end;
		uint64_t from = BITS_OF(start);
		int ret = add_bits(r, TOP, start >> RADIX_SHIFT,
				   bit_range(from, from + stop - start));

		if (ret)
			return ret;
		start = stop;
	}
	return 0;
}

int buddy_add_range(struct buddy_hart *h, uint64_t start_pfn, uint64_t end_pfn, uint64_t hole_start,
		    uint64_t hole_end)
{
	struct add_range r = { .h = h, .hole_start = hole_start, .hole_end = hole_end };
	int ret;

	if (start_pfn >= end_pfn || start_pfn < hole_start || end_pfn > hole_end)
		return -EMM_EINVAL;
	r.t = buddy_find_tree(h->buddy, start_pfn, end_pfn - start_pfn);
	if (!r.t)
		return -EMM_ERANGE;
	/* No word of a tree holds anything for frames outside it. */
	if (hole_start <= r.t->start_pfn)
		r.hole_start = 0;
	if (hole_end >= r.t->end_pfn)
		r.hole_end = UINT64_MAX;
	init_path(&r, start_pfn);
	init_path(&r, end_pfn);
	seq_begin(h);
	ret = add_blocks(&r, start_pfn, end_pfn);
	seq_end(h);
	return ret;
}

int buddy_split(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t;

	if (order > BUDDY_MAX_ORDER || (pfn & ((1ULL << order) - 1)))
		return -EMM_EINVAL;
	t = buddy_find_tree(h->buddy, pfn, 1ULL << order);
	if (!t)
		return -EMM_ERANGE;
	for (unsigned int level = order / RADIX_SHIFT; level-- > 0;) {
		uint64_t end = (pfn + (1ULL << order)) >> WORD_SHIFT(level);

		for (uint64_t idx = pfn >> WORD_SHIFT(level); idx < end; idx++)
			buddy_node_init(t, level, idx, 0);
	}
	return 0;
}
