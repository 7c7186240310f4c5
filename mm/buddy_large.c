/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks of level 1, which no stack holds: a hart remembers some that it has freed, which is no more
 * than a hint, and where it had the last one from.
 */
#include "buddy_tree.h"

/* Words that may be hinted in vain when a large block is looked for near the last one. */
#define NEAR_TURNS 8

/*
 * A block of level 1 from the word @idx. It is taken as a whole or not at all; a hint may say more
 * than there is, but not in vain that there is something. -1: none. In flight: who searches must
 * not miss one block because another came free behind it (rule 6).
 */
static int64_t take_from_word(struct buddy_hart *h, uint64_t idx, unsigned int cls)
{
	uint64_t *word = buddy_node(h->tree, 1, idx);
	uint64_t v = atomic_read(word);
	uint64_t starts, low;

	if (!v)
		return -1;
	starts = run_starts(v, cls);
	low = lowest_bit(starts);
	if (!starts || !atomic_cmpxchg(word, v, v & ~(run_mask(cls) << bit_index(low))))
		return -1;
	h->large_idx = idx;
	return (int64_t)((idx << RADIX_SHIFT | bit_index(low)) << RADIX_SHIFT);
}

/* Of the level 2 node: its children that the hart takes large blocks from, its span's. */
static inline uint64_t children_of_span(const struct buddy_hart *h, uint64_t node)
{
	if (likely(!h->is_shared))
		return ~0ULL;
	if (node < h->span_pfn >> WORD_SHIFT(2) || node > (h->span_end - 1) >> WORD_SHIFT(2))
		return 0;
	return bits_of_frames(2, node, h->span_pfn, h->span_end);
}

/*
 * A block from a wholly free level 1 word of the node that gave one last, the highest: all others of
 * the node have been looked at. -1: none.
 */
static int64_t split_nearby(struct buddy_hart *h, uint64_t node, unsigned int cls)
{
	uint64_t v = atomic_read(buddy_node(h->tree, 2, node)) & children_of_span(h, node), idx;
	unsigned int first = BUDDY_RADIX - (1U << cls);

	if (!v)
		return -1;
	idx = node << RADIX_SHIFT | fls64(v);
	if (!buddy_open_group(h, idx, WORD_FULL & ~(run_mask(cls) << first)))
		return -1;
	h->large_idx = idx;
	return (int64_t)((idx << RADIX_SHIFT | first) << RADIX_SHIFT);
}

/*
 * The same from the words around the one that gave a block last, the highest first. One of those
 * that are hinted in vain has its hints corrected: there will not be many. In flight.
 */
static int64_t take_nearby(struct buddy_hart *h, unsigned int cls)
{
	uint64_t node = h->large_idx >> RADIX_SHIFT, left, stale = UINT64_MAX;
	int64_t pfn = -1;

	if (h->large_idx == UINT64_MAX)
		return -1;
	left = buddy_hints_from(buddy_node(h->tree, 2, node), 1, cls) & children_of_span(h, node);
	for (unsigned int turn = 0; turn < NEAR_TURNS && left && pfn < 0; turn++) {
		uint64_t idx = node << RADIX_SHIFT | fls64(left);

		pfn = take_from_word(h, idx, cls);
		if (pfn < 0)
			stale = idx;
		left &= ~(1ULL << BITS_OF(idx));
	}
	if (stale != UINT64_MAX)
		buddy_hint_correct(h->tree, 1, stale);
	return pfn < 0 && !left ? split_nearby(h, node, cls) : pfn;
}

/*
 * Where harts share the tree, a block of level 1: the last one of the last wholly free group in the span, the unmovable pages
 * of which come from its beginning. -1: there is none, or another hart was faster. In flight.
 */
int64_t buddy_take_large_in_span(struct buddy_hart *h, unsigned int order)
{
	uint64_t pfn = order < 2 * RADIX_SHIFT ? buddy_highest_group(h) : UINT64_MAX;

	/* None, or the span is less than a group. */
	if (pfn == UINT64_MAX || ~h->word_mask)
		return -1;
	pfn += (1ULL << WORD_SHIFT(1)) - (1ULL << order);
	if (buddy_claim_once(h, h->tree, pfn, order))
		return -1;
	h->large_idx = pfn >> WORD_SHIFT(1);
	return (int64_t)pfn;
}

/* The block of level 1 at @pfn, if it is free: as a whole or not at all. */
static inline bool take_block(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	uint64_t *word = buddy_node(h->tree, 1, pfn >> WORD_SHIFT(1));
	uint64_t mask = large_mask(pfn, order);
	uint64_t v = atomic_read(word);
	bool taken;

	if (unlikely(mask & ~v))
		return false;
	seq_begin(h);
	taken = atomic_cmpxchg(word, v, v ^ mask);
	seq_end(h);
	return likely(taken);
}

/* One that was freed before the last, then from the word that gave the last one; else by a search. */
static int64_t __attribute__((noinline)) alloc_large_slow(struct buddy_hart *h, unsigned int order)
{
	if (TOP > 1 && atomic_read32(&h->nr_orders) && order >= RADIX_SHIFT &&
	    order < 2 * RADIX_SHIFT) {
		uint32_t newest = h->large_at;
		int64_t pfn;

		for (uint32_t i = 0; i < BUDDY_NR_LARGE; i++) {
			uint64_t *at = &h->large_before[(newest - i) % BUDDY_NR_LARGE];
			uint64_t block = *at;

			if (!block)
				break;
			if (BITS_OF(block) != order)
				continue;
			*at = 0;
			if (!i)
				h->large_at--;
			if (take_block(h, block ^ order, order))
				return (int64_t)(block ^ order);
		}
		seq_begin(h);
		pfn = take_nearby(h, order - RADIX_SHIFT);
		seq_end(h);
		if (pfn >= 0)
			return pfn;
	}
	return buddy_alloc_rest(h, order);
}

/* Not from a stack: the block that was freed last, if it is of this order and still there. */
int64_t __attribute__((noinline)) buddy_alloc_large(struct buddy_hart *h, unsigned int order)
{
	uint64_t block = h->large;

	if (TOP < 2 || BITS_OF(block) != order || unlikely(!atomic_read32(&h->nr_orders)))
		return alloc_large_slow(h, order);
	h->large = 0;
	if (unlikely(!take_block(h, block ^ order, order)))
		return alloc_large_slow(h, order);
	return (int64_t)(block ^ order);
}
