/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a hart's stacks get their blocks from. A refill takes what has gathered in one word. It
 * looks at the words of the tree's beginning, round and round, up to a limit: where the words in
 * use hold enough, the limit comes down, where they do not it goes up. So what is in use gathers
 * below the limit, and what lies above is not allocated from and heals (docs/allocators.md).
 */
#include "buddy_tree.h"

/* Words that one refill looks at. */
#ifndef SCAN_WORDS
#define SCAN_WORDS 8
#endif

/* Words beyond the limit that it looks at, before it takes a wholly free one. */
#ifndef EXTEND_TURNS
#define EXTEND_TURNS 4
#endif

/* Refills in a row that were content with the first word, before the limit falls fast. */
#ifndef RICH_STREAK
#define RICH_STREAK 6
#endif

/* Every so many words (a power of two), such a one lowers the limit by a word anyway. */
#ifndef LOWER_EVERY
#define LOWER_EVERY 4
#endif

/* Above this order a word holds too few blocks for a search to be worth it. */
#ifndef MAX_SCANNED_ORDER
#define MAX_SCANNED_ORDER 2
#endif

/* Up to this order one run of a word stays in it, so that a free there is a simple one. */
#ifndef MAX_KEPT_ORDER
#define MAX_KEPT_ORDER    2
#endif

#define INLINE static inline __attribute__((always_inline))

/*
 * Runs of class @cls that begin at the bits of @starts, not 0, become the stack, which is empty.
 * Pages in one piece go without a search for each bit.
 */
INLINE void fill_stack(struct buddy_hart *h, unsigned int cls, uint64_t starts, uint64_t base_pfn)
{
	int64_t *top = stack_bottom(h, cls);
	uint64_t bit = lowest_bit(starts);

	if (cls == 0 && unlikely(!(starts & (starts + bit)))) {
		int64_t pfn = (int64_t)(base_pfn + bit_index(bit));

		for (starts >>= bit_index(bit); starts; starts >>= 1)
			*++top = pfn++;
	} else {
		do {
			*++top = (int64_t)(base_pfn + bit_index(bit));
			starts ^= bit;
			bit = lowest_bit(starts);
		} while (starts);
	}
	h->top[cls] = top;
}

/* The same with what is not kept of a wholly free word, the lowest frame last: it goes first. */
INLINE void fill_stack_whole(struct buddy_hart *h, unsigned int cls, uint64_t base_pfn)
{
	int64_t *top = stack_bottom(h, cls);
	int64_t pfn = (int64_t)base_pfn + BUDDY_RADIX;
	int64_t size = 1LL << cls;

	if (cls <= MAX_KEPT_ORDER && size < BUDDY_RADIX)
		pfn -= size;
	if (cls == 0 && BUDDY_RADIX == 64) {
		do {
			UNROLL8
			for (unsigned int i = 0; i < 7; i++)
				*++top = --pfn;
		} while (pfn > (int64_t)base_pfn);
	} else {
		do {
			pfn -= size;
			*++top = pfn;
		} while (pfn > (int64_t)base_pfn);
	}
	h->top[cls] = top;
}

#ifndef PAIRS
#define PAIRS 2
#endif
#ifndef HEAL_GAIN
#define HEAL_GAIN 4
#endif
/* Is the word worth a refill of class @cls? For order 0 as its setting says: see buddy_tune(). */
INLINE bool is_worth(uint64_t word, unsigned int cls, bool healing)
{
	uint64_t starts;

	if (cls == 0 && healing)
		return hweight64(word) >= HEAL_GAIN;
	if (cls == 0) {
		word &= word >> 1;
		for (int i = 1; i < PAIRS; i++)
			word &= word - 1;
		return word;
	}
	starts = run_starts(word, cls);
	starts &= starts - 1;
	return cls < 3 ? starts & (starts - 1) : starts;
}

/*
 * Claims the runs of class @cls in a level 0 word, all or all but one if the word would be empty
 * otherwise. Hints stay: HINT_ANY is cleared by nobody who does not look at the word again. False
 * if there is no such run.
 */
INLINE bool claim_word(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
		       uint64_t idx, bool all)
{
	uint64_t *word = buddy_node(t, 0, idx);
	uint64_t v = atomic_read(word);
	uint64_t starts, bits, got;

	if (cls == 0) {
		bits = all ? v : v & (v - 1);
		got = starts = bits ? atomic_fetch_and(word, ~bits) & bits : 0;
	} else {
		starts = run_starts(v, cls);
		if (!all && cls <= MAX_KEPT_ORDER && v == run_bits(starts, cls))
			starts &= starts - 1;
		bits = run_bits(starts, cls);
		got = bits ? atomic_fetch_and(word, ~bits) & bits : 0;
		if (unlikely(got != bits)) {
			/* Another hart took some of it. */
			starts = run_starts(got, cls);
			bits = got & ~run_bits(starts, cls);
			if (bits)
				buddy_put(h, t, 0, idx, bits);
		}
	}
	if (unlikely(!starts))
		return false;
	fill_stack(h, cls, starts, idx << RADIX_SHIFT);
	h->events.refills++;
	return true;
}

struct sweep {
	struct buddy_hart *h;
	unsigned int cls;
};

/* Of buddy_hint_walk(): stops at the first word that could be claimed. */
static bool sweep_word(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	const struct sweep *s = ctx;
	uint64_t word = atomic_read(buddy_node(t, 0, idx));

	(void)level;
	if (!word) {
		buddy_hint_clear(t, 0, HINT_ANY, idx);
		if (atomic_read(buddy_node(t, 0, idx)))
			buddy_hint_set(t, 0, HINT_ANY, idx);
		return true;
	}
	return !run_starts(word, s->cls) || !claim_word(s->h, t, s->cls, idx, true);
}

/* The lowest frame of a word that is free at level 1, not as part of a larger block. */
static uint64_t lowest_free_word(const struct buddy_tree *t)
{
	/* Below the top level a word has hints; where level 1 is the top, nothing is compared. */
	for (unsigned int turn = 0; TOP > 1 && turn < EXTEND_TURNS; turn++) {
		int64_t idx = buddy_hint_lowest(t, 1, 0);
		const uint64_t *word;
		uint64_t v;

		if (idx < 0)
			break;
		word = buddy_node(t, 1, (uint64_t)idx);
		v = atomic_read(word);
		if (v)
			return ((uint64_t)idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(1);
		buddy_word_emptied(t, 1, (uint64_t)idx);
	}
	return UINT64_MAX;
}

/*
 * Does a wholly free word lie below the frame @pfn? The level 1 word that the frontier is in knows
 * first; it has been valid, so it is defined.
 */
static bool free_word_below(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn)
{
	uint64_t idx = h->frontier_pfn >> WORD_SHIFT(1), v;

	if (pfn <= h->frontier_pfn)
		return false;
	v = TOP > 1 ? atomic_read(buddy_node(t, 1, idx)) : 0;
	h->frontier_pfn = v ? (idx << RADIX_SHIFT | ffs64(v)) << RADIX_SHIFT : lowest_free_word(t);
	return h->frontier_pfn < pfn;
}

/* The lowest wholly free word, as its first frame, or an error. */
static int64_t take_word(struct buddy_hart *h, const struct buddy_tree *t)
{
	uint64_t idx = h->frontier_pfn >> WORD_SHIFT(1);
	int64_t pfn;

	if (TOP > 1 && likely(h->frontier_pfn != UINT64_MAX)) {
		uint64_t *word = buddy_node(t, 1, idx);
		uint64_t v = atomic_read(word), bit = lowest_bit(v);

		if (likely(bit && (atomic_fetch_and(word, ~bit) & bit))) {
			if (v == bit)
				buddy_word_emptied(t, 1, idx);
			pfn = (int64_t)((idx << RADIX_SHIFT | bit_index(bit)) << RADIX_SHIFT);
			h->frontier_pfn = (uint64_t)pfn;
			return pfn;
		}
	}
	pfn = buddy_take(h, t, 1, 0, false);
	if (pfn >= 0)
		h->frontier_pfn = (uint64_t)pfn;
	return pfn;
}

/* A wholly free word becomes the stack, but for the last run of an order that is kept. */
static void fill_from_whole(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			    uint64_t pfn)
{
	uint64_t idx = pfn >> RADIX_SHIFT;

	if (cls <= MAX_KEPT_ORDER && 1U << cls < BUDDY_RADIX) {
		buddy_node_init(t, 0, idx, run_mask(cls) << (BUDDY_RADIX - (1U << cls)));
		hint_set_word(t, buddy_node(t, 1, idx >> RADIX_SHIFT), HINT_ANY, idx);
	} else {
		buddy_node_init(t, 0, idx, 0);
	}
	fill_stack_whole(h, cls, pfn);
	h->events.splits++;
}

/*
 * A few words from *@idx on, within their node: true if one is worth a refill. Looks only at those
 * that have been valid. *@idx becomes that word, or where to go on.
 */
INLINE bool scan_words(const struct buddy_tree *t, unsigned int cls, bool healing, uint64_t *idx)
{
	const uint64_t *first = buddy_node(t, 0, *idx), *word = first;
	const uint64_t *n1 = buddy_node(t, 1, *idx >> RADIX_SHIFT);
	uint64_t any = atomic_read(n1 + 1) >> BITS_OF(*idx);
	uint64_t left = any & ((1U << SCAN_WORDS) - 1);

	for (; left; left >>= 1, word++) {
		if ((left & 1) && is_worth(atomic_read(word), cls, healing)) {
			*idx += (uint64_t)(word - first);
			return true;
		}
	}
	if (BITS_OF(*idx) + SCAN_WORDS < BUDDY_RADIX)
		*idx += SCAN_WORDS;
	else
		*idx = (*idx | (BUDDY_RADIX - 1)) + 1;
	return false;
}

/*
 * Where to go on at the end of a node or of all: with the next node if it has been valid, as its
 * parent knows, or at the lowest word again. UINT64_MAX: a search is needed.
 */
INLINE uint64_t scan_on(const struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx)
{
	uint64_t node = idx >> RADIX_SHIFT;

	if (idx >= s->limit)
		return s->first;
	if (BITS_OF(idx))
		return idx;
	if (TOP > 1 && BITS_OF(node) &&
	    atomic_read(node_hint(buddy_node(t, 2, node >> RADIX_SHIFT), 0, HINT_ANY)) >>
			    BITS_OF(node) & 1)
		return idx;
	return UINT64_MAX;
}

static uint64_t scan_wrap(struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx)
{
	int64_t next = -1;

	if (idx < s->limit)
		next = buddy_hint_next(t, idx);
	if (next < 0 || (uint64_t)next >= s->limit) {
		next = buddy_hint_next(t, t->start_pfn >> RADIX_SHIFT);
		s->first = next < 0 || (uint64_t)next >= s->limit ? UINT64_MAX : (uint64_t)next;
	}
	return next < 0 || (uint64_t)next >= s->limit ? UINT64_MAX : (uint64_t)next;
}

/* Words below the limit, across nodes. True if one was claimed. */
INLINE bool refill_below(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls, bool healing)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t idx = s->next;

	for (unsigned int turn = 0; turn < 1; turn++) {
		if (idx >= s->limit || !BITS_OF(idx))
			idx = scan_wrap(s, t, idx);
		if (idx == UINT64_MAX)
			return false;
		if (scan_words(t, cls, healing, &idx) && claim_word(h, t, cls, idx, healing)) {
			s->next = idx + 1;
			return true;
		}
	}
	s->next = idx;
	return false;
}

/* Words beyond the limit, as long as they lie below the lowest wholly free one. */
INLINE bool refill_beyond(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls, bool healing)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t first = t->start_pfn >> RADIX_SHIFT, last = (t->end_pfn - 1) >> RADIX_SHIFT;

	if (s->limit < first)
		s->limit = first;
	for (unsigned int turn = 0; turn < EXTEND_TURNS && s->limit < last; turn++) {
		int64_t next;
		uint64_t idx;

		/* Too near to be worth a search of what lies between. */
		if (free_word_below(h, t, (s->limit + SCAN_WORDS) << RADIX_SHIFT))
			return false;
		next = buddy_hint_next(t, s->limit);
		idx = (uint64_t)next;
		if (next < 0 || idx << RADIX_SHIFT > h->frontier_pfn)
			return false;
		if (scan_words(t, cls, healing, &idx)) {
			s->limit = idx + 1;
			if (claim_word(h, t, cls, idx, healing))
				return true;
		} else {
			s->limit = idx;
		}
	}
	return false;
}

/*
 * Fills the stack of order @cls, which is empty: from words in use, from the lowest wholly free
 * word, or from any word that has such a block. Returns 0 or an error. In flight.
 */
static int64_t refill_whole(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	struct sweep sw = { h, cls };
	int64_t pfn = take_word(h, t);

	if (unlikely(pfn < 0))
		return buddy_hint_walk(t, 0, 1U << HINT_ANY, sweep_word, &sw) ? pfn : 0;
	fill_from_whole(h, t, cls, (uint64_t)pfn);
	if ((uint64_t)pfn >> RADIX_SHIFT >= h->scan[cls].limit && (uint64_t)pfn >> RADIX_SHIFT < h->scan[cls].limit+SCAN_WORDS)
		h->scan[cls].limit = ((uint64_t)pfn >> RADIX_SHIFT) + 1;
	return 0;
}

int64_t buddy_refill(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	bool done = h->setting == BUDDY_HEALING ? refill_below(h, t, cls, true) || refill_beyond(h, t, cls, true)
		: cls <= MAX_SCANNED_ORDER && (refill_below(h, t, cls, false) || refill_beyond(h, t, cls, false));
	if (done)
		return 0;
	return refill_whole(h, t, cls);
}

/* around a corner */
static int64_t __attribute__((noinline)) refill_slow(struct buddy_hart *h, unsigned int cls, bool scanned)
{
	int64_t ret;
	bool done;

	seq_begin(h);
	if (scanned) {
		done = h->setting == BUDDY_HEALING ? refill_beyond(h, h->tree, cls, true) : cls <= MAX_SCANNED_ORDER && refill_beyond(h, h->tree, cls, false);
		ret = done ? 0 : refill_whole(h, h->tree, cls);
	} else {
		ret = buddy_refill(h, h->tree, cls);
	}
	seq_end(h);
	if (unlikely(ret < 0))
		return buddy_alloc_rest(h, cls);
	return *h->top[cls]--;
}

/* Where words hold more than refills need the limit falls: fast if that has lasted. */
INLINE void adapt_limit(struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx, bool rich)
{
	uint64_t span = s->limit - (t->start_pfn >> RADIX_SHIFT);

	if (!rich) {
		s->streak = 0;
		return;
	}
	if (unlikely(++s->streak >= RICH_STREAK))
		s->limit -= span >> 6;
	else if (!(idx & (LOWER_EVERY - 1)))
		s->limit -= span > 1;
}

/* The common case: a word nearby, and nothing is called. */
INLINE int64_t refill_near(struct buddy_hart *h, unsigned int cls, bool healing)
{
	const struct buddy_tree *t = h->tree;
	struct buddy_scan *s = &h->scan[cls];
	uint64_t idx = s->next;
	int64_t pfn;

	if (unlikely(idx >= s->limit || !BITS_OF(idx))) {
		idx = scan_on(s, t, idx);
		if (idx >= s->limit)
			return refill_slow(h, cls, false);
		s->next = idx;
	}
	if (unlikely(!scan_words(t, cls, healing, &idx))) {
		s->next = idx;
		return refill_slow(h, cls, true);
	}
	adapt_limit(s, t, idx, idx == s->next);
	s->next = idx + 1;
	seq_begin(h);
	if (unlikely(!claim_word(h, t, cls, idx, healing))) {
		seq_end(h);
		return refill_slow(h, cls, false);
	}
	pfn = *h->top[cls]--;
	seq_end(h);
	return pfn;
}

int64_t buddy_refill_near(struct buddy_hart *h, unsigned int cls)
{
	if (cls > MAX_SCANNED_ORDER) return refill_slow(h, cls, true);
	switch (cls) {
	case 0:
		if (h->setting == BUDDY_HEALING)
			return refill_near(h, 0, true);
		return refill_near(h, 0, false);
	case 1:
		return refill_near(h, 1, false);
	case 2:
		return refill_near(h, 2, false);
	case 3:
		return refill_near(h, 3, false);
	default:
		return refill_slow(h, cls, false);
	}
}
