/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pages that can be moved lie, and those that cannot: the former at the upper end of the tree,
 * the others from its beginning on. And the same of a span, where harts share the tree: "the tree" is
 * the hart's span here. Of a hart that has neither a sibling nor a span nothing here is used.
 *
 * The one for movable pages, where others go upwards, goes down: it takes the highest wholly free
 * words, and scan[].low falls and rises as the others' limit does. The one for unmovable pages takes
 * the lowest wholly free word, and opens a free group rather than take one above it: that may be
 * among movable pages. docs/allocators.md has the figures.
 */
#include "buddy_tree.h"

/* Words that are hinted in vain or taken by others, before a wider search. */
#define VAIN_TURNS 8

/* Movable pages: of @group_pfn. Less than any @ample_pfn that it is compared with. */
#define NO_GROUP (UINT64_MAX - 1)

/* Where movable pages begin: the upper eighth, in whole level 1 words. */
static uint64_t movable_start(const struct buddy_hart *h)
{
	uint64_t pfn = h->span_end - ((h->span_end - h->span_pfn) >> AMPLE_SHIFT);

	pfn &= ~0ULL << WORD_SHIFT(1);
	return pfn > h->span_pfn ? pfn : h->span_pfn;
}

/* What buddy_go_to() leaves to be done for movable pages. */
void buddy_turn_movable(struct buddy_hart *h)
{
	h->base_pfn = movable_start(h);
	h->noted_from = h->base_pfn >> RADIX_SHIFT;
	/* No refill passes buddy_refill_slow() by, which knows a frontier by this, or none. */
	h->ample_pfn = h->setting == BUDDY_HEALING ? 1 : UINT64_MAX;
	for (unsigned int order = 0; order <= MAX_SCANNED_ORDER; order++)
		h->scan[order].low = h->noted_from;
}

/* Has the word @idx of @level anything to do with the span? */
static bool is_in_span(const struct buddy_hart *h, unsigned int level, uint64_t idx)
{
	return idx >= h->span_pfn >> WORD_SHIFT(level) &&
	       idx <= (h->span_end - 1) >> WORD_SHIFT(level);
}

/*
 * The highest, or lowest, word of @level that holds something of the span; that is in *@bits.
 * UINT64_MAX: none. Each turn goes on, and puts a hint right. In flight.
 */
static inline __attribute__((always_inline)) uint64_t
find_word(const struct buddy_hart *h, unsigned int level, bool from_top, uint64_t *bits)
{
	const struct buddy_tree *t = h->tree;
	uint64_t idx = (from_top ? h->span_end - 1 : h->span_pfn) >> WORD_SHIFT(level);

	for (;; idx += from_top ? UINT64_MAX : 1) {
		idx = from_top ? buddy_hint_below(t, level, idx) : buddy_hint_above(t, level, idx);
		if (idx == UINT64_MAX)
			return idx;
		*bits = atomic_read(buddy_node(t, level, idx));
		if (unlikely(h->is_shared)) {
			if (!is_in_span(h, level, idx))
				return UINT64_MAX;
			if (*bits &&
			    !(*bits & bits_of_frames(level, idx, h->span_pfn, h->span_end)))
				continue;
			*bits &= bits_of_frames(level, idx, h->span_pfn, h->span_end);
		}
		if (*bits)
			return idx;
		if (level < TOP)
			buddy_hint_correct(t, level, idx);
	}
}

/* In the free block of a level above 1, the first word of its last group in the span. */
static uint64_t last_group(const struct buddy_hart *h, uint64_t pfn, unsigned int level)
{
	uint64_t end_pfn = pfn + (1ULL << BIT_SHIFT(level));

	if (end_pfn > h->span_end)
		end_pfn = h->span_end;
	pfn = (end_pfn - 1) & ~0ULL << WORD_SHIFT(1);
	return pfn > h->span_pfn ? pfn : h->span_pfn;
}

/*
 * In the highest group that has any: the lowest frame of a wholly free word. A group is a level 1 word,
 * and may be free as part of a larger block. UINT64_MAX: there is none.
 */
uint64_t buddy_highest_word(const struct buddy_hart *h)
{
	uint64_t found = UINT64_MAX;

	for (unsigned int level = 1; level < BUDDY_LEVELS; level++) {
		uint64_t v, pfn, idx = find_word(h, level, true, &v);

		if (idx == UINT64_MAX)
			continue;
		pfn = (idx << RADIX_SHIFT | (level > 1 ? fls64(v) : ffs64(v))) << BIT_SHIFT(level);
		if (level > 1)
			pfn = last_group(h, pfn, level);
		if (found == UINT64_MAX || pfn > found)
			found = pfn;
	}
	return found;
}

/* The first frame of the lowest wholly free group, or of the span in it. UINT64_MAX: there is none. */
static inline __attribute__((always_inline)) uint64_t lowest_group(const struct buddy_hart *h)
{
	uint64_t found = UINT64_MAX;

	for (unsigned int level = 2; level < BUDDY_LEVELS; level++) {
		uint64_t v, pfn, idx = find_word(h, level, false, &v);

		if (idx == UINT64_MAX)
			continue;
		pfn = (idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(level);
		if (pfn < found)
			found = pfn;
	}
	return found < h->span_pfn ? h->span_pfn : found;
}

uint64_t buddy_lowest_group(const struct buddy_hart *h)
{
	return lowest_group(h);
}

/* The first frame of the highest one. */
uint64_t buddy_highest_group(const struct buddy_hart *h)
{
	uint64_t found = UINT64_MAX;

	for (unsigned int level = 2; level < BUDDY_LEVELS; level++) {
		uint64_t v, pfn, idx = find_word(h, level, true, &v);

		if (idx == UINT64_MAX)
			continue;
		pfn = last_group(h, (idx << RADIX_SHIFT | fls64(v)) << BIT_SHIFT(level), level);
		if (found == UINT64_MAX || pfn > found)
			found = pfn;
	}
	return found;
}

/* Movable pages: finds a wholly free word above the frontier, if that is in the upper eighth. */
static bool move_frontier(struct buddy_hart *h)
{
	uint64_t idx = h->frontier_pfn >> WORD_SHIFT(1), left = 0, v;

	if (TOP < 2 || h->frontier_pfn == UINT64_MAX)
		return false;
	if (h->frontier_pfn >> RADIX_SHIFT >= h->noted_from)
		left = buddy_hints_from(buddy_node(h->tree, 2, idx >> RADIX_SHIFT), 1, 0) &
		       ~0ULL << BITS_OF(idx);
	for (unsigned int turn = 0; left && turn < VAIN_TURNS; turn++, left &= left - 1) {
		idx = (idx & ~(uint64_t)(BUDDY_RADIX - 1)) | ffs64(left);
		if (idx > (h->span_end - 1) >> WORD_SHIFT(1))
			break;
		v = atomic_read(buddy_node(h->tree, 1, idx)) & h->word_mask;
		if (v) {
			h->frontier_pfn = (idx << RADIX_SHIFT | ffs64(v)) << RADIX_SHIFT;
			return true;
		}
	}
	h->frontier_pfn = UINT64_MAX;
	return false;
}

/*
 * Are there wholly free words where words in use are not looked at, in the upper eighth? By default, and
 * as far as is known.
 */
bool buddy_whole_is_near(struct buddy_hart *h)
{
	uint64_t pfn;

	if (h->setting == BUDDY_HEALING)
		return false;
	if (move_frontier(h))
		return true;
	if (h->group_pfn == NO_GROUP)
		return false;
	pfn = buddy_highest_word(h);
	if (pfn != UINT64_MAX && pfn >= movable_start(h))
		return true;
	h->group_pfn = NO_GROUP; /* until one is freed */
	return false;
}

/* Movable pages: words from @pfn on are looked at from now on. */
static void lower_low(struct buddy_hart *h, uint64_t pfn)
{
	if (pfn < h->base_pfn)
		h->base_pfn = pfn;
	for (unsigned int order = 0; order <= MAX_SCANNED_ORDER; order++)
		if (pfn >> RADIX_SHIFT < h->scan[order].low)
			h->scan[order].low = pfn >> RADIX_SHIFT;
}

/* Unmovable pages: from here on are the sibling's. */
static inline uint64_t siblings_start(const struct buddy_hart *h)
{
	const struct buddy_hart *s = h->sibling;

	if (unlikely(h->is_shared) && (!s || s->span_pfn != h->span_pfn))
		return movable_start(h);
	return s->tree == h->tree ? s->base_pfn : movable_start(h);
}

/*
 * Unmovable pages: is there a wholly free group that is better taken than a word at @pfn? Among the
 * sibling's pages any is that lies below; else one where words in use are not looked at.
 */
bool buddy_group_is_better(struct buddy_hart *h, uint64_t pfn)
{
	if (TOP < 2 || h->group_pfn >= pfn)
		return false;
	if (pfn > h->ample_pfn && pfn < siblings_start(h))
		pfn = h->ample_pfn;
	if (h->group_pfn >= pfn)
		return false;
	h->group_pfn = lowest_group(h);
	return h->group_pfn < pfn;
}

/* One that is free at level 1. */
static bool take_word(struct buddy_hart *h, uint64_t pfn)
{
	uint64_t bit = 1ULL << BITS_OF(pfn >> RADIX_SHIFT);

	return atomic_fetch_and(buddy_node(h->tree, 1, pfn >> WORD_SHIFT(1)), ~bit) & bit;
}

/* Movable pages: one nearby in the upper eighth, or else the highest. UINT64_MAX: as below. */
static inline __attribute__((always_inline)) uint64_t take_high(struct buddy_hart *h)
{
	uint64_t pfn;

	if (move_frontier(h) && take_word(h, h->frontier_pfn))
		return h->frontier_pfn;
	for (unsigned int turn = 0; turn < VAIN_TURNS; turn++) {
		pfn = buddy_highest_word(h);
		if (pfn == UINT64_MAX || !buddy_claim_once(h, h->tree, pfn, RADIX_SHIFT))
			return pfn;
	}
	return UINT64_MAX;
}

/* Unmovable pages: the lowest, of a group or not. UINT64_MAX: there is none, or others were faster. */
static inline __attribute__((always_inline)) uint64_t take_low(struct buddy_hart *h)
{
	for (unsigned int turn = 0; turn < VAIN_TURNS; turn++) {
		uint64_t pfn = h->frontier_pfn = buddy_lowest_word(h);

		if (buddy_group_is_better(h, pfn)) {
			if (!buddy_claim_once(h, h->tree, h->group_pfn, RADIX_SHIFT))
				return h->group_pfn;
		} else if (pfn == UINT64_MAX || take_word(h, pfn)) {
			return pfn;
		}
	}
	return UINT64_MAX;
}

/* The word of that frame is the hart's now. Its number. */
static inline int64_t has_taken(struct buddy_hart *h, uint64_t pfn)
{
	if (h->is_movable)
		lower_low(h, pfn);
	h->frontier_pfn = pfn;
	return (int64_t)(pfn >> RADIX_SHIFT);
}

/* The same as below for a hart that shares the tree: in its span; in another one; anywhere. */
static int64_t __attribute__((noinline)) take_shared(struct buddy_hart *h)
{
	uint64_t pfn = UINT64_MAX;
	int64_t ret;

	if (buddy_should_go_home(h))
		buddy_go_home(h);
	for (unsigned int turn = 0; turn < 2; turn++) {
		pfn = h->is_movable ? take_high(h) : take_low(h);
		if (pfn != UINT64_MAX)
			return has_taken(h, pfn);
		if (!turn && !buddy_go_elsewhere(h))
			break;
	}
	ret = buddy_take(h, h->tree, 1, 0, h->is_movable);
	h->frontier_pfn = UINT64_MAX;
	return ret < 0 ? ret : ret >> RADIX_SHIFT;
}

/* The number of a wholly free word for a hart that has a sibling, or a span, or an error. */
int64_t buddy_take_in_span(struct buddy_hart *h)
{
	uint64_t pfn = UINT64_MAX;
	int64_t ret;

	if (TOP > 1 && unlikely(h->is_shared))
		return take_shared(h);
	if (TOP > 1 && h->is_movable)
		pfn = take_high(h);
	else if (TOP > 1 && (h->frontier_pfn != UINT64_MAX || atomic_read32(&h->sibling->is_ready)))
		pfn = take_low(h);
	if (pfn != UINT64_MAX)
		return has_taken(h, pfn);
	ret = buddy_take(h, h->tree, 1, 0, h->is_movable);
	h->frontier_pfn = ret < 0 || h->is_movable ? UINT64_MAX : (uint64_t)ret;
	return ret < 0 ? ret : ret >> RADIX_SHIFT;
}
