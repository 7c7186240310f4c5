/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pages that can be moved lie, and those that cannot: the former at the upper end of the tree,
 * the others from its beginning on. Of a hart that has no sibling nothing here is used.
 *
 * The one for movable pages, where others go upwards, goes down: it takes the highest wholly free
 * words, and scan[].low falls and rises as the others' limit does. The one for unmovable pages takes
 * the lowest wholly free word, and opens a free group rather than take one above it: that may be
 * among movable pages. docs/allocators.md has the figures.
 */
#include "buddy_tree.h"

/* Words that are hinted in vain or taken by others, before a wider search. */
#define VAIN_TURNS 8

/* Where movable pages begin: the upper eighth, in whole level 1 words. */
static uint64_t movable_start(const struct buddy_tree *t)
{
	uint64_t pfn = t->end_pfn - ((t->end_pfn - t->start_pfn) >> AMPLE_SHIFT);

	pfn &= ~0ULL << WORD_SHIFT(1);
	return pfn > t->start_pfn ? pfn : t->start_pfn;
}

static uint64_t end_word(const struct buddy_tree *t)
{
	return ((t->end_pfn - 1) >> RADIX_SHIFT) + 1;
}

/* What buddy_hart_turn_to() leaves to be done for movable pages. */
void buddy_turn_movable(struct buddy_hart *h)
{
	const struct buddy_tree *t = h->tree;

	h->base_pfn = movable_start(t);
	if (h->setting != BUDDY_HEALING)
		h->ample_pfn = t->end_pfn;
	for (unsigned int order = 0; order <= MAX_SCANNED_ORDER; order++) {
		h->scan[order].low = h->base_pfn >> RADIX_SHIFT;
		h->scan[order].limit = end_word(t);
	}
	h->noted_from = h->scan[0].low;
}

/*
 * A refill has come to the limit, and begins again at the lowest word. As far as the limit has fallen,
 * for there was more than enough, that rises instead.
 */
void buddy_raise_low(struct buddy_hart *h, unsigned int cls)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t end = end_word(h->tree), rise = end - s->limit;

	if (rise > (end - s->low) / 2)
		rise = (end - s->low) / 2;
	s->low += rise;
	s->limit = end;
	if (rise && !cls) {
		h->noted_from = s->low;
		h->frontier_pfn = UINT64_MAX; /* it may lie below */
	}
}

/* The lowest frame of a word that is free at level 1, among those that refills look at. */
uint64_t buddy_word_from_low(const struct buddy_hart *h)
{
	const struct buddy_tree *t = h->tree;
	uint64_t idx = h->scan[0].low >> RADIX_SHIFT;

	for (unsigned int turn = 0; TOP > 1 && turn < VAIN_TURNS; turn++, idx++) {
		uint64_t v;

		idx = buddy_hint_above(t, 1, idx);
		if (idx == UINT64_MAX)
			break;
		v = atomic_read(buddy_node(t, 1, idx));
		if (v)
			return (idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(1);
		buddy_hint_correct(t, 1, idx);
	}
	return UINT64_MAX;
}

/*
 * The highest, or lowest, word of @level that holds something; its bits are in *@bits. UINT64_MAX: none.
 * Each turn goes on, and puts a hint right. In flight.
 */
static uint64_t find_word(const struct buddy_tree *t, unsigned int level, bool from_top,
			  uint64_t *bits)
{
	uint64_t idx = (from_top ? t->end_pfn - 1 : t->start_pfn) >> WORD_SHIFT(level);

	for (;; idx += from_top ? UINT64_MAX : 1) {
		idx = from_top ? buddy_hint_below(t, level, idx) : buddy_hint_above(t, level, idx);
		if (idx == UINT64_MAX)
			return idx;
		*bits = atomic_read(buddy_node(t, level, idx));
		if (*bits)
			return idx;
		if (level < TOP)
			buddy_hint_correct(t, level, idx);
	}
}

/*
 * In the highest group that has any: the lowest frame of a wholly free word. A group is a level 1 word,
 * and may be free as part of a larger block. UINT64_MAX: there is none.
 */
uint64_t buddy_highest_word(const struct buddy_tree *t)
{
	uint64_t found = UINT64_MAX;

	for (unsigned int level = 1; level < BUDDY_LEVELS; level++) {
		uint64_t v, pfn, idx = find_word(t, level, true, &v);

		if (idx == UINT64_MAX)
			continue;
		pfn = (idx << RADIX_SHIFT | (level > 1 ? fls64(v) : ffs64(v))) << BIT_SHIFT(level);
		if (level > 1)
			pfn += (1ULL << BIT_SHIFT(level)) - (1ULL << WORD_SHIFT(1));
		if (found == UINT64_MAX || pfn > found)
			found = pfn;
	}
	return found;
}

/* The first frame of the lowest wholly free group. UINT64_MAX: there is none. */
static uint64_t lowest_group(const struct buddy_tree *t)
{
	uint64_t found = UINT64_MAX;

	for (unsigned int level = 2; level < BUDDY_LEVELS; level++) {
		uint64_t v, pfn, idx = find_word(t, level, false, &v);

		if (idx == UINT64_MAX)
			continue;
		pfn = (idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(level);
		if (pfn < found)
			found = pfn;
	}
	return found;
}

/*
 * Are there wholly free words that are better taken than words in use looked at? So where movable
 * pages lie already and, by default, in the upper eighth.
 */
bool buddy_whole_is_near(struct buddy_hart *h)
{
	uint64_t pfn;

	if (buddy_free_word_below(h, UINT64_MAX))
		return true;
	if (h->group_pfn == UINT64_MAX || !h->ample_pfn)
		return false;
	pfn = buddy_highest_word(h->tree);
	if (pfn != UINT64_MAX && pfn >= movable_start(h->tree))
		return true;
	h->group_pfn = UINT64_MAX; /* until a group is freed */
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
	h->noted_from = h->scan[0].low;
}

/* Unmovable pages: is @pfn among the sibling's, and is there a wholly free group below? */
bool buddy_group_is_better(struct buddy_hart *h, uint64_t pfn)
{
	const struct buddy_hart *s = h->sibling;

	if (TOP < 2 || h->group_pfn >= pfn ||
	    pfn < (s->tree == h->tree ? s->base_pfn : movable_start(h->tree)))
		return false;
	h->group_pfn = lowest_group(h->tree);
	return h->group_pfn < pfn;
}

/* One that is free at level 1. */
static bool take_word(struct buddy_hart *h, uint64_t pfn)
{
	uint64_t bit = 1ULL << BITS_OF(pfn >> RADIX_SHIFT);

	return atomic_fetch_and(buddy_node(h->tree, 1, pfn >> WORD_SHIFT(1)), ~bit) & bit;
}

/*
 * The first frame of a wholly free word that is the hart's now. Movable pages: the lowest of those
 * that are looked at, or else the highest. Unmovable ones: the lowest, of a group or not. UINT64_MAX: there
 * is none, or others were faster.
 */
static uint64_t take_next(struct buddy_hart *h)
{
	for (unsigned int turn = 0; turn < VAIN_TURNS; turn++) {
		uint64_t word = buddy_lowest_word(h), pfn = word;

		if (h->is_movable && word == UINT64_MAX)
			pfn = buddy_highest_word(h->tree);
		else if (!h->is_movable && buddy_group_is_better(h, word))
			pfn = h->group_pfn;
		if (pfn == UINT64_MAX)
			break;
		if (pfn == word ? take_word(h, pfn)
				: !buddy_claim_once(h, h->tree, pfn, RADIX_SHIFT))
			return pfn;
	}
	return UINT64_MAX;
}

/* The number of a wholly free word for a hart that has a sibling, or an error. */
int64_t buddy_take_paired(struct buddy_hart *h)
{
	uint64_t pfn = TOP > 1 ? take_next(h) : UINT64_MAX;
	int64_t ret;

	if (pfn == UINT64_MAX) {
		ret = buddy_take(h, h->tree, 1, 0, h->is_movable);
		h->frontier_pfn = ret < 0 || h->is_movable ? UINT64_MAX : (uint64_t)ret;
		return ret < 0 ? ret : ret >> RADIX_SHIFT;
	}
	if (h->is_movable)
		lower_low(h, pfn);
	h->frontier_pfn = pfn;
	return (int64_t)(pfn >> RADIX_SHIFT);
}
