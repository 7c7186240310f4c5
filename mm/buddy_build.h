/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free ranges into new trees, upwards, before anyone uses them: the handover's way, inlined into
 * it. A tree starts as wholly free; what lies between the ranges is carved out. Each word is
 * written first when a border falls into it, with plain stores, and is hinted from then on.
 */
#ifndef MM_BUDDY_BUILD_H
#define MM_BUDDY_BUILD_H

#include "buddy_tree.h"

/* Ranges come in ascending order and do not overlap; each lies in one tree. */
struct buddy_builder {
	const struct buddy_tree *tree, *next_tree, *end;
	uint64_t next_pfn; /* where the last range ended */
	uint64_t limit_pfn; /* where the tree ends */
	uint64_t idx[BUDDY_LEVELS]; /* the nodes that are being written */
	uint64_t *node[BUDDY_LEVELS];
};

/* The kind that a new word of @level is hinted with: the best it may hold. See claim_run(). */
#define NEW_KIND(level) ((level) ? RADIX_SHIFT - 1 : HINT_ANY)

#define INLINE          static inline __attribute__((always_inline))

/* Bits [from, to) of a word; to > from. */
INLINE uint64_t bits(uint64_t from, uint64_t to)
{
	return (~0ULL >> (64 - (to - from))) << from;
}

/*
 * Takes @used out of what is free in a word, and hints the children of @partial, which hold
 * something. Returns false if the word was being written already.
 */
INLINE bool carve_word(struct buddy_builder *bb, unsigned int level, uint64_t idx, uint64_t used,
		       uint64_t partial)
{
	uint64_t *n = bb->node[level];

	if (idx == bb->idx[level]) {
		*n &= ~used;
		UNROLL
		for (unsigned int l = 0; l < level; l++)
			*node_hint(n, l, NEW_KIND(l)) |= partial;
		return false;
	}
	n = buddy_node(bb->tree, level, idx);
	bb->idx[level] = idx;
	bb->node[level] = n;
	*n = WORD_FULL & ~used;
	UNROLL
	for (unsigned int l = 0; l < level; l++) {
		UNROLL
		for (unsigned int kind = 0; kind < RADIX_SHIFT; kind++)
			if (kind < NR_KINDS(l))
				*node_hint(n, l, kind) = kind == NEW_KIND(l) ? partial : 0;
	}
	return true;
}

/* What carve_word() does, in a word of the top level, which is valid already. */
INLINE void carve_top_word(uint64_t *n, uint64_t used, uint64_t partial)
{
	*n &= ~used;
	UNROLL
	for (unsigned int l = 0; l < TOP; l++)
		*node_hint(n, l, NEW_KIND(l)) |= partial;
}

/*
 * Bits [from, to) of the top level, over any number of words. @first, @last: the first and the
 * last of these children, as a bit, if they hold something.
 */
static inline void carve_top(const struct buddy_builder *bb, uint64_t from, uint64_t to, bool first,
			     bool last)
{
	while (from < to) {
		uint64_t stop = (from | (BUDDY_RADIX - 1)) + 1;
		uint64_t partial = first ? 1ULL << BITS_OF(from) : 0;

		if (stop > to)
			stop = to;
		if (last && stop == to)
			partial |= 1ULL << BITS_OF(to - 1);
		carve_top_word(buddy_node(bb->tree, TOP, from >> RADIX_SHIFT),
			       bits(BITS_OF(from), BITS_OF(from) + stop - from), partial);
		first = false;
		from = stop;
	}
}

/*
 * Carves the frames [from, to) out of the tree. At each level: what is used of the word that
 * @from falls into, and of the word that @to falls into; then, a level up, the words from the one
 * to the other, of which these two may still hold something.
 */
INLINE void build_carve(struct buddy_builder *bb, uint64_t from, uint64_t to)
{
	bool first = false, last = false;

	UNROLL
	for (unsigned int level = 0; level < TOP; level++) {
		uint64_t a = BITS_OF(from), z = BITS_OF(to - 1);
		uint64_t lo = from >> RADIX_SHIFT, hi = (to - 1) >> RADIX_SHIFT;
		uint64_t first_bit = first ? 1ULL << a : 0, last_bit = last ? 1ULL << z : 0;

		first |= a != 0;
		last |= z != BUDDY_RADIX - 1;
		if (lo != hi) {
			if (first)
				carve_word(bb, level, lo, bits(a, BUDDY_RADIX), first_bit);
			if (last)
				carve_word(bb, level, hi, bits(0, z + 1), last_bit);
		} else if (first || last) {
			/* All above knows of a word that is being written already. */
			if (!carve_word(bb, level, lo, bits(a, z + 1), first_bit | last_bit))
				return;
			first = last = true;
		}
		from = lo;
		to = hi + 1;
	}
	if (__builtin_expect(from + 1 == to, 1))
		carve_top_word(buddy_node(bb->tree, TOP, from >> RADIX_SHIFT),
			       1ULL << BITS_OF(from), first || last ? 1ULL << BITS_OF(from) : 0);
	else
		carve_top(bb, from, to, first, last);
}

/* The same for the rest of a tree, which is seldom needed. */
static __attribute__((noinline)) void build_carve_tail(struct buddy_builder *bb, uint64_t end_pfn)
{
	build_carve(bb, bb->next_pfn, end_pfn);
}

static inline void build_begin(struct buddy_builder *bb, const struct buddy *b)
{
	bb->tree = NULL;
	bb->next_tree = b->trees;
	bb->end = b->trees + b->nr_trees;
	bb->next_pfn = 0;
	bb->limit_pfn = 0;
}

/* What lies above the last range, up to the end of the tree's last top-level block, is not free. */
static inline void build_end(struct buddy_builder *bb)
{
	uint64_t end_pfn = (((bb->limit_pfn - 1) >> BUDDY_MAX_ORDER) + 1) << BUDDY_MAX_ORDER;

	if (bb->tree && bb->next_pfn < end_pfn)
		build_carve_tail(bb, end_pfn);
}

/*
 * Ends the present tree, and makes the next one that covers the range wholly free, from the
 * beginning of its first top-level block to the end of its last.
 */
static inline int build_tree(struct buddy_builder *bb, uint64_t start_pfn, uint64_t end_pfn)
{
	const struct buddy_tree *t = bb->next_tree;
	uint64_t from, to;

	if (bb->tree)
		build_end(bb);
	bb->tree = NULL;
	for (;; t++) {
		if (t == bb->end)
			return -EMM_ERANGE;
		if (tree_covers(t, start_pfn, end_pfn - start_pfn))
			break;
	}
	bb->tree = t;
	bb->next_tree = t + 1;
	bb->limit_pfn = t->end_pfn;
	from = t->start_pfn >> BIT_SHIFT(TOP);
	to = ((t->end_pfn - 1) >> BIT_SHIFT(TOP)) + 1;
	bb->next_pfn = from << BIT_SHIFT(TOP);
	UNROLL
	for (unsigned int level = 0; level < TOP; level++)
		bb->idx[level] = UINT64_MAX;
	while (from < to) {
		uint64_t stop = (from | (BUDDY_RADIX - 1)) + 1;

		if (stop > to)
			stop = to;
		*buddy_node(t, TOP, from >> RADIX_SHIFT) =
			bits(BITS_OF(from), BITS_OF(from) + stop - from);
		from = stop;
	}
	return 0;
}

/* Returns -EMM_ERANGE if no tree, from the present one on, covers the range. */
static inline int build_range(struct buddy_builder *bb, uint64_t start_pfn, uint64_t end_pfn)
{
	if (end_pfn > bb->limit_pfn) {
		int ret = build_tree(bb, start_pfn, end_pfn);

		if (ret)
			return ret;
	}
	if (bb->next_pfn < start_pfn)
		build_carve(bb, bb->next_pfn, start_pfn);
	bb->next_pfn = end_pfn;
	return 0;
}

#endif
