/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wholly free words, the lowest first: where a hart's stack gets its blocks from when no word in
 * use nearby has enough.
 */
#include "buddy_tree.h"

/* Level 1 words that a look for the lowest wholly free word goes to before it searches. */
#define NEAR_WORDS 8

/* The limit goes with a word that is taken if no more than this lies between. */
#define LIMIT_REACH 8

/* The same within a span. Each turn goes on, and puts a hint right. */
static uint64_t __attribute__((noinline)) lowest_in_span(const struct buddy_hart *h)
{
	const struct buddy_tree *t = h->tree;
	uint64_t idx = h->span_pfn >> WORD_SHIFT(1), last = (h->span_end - 1) >> WORD_SHIFT(1);

	for (; (idx = buddy_hint_above(t, 1, idx)) <= last; idx++) {
		uint64_t v = atomic_read(buddy_node(t, 1, idx));

		if (v & h->word_mask)
			return (idx << RADIX_SHIFT | ffs64(v & h->word_mask)) << BIT_SHIFT(1);
		if (!v)
			buddy_hint_correct(t, 1, idx);
	}
	return UINT64_MAX;
}

/* The lowest frame of a word that is free at level 1, not as part of a larger block. In flight. */
uint64_t __attribute__((noinline)) buddy_lowest_word(const struct buddy_hart *h)
{
	const struct buddy_tree *t = h->tree;
	uint64_t near = h->frontier_pfn >> WORD_SHIFT(1);

	if (TOP > 1 && unlikely(h->is_shared))
		return lowest_in_span(h);
	if (TOP > 1 && h->frontier_pfn != UINT64_MAX) {
		/* Stale hints are left. */
		uint64_t left = buddy_hints_from(buddy_node(t, 2, near >> RADIX_SHIFT), 1, 0) &
				~0ULL << BITS_OF(near);

		for (unsigned int turn = 0; left && turn < NEAR_WORDS; turn++) {
			uint64_t bit = lowest_bit(left), v;

			near = (near & ~(uint64_t)(BUDDY_RADIX - 1)) | bit_index(bit);
			v = atomic_read(buddy_node(t, 1, near));
			if (v)
				return (near << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(1);
			left ^= bit;
		}
	}
	/* Below the top level a word has hints; where level 1 is the top, nothing is compared. */
	for (unsigned int turn = 0; TOP > 1 && turn < NEAR_WORDS; turn++) {
		int64_t idx = buddy_hint_lowest(t, 1, 0);
		uint64_t v;

		if (idx < 0)
			break;
		v = atomic_read(buddy_node(t, 1, (uint64_t)idx));
		if (v)
			return ((uint64_t)idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(1);
		buddy_hint_correct(t, 1, (uint64_t)idx);
	}
	return UINT64_MAX;
}

/*
 * Does a wholly free word lie below the frame @pfn? The level 1 word that the frontier is in knows
 * first; it has been valid, so it is defined.
 */
bool buddy_free_word_below(struct buddy_hart *h, uint64_t pfn)
{
	const struct buddy_tree *t = h->tree;
	uint64_t idx = h->frontier_pfn >> WORD_SHIFT(1), v;

	if (pfn <= h->frontier_pfn)
		return false;
	v = TOP > 1 ? atomic_read(buddy_node(t, 1, idx)) & h->word_mask : 0;
	h->frontier_pfn = v ? (idx << RADIX_SHIFT | ffs64(v)) << RADIX_SHIFT : buddy_lowest_word(h);
	return h->frontier_pfn < pfn;
}

/* The hint of a run that was left in a word; then all is as fill_whole() leaves it. */
static int64_t __attribute__((noinline)) hint_kept(struct buddy_hart *h, uint64_t idx)
{
	buddy_hint_set(h->tree, 0, HINT_ANY, idx);
	seq_end(h);
	return (int64_t)(idx << RADIX_SHIFT);
}

/* All pages below @pfn but the lowest of a word, two instructions each. */
static inline int64_t *fill_pages(int64_t *top, int64_t pfn)
{
	for (unsigned int i = 0; i < 2; i++) {
		UNROLL32
		for (int k = 1; k <= 31; k++) {
			top[k] = --pfn;
			/* One after the other: in one register, not in as many as there are. */
			__asm__ volatile("" : "+r"(pfn) : : "memory");
		}
		top += 31;
	}
	return top;
}

/*
 * The wholly free word @idx, which is the hart's, becomes the stack of order @cls, but for a run that
 * may be kept at its end and the lowest block, which is returned. Ends what was in flight.
 */
static inline __attribute__((always_inline)) int64_t fill_whole(struct buddy_hart *h,
								unsigned int cls, uint64_t idx)
{
	const struct buddy_tree *t = h->tree;
	int64_t base = (int64_t)(idx << RADIX_SHIFT), size = (int64_t)1 << cls;
	int64_t *top = h->top[cls], pfn = base + BUDDY_RADIX;
	bool kept = keeps_run(cls) && h->setting != BUDDY_HEALING;

	if (cls <= MAX_SCANNED_ORDER) {
		struct buddy_scan *scan = &h->scan[cls];

		if (idx - scan->limit < LIMIT_REACH)
			scan->limit = idx + 1;
		scan->width = NARROW_SCAN;
	}
	h->events.splits++;
	atomic_xchg(buddy_node(t, 0, idx),
		    kept ? WORD_FULL << (BUDDY_RADIX - size) & WORD_FULL : 0);
	if (kept)
		pfn -= size;
	if (cls == 0 && kept && BUDDY_RADIX == 64)
		top = fill_pages(top, pfn);
	else
		while ((pfn -= size) > base)
			*++top = pfn;
	h->top[cls] = top;
	if (kept &&
	    unlikely(!(atomic_read(node_hint(buddy_node(t, 1, idx >> RADIX_SHIFT), 0, HINT_ANY)) >>
			       BITS_OF(idx) &
		       1)))
		return hint_kept(h, idx);
	seq_end(h);
	return base;
}

static int64_t __attribute__((noinline)) fill_whole_pages(struct buddy_hart *h, uint64_t idx)
{
	return fill_whole(h, 0, idx);
}

static int64_t __attribute__((noinline))
fill_whole_runs(struct buddy_hart *h, uint64_t idx, unsigned int cls)
{
	return fill_whole(h, cls, idx);
}

/*
 * Is there a wholly free level 1 word (a group of words) in the part of the tree where words in use
 * are not looked at? Then it is better to open that than to pack.
 */
bool buddy_free_group(struct buddy_hart *h)
{
	int64_t idx;
	uint64_t v;

	if (TOP < 3 || h->group_pfn >= h->ample_pfn)
		return false;
	if (unlikely(h->is_shared)) {
		h->group_pfn = buddy_lowest_group(h);
		return h->group_pfn < h->ample_pfn;
	}
	idx = buddy_hint_lowest(h->tree, 2, 0);
	v = idx < 0 ? 0 : atomic_read(buddy_node(h->tree, 2, (uint64_t)idx));
	if (unlikely(idx >= 0 && !v)) {
		/* Hinted in vain; what lies above is seen the next time. */
		buddy_hint_correct(h->tree, 2, (uint64_t)idx);
		return false;
	}
	h->group_pfn = v ? ((uint64_t)idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(2) : UINT64_MAX;
	return h->group_pfn < h->ample_pfn;
}

/* Opens the group: the number of its first word, or -1. */
static int64_t take_from_group(struct buddy_hart *h)
{
	uint64_t pfn = h->group_pfn;

	if (!buddy_open_group(h, pfn >> WORD_SHIFT(1), WORD_FULL & ~1ULL))
		return -1;
	h->frontier_pfn = pfn;
	return (int64_t)(pfn >> RADIX_SHIFT);
}

/* By a search. The number of the word, or an error. */
static int64_t take_slow(struct buddy_hart *h)
{
	int64_t pfn;

	if (unlikely(h->sibling || h->is_shared))
		return buddy_take_in_span(h);
	/* Where nothing is known the search below opens the tree at its beginning, too. */
	if (TOP > 1 && h->frontier_pfn != UINT64_MAX) {
		if (h->frontier_pfn >= h->ample_pfn && buddy_free_group(h)) {
			pfn = take_from_group(h);
			if (pfn >= 0)
				return pfn;
		}
		h->frontier_pfn = buddy_lowest_word(h);
		if (h->frontier_pfn != UINT64_MAX) {
			uint64_t idx = h->frontier_pfn >> RADIX_SHIFT;
			uint64_t *word = buddy_node(h->tree, 1, idx >> RADIX_SHIFT);
			uint64_t bit = 1ULL << BITS_OF(idx);

			if (atomic_fetch_and(word, ~bit) & bit)
				return (int64_t)idx;
		}
	}
	pfn = buddy_take(h, h->tree, 1, 0, false);
	if (pfn < 0) {
		h->frontier_pfn = UINT64_MAX;
		return pfn;
	}
	h->frontier_pfn = (uint64_t)pfn;
	return pfn >> RADIX_SHIFT;
}

/*
 * Fills the stack from a wholly free word, or by a sweep. Returns 0 or an error. In flight, but for a
 * moment behind fill_whole(): then the last block is in a register, and @holds says so.
 */
int64_t buddy_refill_whole(struct buddy_hart *h, unsigned int cls)
{
	int64_t idx = take_slow(h), pfn;

	if (idx < 0)
		return buddy_sweep(h, cls) ? 0 : idx;
	pfn = cls ? fill_whole_runs(h, (uint64_t)idx, cls) : fill_whole_pages(h, (uint64_t)idx);
	seq_begin(h);
	*++h->top[cls] = pfn;
	return 0;
}

/* The same for an allocation. Ends what was in flight. */
int64_t buddy_alloc_whole(struct buddy_hart *h, unsigned int cls)
{
	int64_t ret = buddy_refill_whole(h, cls);

	seq_end(h);
	return likely(!ret) ? stack_pop(h, cls) : buddy_alloc_rest(h, cls);
}

/*
 * A block of order @cls, of which the stack is empty and no word nearby has enough. As memory fills
 * up, the lowest wholly free word is the next: it is taken at once.
 */
int64_t __attribute__((noinline)) buddy_refill_slow(struct buddy_hart *h, unsigned int cls)
{
	uint64_t pfn = h->frontier_pfn, idx = pfn >> WORD_SHIFT(1), v, bit, *word;
	uint64_t end_pfn = whole_end_pfn(h, cls);

	if (unlikely(!h->tree))
		return buddy_alloc_rest(h, cls);
	seq_begin(h);
	atomic_set(&h->holds, 1);
	if (TOP < 2 || pfn >= end_pfn)
		return buddy_refill_scan(h, cls);
	word = buddy_node(h->tree, 1, idx);
	v = atomic_read(word) & h->word_mask;
	if (unlikely(!v))
		return buddy_refill_scan(h, cls);
	bit = lowest_bit(v);
	idx = idx << RADIX_SHIFT | bit_index(bit);
	h->frontier_pfn = idx << RADIX_SHIFT;
	if (h->frontier_pfn >= end_pfn || unlikely(!(atomic_fetch_and(word, ~bit) & bit)))
		return buddy_refill_scan(h, cls);
	return cls ? fill_whole_runs(h, idx, cls) : fill_whole_pages(h, idx);
}
