/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a hart's stacks get their blocks from: what has gathered in one word. A refill looks at
 * words in use from the tree's beginning on, round and round, up to a limit. The limit comes down
 * where words hold enough, and goes up where they do not: what is in use gathers below it, and
 * what lies above is not allocated from, and merges. docs/allocators.md has the figures.
 */
#include <stddef.h>

#include "buddy_tree.h"

/* Words that one refill looks at below the limit, and a turn of it beyond. */
#define SCAN_WORDS 8

/* The same as bits. */
#define WIDE_SCAN ((1U << SCAN_WORDS) - 1)

/* Turns beyond the limit, before a wholly free word is taken. */
#define EXTEND_TURNS 4

/* Refills in a row that were content with the next word, before the limit falls fast. */
#define RICH_STREAK 8

/* Otherwise such a refill lowers it by a word, for every so many words (a power of two). */
#define LOWER_EVERY 4

/* Pages that make a word worth a refill: in the healing setting, which keeps none back. */
#define HEALING_GAIN 2

/* Its looks below the limit, before it goes beyond. */
#define HEALING_TURNS 2

/* The same of movable pages. */
#define MOVABLE_TURNS 2

#define INLINE        static inline __attribute__((always_inline))

/*
 * Runs of class @cls that begin at the bits of @starts, not 0, become the stack, which is empty.
 * Pages in one piece go without a search for each bit.
 */
INLINE void fill_stack(struct buddy_hart *h, unsigned int cls, uint64_t starts, uint64_t base_pfn)
{
	int64_t *top = h->top[cls];
	uint64_t bit = lowest_bit(starts);

	if (cls == 0 && !(starts & (starts + bit))) {
		unsigned int first = bit_index(bit);
		int64_t pfn = (int64_t)(base_pfn + first);

		for (starts >>= first; starts; starts >>= 1)
			*++top = pfn++;
	} else {
		do {
			bit = lowest_bit(starts);
			*++top = (int64_t)(base_pfn + bit_index(bit));
			starts ^= bit;
		} while (starts);
	}
	h->top[cls] = top;
}

/*
 * Is the word worth a refill of class @cls? By default, for pages, if three of them have one of the
 * two above free, too: likely from nine free pages on, and for fewer instructions than a count.
 */
INLINE bool is_worth(uint64_t word, unsigned int cls, bool healing)
{
	uint64_t starts;

	if (cls == 0 && healing)
		return hweight64(word) >= HEALING_GAIN;
	if (cls == 0) {
		word &= word >> 1 | word >> 2;
		word &= word - 1;
		return word & (word - 1);
	}
	starts = run_starts(word, cls);
	starts &= starts - 1;
	return starts & (starts - 1);
}

/* Another hart took some of what was claimed: the runs that are whole are kept. */
static bool __attribute__((noinline)) claim_partly(struct buddy_hart *h, const struct buddy_tree *t,
						   unsigned int cls, uint64_t idx, uint64_t got)
{
	uint64_t starts = run_starts(got, cls), rest = got & ~run_bits(starts, cls);

	if (rest)
		buddy_put(h, t, 0, idx, rest);
	if (!starts)
		return false;
	fill_stack(h, cls, starts, idx << RADIX_SHIFT);
	h->events.refills++;
	return true;
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

	if (!all && keeps_run(cls) && v == run_bits(starts, cls))
		starts &= starts - 1;
	bits = run_bits(starts, cls);
	if (unlikely(!bits))
		return false;
	got = atomic_fetch_and(word, ~bits) & bits;
	if (unlikely(got != bits))
		return claim_partly(h, t, cls, idx, got);
	fill_stack(h, cls, starts, idx << RADIX_SHIFT);
	h->events.refills++;
	return true;
}

/* The last word of the hart's span. */
static inline uint64_t last_word(const struct buddy_hart *h)
{
	return (h->span_end - 1) >> RADIX_SHIFT;
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
		buddy_hint_correct(t, level, idx);
		return true;
	}
	return !run_starts(word, s->cls) || !claim_word(s->h, t, s->cls, idx, true);
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
		next = buddy_hint_next(t, s->low);
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

	if (s->limit < s->low)
		s->limit = s->low;
	for (unsigned int turn = 0; turn < EXTEND_TURNS; turn++) {
		uint64_t idx, pfn;

		/* One that is near is not worth the search. */
		if (buddy_free_word_below(h, (s->limit + SCAN_WORDS) << RADIX_SHIFT))
			return false;
		idx = buddy_hint_next(t, s->limit);
		pfn = idx << RADIX_SHIFT;
		/* Of UINT64_MAX, too. */
		if (pfn >= h->span_end || pfn > h->frontier_pfn ||
		    (unlikely(h->sibling) && buddy_group_is_better(h, pfn)))
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

/* From words in use. */
static bool refill_used(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	if (cls > MAX_SCANNED_ORDER)
		return false;
	if (h->setting == BUDDY_HEALING) {
		for (unsigned int turn = 0; turn < HEALING_TURNS; turn++)
			if (refill_below(h, t, cls, true))
				return true;
		return refill_beyond(h, t, cls, true);
	}
	return refill_below(h, t, cls, false) || refill_beyond(h, t, cls, false);
}

/*
 * As scan_words(), for movable pages: from *@idx down to @low, and at most @nr of them. *@idx becomes the
 * word, or the next one down.
 */
INLINE bool scan_down(const struct buddy_tree *t, unsigned int cls, bool healing, uint64_t *idx,
		      uint64_t low, unsigned int nr)
{
	const uint64_t *last = buddy_node(t, 0, *idx), *word = last;
	uint64_t *n1 = buddy_node(t, 1, *idx >> RADIX_SHIFT);
	/* The hint of the word that is looked at is the highest bit. */
	uint64_t left = atomic_read(node_hint(n1, 0, HINT_ANY)) << (63 - BITS_OF(*idx));

	if (nr > *idx - low)
		nr = (unsigned int)(*idx - low) + 1;
	if (nr > BITS_OF(*idx))
		nr = BITS_OF(*idx) + 1;
	for (const uint64_t *end = last - nr; word > end; word--, left <<= 1)
		if (left >> 63 && is_worth(atomic_read(word), cls, healing))
			break;
	*idx -= (uint64_t)(last - word);
	return word > last - nr;
}

/* Where to go on downwards: at once within a node, else by a search. UINT64_MAX: there is nothing. */
static uint64_t next_down(const struct buddy_hart *h, const struct buddy_scan *s)
{
	const struct buddy_tree *t = h->tree;
	uint64_t idx = s->next;

	if (idx != UINT64_MAX && idx >= s->low && BITS_OF(idx + 1))
		return idx;
	idx = buddy_hint_below(t, 0, idx);
	if (idx == UINT64_MAX || idx < s->low)
		idx = buddy_hint_below(t, 0, last_word(h));
	return idx < s->low ? UINT64_MAX : idx;
}

/* A few words from where the last refill was on, downwards. As for others, the lowest word adapts. */
INLINE bool refill_above(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			 bool healing)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t first = next_down(h, s), idx = first;
	uint64_t span = last_word(h) - s->low;

	if (first == UINT64_MAX)
		return false;
	if (!scan_down(t, cls, healing, &idx, s->low, SCAN_WORDS)) {
		s->next = idx;
		s->streak = 0;
		return false;
	}
	s->next = idx - 1;
	if (idx != first)
		s->streak = 0;
	else if (++s->streak >= RICH_STREAK)
		s->low += span >> 6;
	else if (idx % LOWER_EVERY == 0)
		s->low += span > 1;
	return claim_word(h, t, cls, idx, healing);
}

/*
 * Words below the lowest one, as long as they lie above the highest that is wholly free, and above the
 * base: what is below was never theirs.
 */
static bool refill_lower(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			 bool healing)
{
	struct buddy_scan *s = &h->scan[cls];
	uint64_t last = buddy_highest_word(h) >> RADIX_SHIFT;

	if (last == UINT64_MAX >> RADIX_SHIFT || last < h->base_pfn >> RADIX_SHIFT)
		last = h->base_pfn >> RADIX_SHIFT;
	for (unsigned int turn = 0; turn < EXTEND_TURNS && s->low > last; turn++) {
		uint64_t idx = buddy_hint_below(t, 0, s->low - 1);

		if (idx == UINT64_MAX || idx < last)
			return false;
		if (scan_down(t, cls, healing, &idx, last, SCAN_WORDS)) {
			s->low = idx;
			if (claim_word(h, t, cls, idx, healing))
				return true;
		} else {
			s->low = idx + 1;
		}
	}
	return false;
}

/*
 * Movable pages from words in use: as refill_used(), but from the tree's end downwards, and that with
 * a lowest word in place of a limit.
 */
static bool refill_movable(struct buddy_hart *h, unsigned int cls)
{
	bool healing = h->setting == BUDDY_HEALING;

	if (cls > MAX_SCANNED_ORDER || buddy_whole_is_near(h))
		return false;
	for (unsigned int turn = 0; turn < MOVABLE_TURNS; turn++)
		if (refill_above(h, h->tree, cls, healing))
			return true;
	return refill_lower(h, h->tree, cls, healing);
}

/*
 * Any word that has a block of order @cls, when there is no wholly free one; those of the span, or from the
 * base on, come first. In flight.
 */
bool buddy_sweep(struct buddy_hart *h, unsigned int cls)
{
	struct sweep s = { h, cls };
	uint64_t idx;

	if (h->is_movable || h->is_shared)
		for (idx = (h->is_movable ? h->base_pfn : h->span_pfn) >> RADIX_SHIFT;
		     (idx = buddy_hint_next(h->tree, idx)) <= last_word(h); idx++)
			if (!sweep_word(&s, h->tree, 0, idx))
				return true;
	return !buddy_hint_walk(h->tree, 0, 1U << HINT_ANY, sweep_word, &s);
}

/* Fills the stack of order @cls, which is empty, from the hart's tree. Returns 0 or an error. In flight. */
int64_t buddy_refill(struct buddy_hart *h, unsigned int cls)
{
	atomic_set(&h->holds, 1);
	/* The first time no word in use is known of; failing a whole one all are looked at. */
	if (cls <= MAX_SCANNED_ORDER &&
	    (unlikely(h->is_movable) ? h->scan[cls].next != UINT64_MAX && refill_movable(h, cls)
				     : h->scan[cls].limit && refill_used(h, h->tree, cls)))
		return 0;
	return buddy_refill_whole(h, cls);
}

/* What does not lie nearby. Ends what was in flight. */
int64_t buddy_refill_scan(struct buddy_hart *h, unsigned int cls)
{
	if (unlikely(h->is_movable)
		    ? refill_movable(h, cls)
		    : cls <= MAX_SCANNED_ORDER &&
			      !buddy_free_word_below(h, whole_end_pfn(h, cls)) &&
			      !buddy_free_group(h) && refill_used(h, h->tree, cls)) {
		seq_end(h);
		return stack_pop(h, cls);
	}
	return buddy_alloc_whole(h, cls);
}

/* Where words hold more than refills need the limit falls: fast if that has lasted. */
INLINE void adapt_limit(struct buddy_scan *s, uint64_t idx, bool rich)
{
	uint64_t span = s->limit - s->low;

	if (!rich)
		s->streak = 0;
	else if (unlikely(++s->streak >= RICH_STREAK))
		s->limit -= span >> 6;
	else if (idx % LOWER_EVERY == 0)
		s->limit -= span > 1;
}

/* From the word @idx. */
INLINE int64_t claim_near(struct buddy_hart *h, unsigned int cls, bool healing, uint64_t idx)
{
	seq_begin(h);
	atomic_set(&h->holds, 1);
	if (unlikely(!claim_word(h, h->tree, cls, idx, healing))) {
		seq_end(h);
		return buddy_refill_slow(h, cls);
	}
	seq_end(h);
	return stack_pop(h, cls);
}

#define CLAIM_NEAR(name, cls, healing)                                                    \
	static int64_t __attribute__((noinline)) name(struct buddy_hart *h, uint64_t idx) \
	{                                                                                 \
		return claim_near(h, cls, healing, idx);                                  \
	}

CLAIM_NEAR(claim_pages, 0, false)
CLAIM_NEAR(claim_pages_healing, 0, true)
CLAIM_NEAR(claim_pairs, 1, false)
CLAIM_NEAR(claim_fours, 2, false)

/* The common case: a word nearby. */
INLINE int64_t refill_near(struct buddy_hart *h, unsigned int cls, bool healing,
			   int64_t (*claim)(struct buddy_hart *h, uint64_t idx))
{
	const struct buddy_tree *t = h->tree;
	struct buddy_scan *s = &h->scan[cls];
	uint64_t idx = s->next;

	if (unlikely(idx >= s->limit || !BITS_OF(idx))) {
		idx = scan_on(s, t, idx);
		if (idx >= s->limit)
			return buddy_refill_slow(h, cls);
		s->next = idx;
	}
	if (unlikely(!scan_words(t, cls, healing, &idx, s->width))) {
		s->next = idx;
		return buddy_refill_slow(h, cls);
	}
	adapt_limit(s, idx, idx == s->next);
	s->next = idx + 1;
	s->width = WIDE_SCAN;
	return claim(h, idx);
}

/* A block of a small order, of which the stack is empty. */
int64_t buddy_alloc_refill(int64_t **at, unsigned int order)
{
	struct buddy_hart *h = (struct buddy_hart *)(uintptr_t)(at - (int)order);

	_Static_assert(offsetof(struct buddy_hart, top) == 0, "buddy_alloc() passes &top[order]");

	if (order > MAX_SCANNED_ORDER || h->frontier_pfn < h->ample_pfn ||
	    h->group_pfn < h->ample_pfn)
		return buddy_refill_slow(h, order);
	if (RADIX_SHIFT > 1 && order == 1)
		return refill_near(h, 1, false, claim_pairs);
	if (RADIX_SHIFT > 2 && order == 2)
		return refill_near(h, 2, false, claim_fours);
	return h->setting == BUDDY_HEALING ? refill_near(h, 0, true, claim_pages_healing)
					   : refill_near(h, 0, false, claim_pages);
}
