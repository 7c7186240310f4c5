/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a hart's stacks get their blocks from: the lower in address of a word that was published,
 * because pages had gathered in it, and of one that is wholly free. What is in use gathers at the
 * bottom, and the top heals.
 */
#include "buddy_tree.h"
#define KEEP_MAX 2

/* Published words that a refill looks at, in vain, before it takes a wholly free one. */
#define PUBLISHED_TURNS 4

/* Words that a refill looks at, to publish those that have gathered enough: a power of two. */
#ifndef SCAN_WORDS
#define SCAN_WORDS 4
#endif
#ifndef IS_WORTH
#define IS_WORTH(x) ((x)&((x)>>1)&((x)>>2))
#endif
/* Is the word worth a refill of class @cls? */
static inline bool is_worth(uint64_t word, unsigned int cls)
{
	if (cls == 0)
		return IS_WORTH(word);
	word = run_starts(word, cls);
	word &= word - 1;
	return cls < 3 ? word & (word - 1) : word;
}

/* Runs of class @cls that begin at the bits of @starts become the stack, which is empty. */
static inline void fill_stack(struct buddy_hart *h, unsigned int cls, uint64_t starts,
			      uint64_t base_pfn)
{
	int64_t *top = stack_bottom(h, cls);

	do {
		uint64_t bit = lowest_bit(starts);

		*++top = (int64_t)(base_pfn + bit_index(bit));
		starts ^= bit;
	} while (starts);
	h->top[cls] = top;
}

/* The same with a wholly free word, the lowest frame last: it goes first. */
static inline void fill_stack_whole(struct buddy_hart *h, unsigned int cls, uint64_t base_pfn)
{
	int64_t *top = stack_bottom(h, cls);
	int64_t pfn = (int64_t)base_pfn + BUDDY_RADIX;
	int64_t size = 1LL << cls;

	if (cls <= KEEP_MAX) pfn -= size;
	if (cls == 0 && BUDDY_RADIX % 8 == 0) {
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
 * Claims the runs of class @cls in a level 0 word; HINT_ANY stays: nobody clears that without
 * another look at the word. False if there is no such run.
 */
static inline bool claim_word(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			      uint64_t idx, bool all)
{
	uint64_t *word = buddy_node(t, 0, idx);
	uint64_t starts, bits, got;

	if (cls == 0) {
		uint64_t keep = all ? 0 : lowest_bit(atomic_read(word));

		starts = atomic_fetch_and(word, keep) & ~keep;
	} else {
		uint64_t v = atomic_read(word);
		starts = run_starts(v, cls);
		bits = run_bits(starts, cls);
		if (v == bits && !all) {
			starts &= starts - 1;
			bits = run_bits(starts, cls);
		}
		got = starts ? atomic_fetch_and(word, ~bits) & bits : 0;
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
	for (unsigned int turn = 0; TOP > 1 && turn < PUBLISHED_TURNS; turn++) {
		int64_t idx = buddy_hint_lowest(t, 1, 0);
		const uint64_t *word;
		uint64_t v;

		if (idx < 0)
			break;
		word = buddy_node(t, 1, (uint64_t)idx);
		v = atomic_read(word);
		if (v)
			return ((uint64_t)idx << RADIX_SHIFT | ffs64(v)) << BIT_SHIFT(1);
		/* Rule 5: clear, look again. */
		buddy_hint_clear_all(t, 1, 0, (uint64_t)idx);
		v = atomic_read(word);
		if (v)
			buddy_hint_set(t, 1, RADIX_SHIFT - 1, (uint64_t)idx);
	}
	return UINT64_MAX;
}

/*
 * Does a wholly free word lie below the frame @pfn? The level 1 word that the frontier is in knows
 * first; it has been valid, so it is defined.
 */
static bool free_word_below(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn)
{
	uint64_t v;

	if (pfn <= h->frontier_pfn)
		return false;
	v = atomic_read(buddy_node(t, 1, h->frontier_pfn >> WORD_SHIFT(1)));
	if (TOP > 1 && v)
		h->frontier_pfn = ((h->frontier_pfn >> WORD_SHIFT(1)) << WORD_SHIFT(1)) + ((uint64_t)ffs64(v) << RADIX_SHIFT);
	else
		h->frontier_pfn = lowest_free_word(t);
	return h->frontier_pfn < pfn;
}

/* The lowest wholly free word, as its first frame, or an error. */
static inline int64_t take_word(struct buddy_hart *h, const struct buddy_tree *t)
{
	uint64_t idx = h->frontier_pfn >> WORD_SHIFT(1);
	int64_t pfn;

	if (TOP > 1 && likely(h->frontier_pfn != UINT64_MAX)) {
		uint64_t *word = buddy_node(t, 1, idx);
		uint64_t bit = lowest_bit(atomic_read(word));

		if (likely(bit && (atomic_fetch_and(word, ~bit) & bit))) {
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

/* A wholly free word becomes the stack, but for the last run, which holds the word's place. */
static inline void fill_from_whole(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
			    uint64_t pfn)
{
	uint64_t idx = pfn >> RADIX_SHIFT;

	if (cls <= KEEP_MAX) {
		buddy_node_init(t, 0, idx, run_mask(cls) << (BUDDY_RADIX - (1U << cls)));
		hint_set_word(t, buddy_node(t, 1, idx >> RADIX_SHIFT), HINT_ANY, idx);
	} else {
		buddy_node_init(t, 0, idx, 0);
	}
	fill_stack_whole(h, cls, pfn);
	h->events.splits++;
}

#ifndef SHRINK_SHIFT
#define SHRINK_SHIFT 6
#endif
#ifndef STREAK
#define STREAK 6
#endif
#ifndef SHRINK_MASK
#define SHRINK_MASK 3
#endif

#ifndef EXT_TURNS
#define EXT_TURNS 4
#define EXT_WORDS 0
#endif
#ifndef GROW_SHIFT
#define GROW_SHIFT 6
#endif
/* The next group of words that may be looked at: on a new node, or at the lowest one again. */
static uint64_t __attribute__((noinline)) scan_wrap(struct buddy_scan *s, const struct buddy_tree *t, uint64_t idx)
{
	int64_t n = -1;

	if (idx < s->limit && idx != UINT64_MAX) {
		n = buddy_hint_next(t, HINT_ANY, idx - 1);
		if (n >= 0 && (uint64_t)n >= s->limit) n = -1;
	}
	if (n < 0)
		n = buddy_hint_lowest_of(t, HINT_ANY);
	if (n < 0)
		return UINT64_MAX;
	return (uint64_t)n;
}

static inline uint64_t next_group(uint64_t idx)
{
	uint64_t end = (idx | (BUDDY_RADIX - 1)) + 1;

	return idx + SCAN_WORDS < end ? idx + SCAN_WORDS : end;
}

/* Of a group of words, those that have been valid: the first that is worth a refill; or none. */
static inline unsigned int scan_group(const struct buddy_tree *t, unsigned int cls, uint64_t idx)
{
	const uint64_t *words = buddy_node(t, 0, idx);
	uint64_t any = atomic_read(node_hint(buddy_node(t, 1, idx >> RADIX_SHIFT), 0, HINT_ANY)) >> BITS_OF(idx);

	for (unsigned int i = 0; i < SCAN_WORDS; i++)
		if ((any >> i & 1) && is_worth(atomic_read(&words[i]), cls))
			return i;
	return SCAN_WORDS;
}

/*
 * Fills the stack of order @cls, which is empty. Failing published and wholly free words, from
 * any word that has such a block. Returns 0 or an error.
 */
int64_t buddy_refill(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	struct sweep sw = { h, cls };
	struct buddy_scan *s = &h->scan[cls];
	int64_t pfn;

	uint64_t first = t->start_pfn >> RADIX_SHIFT, end = (t->end_pfn - 1) >> RADIX_SHIFT;

	if (s->limit < first) s->limit = first;
	for (unsigned int turn = 0; turn < EXT_TURNS && s->limit < end; turn++) {
		/* Beyond the limit: what is in use there, or wholly free, whichever is lower. */
		uint64_t idx = s->limit;
		int64_t n;

		if (free_word_below(h, t, idx << RADIX_SHIFT))
			break;
		n = idx > first ? buddy_hint_next(t, HINT_ANY, idx - 1) : buddy_hint_lowest_of(t, HINT_ANY);
		if (n < (int64_t)idx || (uint64_t)n << RADIX_SHIFT > h->frontier_pfn)
			break;
		idx = (uint64_t)n;
		s->limit = idx + 1 + EXT_WORDS;
		unsigned int i = scan_group(t, cls, idx);
		if (i < SCAN_WORDS) {
			if (s->limit <= idx + i) s->limit = idx + i + 1;
			if (claim_word(h, t, cls, idx + i, false))
				return 0;
		} else
		s->limit = next_group(idx);
	}
	pfn = take_word(h, t);
	if (unlikely(pfn < 0))
		return buddy_hint_walk(t, 0, 1U << HINT_ANY, sweep_word, &sw) ? pfn : 0;
	fill_from_whole(h, t, cls, (uint64_t)pfn);
	return 0;
}

static int64_t __attribute__((noinline)) refill_slow(struct buddy_hart *h, unsigned int cls)
{
	struct buddy_scan *s = &h->scan[cls];
	const struct buddy_tree *t = h->tree;
	int64_t ret = 0;
	uint64_t idx;

	seq_begin(h);
	/* the group at the limit, or around a corner */
	idx = s->next;
	for (unsigned int turn = 0; turn < 2; turn++) {
		if (idx == UINT64_MAX || idx >= s->limit || !BITS_OF(idx))
			idx = scan_wrap(s, t, idx);
		if (idx == UINT64_MAX || idx >= s->limit)
			break;
		unsigned int i = scan_group(t, cls, idx);
		if (i < SCAN_WORDS && claim_word(h, t, cls, idx + i, false)) {
			s->next = idx + i + 1;
			goto out;
		}
		idx = next_group(idx);
	}
	s->next = idx;
	ret = buddy_refill(h, t, cls);
out:
	seq_end(h);
	return ret < 0 ? ret : *h->top[cls]--;
}

/*
 * The common case: a word nearby, without a call.
 */
int64_t buddy_refill_near(struct buddy_hart *h, unsigned int cls)
{
	const struct buddy_tree *t = h->tree;
	struct buddy_scan *s = &h->scan[cls];
	uint64_t idx = s->next;

	for (unsigned int turn = 0; turn < 2; turn++) {
		unsigned int i;

		if (unlikely(idx >= s->limit || !BITS_OF(idx)))
			break;
		i = scan_group(t, cls, idx);
		if (i < SCAN_WORDS) {
			idx += i;
			s->next = idx + 1;
			if (turn || i) {
				s->streak = 0;
			} else {
				s->streak++;
				if (unlikely(s->streak >= STREAK))
					s->limit -= (s->limit - (t->start_pfn >> RADIX_SHIFT)) >> SHRINK_SHIFT;
				if (!(idx & SHRINK_MASK) && s->limit > (t->start_pfn >> RADIX_SHIFT))
					s->limit--;
			}
			seq_begin(h);
			if (unlikely(!claim_word(h, t, cls, idx, false))) {
				seq_end(h);
				break;
			}
			seq_end(h);
			return *h->top[cls]--;
		}
		idx = next_group(idx);
		if (!BITS_OF(idx))
			break;
	}
	s->next = idx;
	return refill_slow(h, cls);
}
