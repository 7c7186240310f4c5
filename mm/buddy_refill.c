/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a hart's stacks get their blocks from: what has gathered in one word. A refill looks at
 * words in use from the tree's beginning on, round and round, up to a limit. The limit comes down
 * where words hold enough, and goes up where they do not: what is in use gathers below it, and
 * what lies above is not allocated from, and merges. docs/allocators.md has the figures.
 */
#include "buddy_tree.h"

/* Words that one refill looks at below the limit, and a turn of it beyond. */
#define SCAN_WORDS 8

/* The same as bits; and after one that had to take a wholly free word, as when memory fills up. */
#define WIDE_SCAN   ((1U << SCAN_WORDS) - 1)
#define NARROW_SCAN 3

/* Turns beyond the limit, before a wholly free word is taken. */
#define EXTEND_TURNS 4

/* Refills in a row that were content with the next word, before the limit falls fast. */
#define RICH_STREAK 6

/* Otherwise such a refill lowers it by a word, for every so many words (a power of two). */
#define LOWER_EVERY 4

/* Above this order a word holds too few blocks to be worth a search. */
#define MAX_SCANNED_ORDER 2

/* Up to this order a run stays in a word that is taken, so that a free there is a simple one. */
#define MAX_KEPT_ORDER 2

/* Pages that make a word worth a refill: in the healing setting, which keeps none back. */
#define HEALING_GAIN 3

#define INLINE       static inline __attribute__((always_inline))

/*
 * Runs of class @cls that begin at the bits of @starts, not 0, become the stack, which is empty.
 * Pages in one piece go without a search for each bit.
 */
INLINE void fill_stack(struct buddy_hart *h, unsigned int cls, uint64_t starts, uint64_t base_pfn)
{
	int64_t *top = &h->stack[stack_bottom(cls)];
	uint64_t bit = lowest_bit(starts);

	if (cls == 0 && !(starts & (starts + bit))) {
		unsigned int first = bit_index(bit);
		int64_t pfn = (int64_t)(base_pfn + first);

		for (starts >>= first; starts; starts >>= 1)
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

/* Does a run of class @cls stay in a word that is taken? Not where it would be half of them. */
INLINE bool is_kept(unsigned int cls)
{
	return cls <= MAX_KEPT_ORDER && BUDDY_RADIX >> cls > 2;
}

/* The same with a wholly free word but for the run that is kept. The lowest frame goes first. */
INLINE void fill_stack_whole(struct buddy_hart *h, unsigned int cls, uint64_t base_pfn, bool kept)
{
	int64_t *top = &h->stack[stack_bottom(cls)];
	int64_t pfn = (int64_t)base_pfn + BUDDY_RADIX;
	int64_t size = (int64_t)1 << cls;

	if (kept)
		pfn -= size;
	if (cls == 0 && kept && BUDDY_RADIX == 64) {
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

/*
 * Is the word worth a refill of class @cls? By default, for pages, if two of them have their upper
 * neighbour free, too: likely from ten free pages on, and for fewer instructions than a count.
 */
INLINE bool is_worth(uint64_t word, unsigned int cls, bool healing)
{
	uint64_t starts;

	if (cls == 0 && healing)
		return hweight64(word) >= HEALING_GAIN;
	if (cls == 0) {
		word &= word >> 1;
		return word & (word - 1);
	}
	starts = run_starts(word, cls);
	starts &= starts - 1;
	return starts & (starts - 1);
}

/*
 * Claims the runs of class @cls in a level 0 word: all, or all but one if the word would be empty
 * otherwise. Hints stay: HINT_ANY is cleared by nobody who does not look at the word again. False
 * if there is no such run. In flight.
 */
INLINE bool claim_word(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
		       uint64_t idx, bool all)
{
	uint64_t *word = buddy_node(t, 0, idx);
	uint64_t v = atomic_read(word);
	uint64_t starts = run_starts(v, cls), bits, got;

	if (!all && is_kept(cls) && v == run_bits(starts, cls))
		starts &= starts - 1;
	bits = run_bits(starts, cls);
	if (unlikely(!bits))
		return false;
	got = atomic_fetch_and(word, ~bits) & bits;
	if (unlikely(got != bits)) {
		/* Another hart took some of it. */
		starts = run_starts(got, cls);
		bits = got & ~run_bits(starts, cls);
		if (bits)
			buddy_put(h, t, 0, idx, bits);
		if (!starts)
			return false;
	}
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
	uint64_t word = atomic_read(buddy_node(t, level, idx));

	if (!word) {
		buddy_word_emptied(t, level, idx);
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
		uint64_t v;

		if (idx < 0)
			break;
		v = atomic_read(buddy_node(t, 1, (uint64_t)idx));
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
	h->frontier_pfn = pfn >= 0 ? (uint64_t)pfn : UINT64_MAX;
	return pfn;
}

/* A wholly free word becomes the stack; failing that, any word that has such a block. */
static int64_t refill_whole(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	struct buddy_scan *scan = &h->scan[cls];
	struct sweep s = { h, cls };
	int64_t pfn = take_word(h, t);
	uint64_t idx = (uint64_t)pfn >> RADIX_SHIFT;
	bool kept = is_kept(cls) && h->setting != BUDDY_HEALING;

	if (unlikely(pfn < 0))
		return buddy_hint_walk(t, 0, 1U << HINT_ANY, sweep_word, &s) ? pfn : 0;
	buddy_node_init(t, 0, idx, kept ? run_mask(cls) << (BUDDY_RADIX - (1U << cls)) : 0);
	if (kept)
		hint_set_word(t, buddy_node(t, 1, idx >> RADIX_SHIFT), idx);
	fill_stack_whole(h, cls, (uint64_t)pfn, kept);
	/* The limit goes with it where nothing, or next to nothing, lies between. */
	if (idx - scan->limit < SCAN_WORDS)
		scan->limit = idx + 1;
	scan->width = NARROW_SCAN;
	h->events.splits++;
	return 0;
}

/*
 * A few words from *@idx on, within their node: true if one is worth a refill. Looks only at those
 * that have been valid, of those that @width has a bit for. *@idx becomes that word, or where to go
 * on.
 */
INLINE bool scan_words(const struct buddy_tree *t, unsigned int cls, bool healing, uint64_t *idx,
		       uint64_t width)
{
	const uint64_t *first = buddy_node(t, 0, *idx), *word = first;
	uint64_t *n1 = buddy_node(t, 1, *idx >> RADIX_SHIFT);
	uint64_t left = atomic_read(node_hint(n1, 0, HINT_ANY)) >> BITS_OF(*idx);

	for (left &= width; left; left >>= 1, word++) {
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
 * parent knows, or at the lowest word again. UINT64_MAX: that takes a search.
 */
INLINE uint64_t scan_on(const struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx)
{
	uint64_t node = idx >> RADIX_SHIFT;

	if (idx >= s->limit)
		return s->first;
	if (TOP > 1 && BITS_OF(node) &&
	    atomic_read(node_hint(buddy_node(t, 2, node >> RADIX_SHIFT), 0, HINT_ANY)) >>
			    BITS_OF(node) &
		    1)
		return idx;
	return UINT64_MAX;
}

/* The same with the search: the next word below the limit, or the lowest; UINT64_MAX: none. */
static uint64_t scan_search(struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx)
{
	uint64_t next = idx < s->limit ? buddy_hint_next(t, idx) : UINT64_MAX;

	if (next >= s->limit) {
		next = buddy_hint_next(t, t->start_pfn >> RADIX_SHIFT);
		if (next >= s->limit)
			next = UINT64_MAX;
		s->first = next;
	}
	return next;
}

/* Words below the limit, where a search is needed to come to them. True if one was claimed. */
INLINE bool refill_below(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			 bool healing)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t idx = scan_search(s, t, s->next);

	if (idx == UINT64_MAX)
		return false;
	if (scan_words(t, cls, healing, &idx, WIDE_SCAN) && claim_word(h, t, cls, idx, healing)) {
		s->next = idx + 1;
		return true;
	}
	s->next = idx;
	return false;
}

/* Words beyond the limit, as long as they lie below the lowest wholly free one. */
INLINE bool refill_beyond(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			  bool healing)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t first = t->start_pfn >> RADIX_SHIFT;

	if (s->limit < first)
		s->limit = first;
	for (unsigned int turn = 0; turn < EXTEND_TURNS; turn++) {
		uint64_t idx;

		/* One that is near is not worth the search. */
		if (free_word_below(h, t, (s->limit + SCAN_WORDS) << RADIX_SHIFT))
			return false;
		idx = buddy_hint_next(t, s->limit);
		if (idx == UINT64_MAX || idx << RADIX_SHIFT > h->frontier_pfn)
			return false;
		if (scan_words(t, cls, healing, &idx, WIDE_SCAN)) {
			s->limit = idx + 1;
			if (claim_word(h, t, cls, idx, healing))
				return true;
		} else {
			s->limit = idx;
		}
	}
	return false;
}

/* From words in use. @below: those below the limit have not been looked at yet. */
static bool refill_used(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			bool below)
{
	if (cls > MAX_SCANNED_ORDER)
		return false;
	if (h->setting == BUDDY_HEALING)
		return (below && refill_below(h, t, cls, true)) || refill_beyond(h, t, cls, true);
	return (below && refill_below(h, t, cls, false)) || refill_beyond(h, t, cls, false);
}

/* Fills the stack of order @cls, which is empty, from one tree. Returns 0 or an error. In flight. */
int64_t buddy_refill(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	atomic_set(&h->holds, 1);
	return refill_used(h, t, cls, true) ? 0 : refill_whole(h, t, cls);
}

/* What does not lie nearby. @below: as above. */
static int64_t __attribute__((noinline))
refill_slow(struct buddy_hart *h, unsigned int cls, bool below)
{
	int64_t ret = 0;

	if (unlikely(!h->tree))
		return buddy_alloc_rest(h, cls);
	seq_begin(h);
	atomic_set(&h->holds, 1);
	/* As memory fills up, the lowest wholly free word is the next. */
	if (!free_word_below(h, h->tree, (h->scan[cls].limit + 2) << RADIX_SHIFT) &&
	    refill_used(h, h->tree, cls, below))
		goto out;
	ret = refill_whole(h, h->tree, cls);
out:
	seq_end(h);
	return likely(!ret) ? stack_pop(h, cls) : buddy_alloc_rest(h, cls);
}

/* Where words hold more than refills need the limit falls: fast if that has lasted. */
INLINE void adapt_limit(struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx, bool rich)
{
	uint64_t span = s->limit - (t->start_pfn >> RADIX_SHIFT);

	if (!rich)
		s->streak = 0;
	else if (unlikely(++s->streak >= RICH_STREAK))
		s->limit -= span >> 6;
	else if (idx % LOWER_EVERY == 0)
		s->limit -= span > 1;
}

/* The common case: a word nearby. */
INLINE int64_t refill_near(struct buddy_hart *h, unsigned int cls, bool healing)
{
	const struct buddy_tree *t = h->tree;
	struct buddy_scan *s = &h->scan[cls];
	uint64_t idx = s->next;

	if (unlikely(idx >= s->limit || !BITS_OF(idx))) {
		idx = scan_on(s, t, idx);
		if (idx >= s->limit)
			return refill_slow(h, cls, true);
		s->next = idx;
	}
	if (unlikely(!scan_words(t, cls, healing, &idx, s->width))) {
		s->next = idx;
		return refill_slow(h, cls, false);
	}
	adapt_limit(s, t, idx, idx == s->next);
	s->next = idx + 1;
	s->width = WIDE_SCAN;
	seq_begin(h);
	atomic_set(&h->holds, 1);
	if (unlikely(!claim_word(h, t, cls, idx, healing))) {
		seq_end(h);
		return refill_slow(h, cls, false);
	}
	seq_end(h);
	return stack_pop(h, cls);
}

/* A block of a small order, of which the stack is empty. */
int64_t buddy_alloc_refill(struct buddy_hart *h, unsigned int order)
{
	if (RADIX_SHIFT > 1 && order == 1)
		return refill_near(h, 1, false);
	if (RADIX_SHIFT > 2 && order == 2)
		return refill_near(h, 2, false);
	if (order > MAX_SCANNED_ORDER)
		return refill_slow(h, order, false);
	return h->setting == BUDDY_HEALING ? refill_near(h, 0, true) : refill_near(h, 0, false);
}
