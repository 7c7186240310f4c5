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

/* Frees that are looked at, in all, however many refills there were. */
#define MAX_BUDGET 64

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

/*
 * The lowest word that is published as @kind, which is no longer so; -1: none. Below the node that
 * served last on it is enough to ask the summary; what lies below the span of that is looked at
 * when it has no more.
 */
static inline int64_t take_published(struct buddy_hart *h, const struct buddy_tree *t,
				     unsigned int kind)
{
	uint64_t near = h->near;
	int64_t idx;

	if (TOP > 1 && likely(near != UINT64_MAX)) {
		uint64_t *summary = node_hint(buddy_node(t, 2, near >> RADIX_SHIFT), 0, kind);
		uint64_t *hint = node_hint(buddy_node(t, 1, near), 0, kind);
		uint64_t v = atomic_read(hint);

		if (likely(v && !(atomic_read(summary) & ((1ULL << BITS_OF(near)) - 1)))) {
			uint64_t bit = lowest_bit(v);

			idx = (int64_t)(near << RADIX_SHIFT | bit_index(bit));
			if (v != bit)
				atomic_fetch_and(hint, ~bit);
			else
				buddy_hint_clear(t, 0, kind, (uint64_t)idx);
			return idx;
		}
	}
	idx = buddy_hint_lowest_of(t, kind);
	if (idx >= 0) {
		h->near = (uint64_t)idx >> RADIX_SHIFT;
		buddy_hint_clear(t, 0, kind, (uint64_t)idx);
	}
	return idx;
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

/* Does a wholly free word lie below the frame @pfn? */
static inline bool free_word_below(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn)
{
	if (pfn <= h->frontier_pfn)
		return false;
	h->frontier_pfn = lowest_free_word(t);
	return h->frontier_pfn < pfn;
}

/* The lowest wholly free word, as its first frame, or an error. */
static int64_t take_word(struct buddy_hart *h, const struct buddy_tree *t)
{
	uint64_t idx = h->frontier_pfn >> WORD_SHIFT(1);
	int64_t pfn;

	if (TOP > 1 && h->frontier_pfn - t->start_pfn < t->end_pfn - t->start_pfn) {
		uint64_t run = buddy_take_near(h, t, 1, idx, 0, false);

		if (likely(run)) {
			pfn = (int64_t)((idx << RADIX_SHIFT | ffs64(run)) << RADIX_SHIFT);
			h->frontier_pfn = (uint64_t)pfn;
			return pfn;
		}
	}
	pfn = buddy_take(h, t, 1, 0, false);
	if (pfn >= 0)
		h->frontier_pfn = (uint64_t)pfn;
	return pfn;
}

/*
 * Fills the stack of order @cls, which is empty. Failing published and wholly free words, from
 * any word that has such a block. Returns 0 or an error.
 */
int buddy_refill(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	struct sweep s = { h, cls };
	int64_t pfn;

	/* The next frees are looked at. */
	h->budget += h->buddy->budget;
	if (h->budget > MAX_BUDGET)
		h->budget = MAX_BUDGET;
	h->window_pages = 0;

	for (unsigned int turn = 0; cls < HINT_CLASSES && turn < PUBLISHED_TURNS; turn++) {
		int64_t idx = take_published(h, t, hint_of(cls));

		if (idx < 0)
			break;
		if (unlikely(free_word_below(h, t, (uint64_t)idx << RADIX_SHIFT))) {
			buddy_hint_set(t, 0, hint_of(cls), (uint64_t)idx);
			break;
		}
		if (likely(claim_word(h, t, cls, (uint64_t)idx, false)))
			return 0;
		h->events.stale_hints++;
	}
	pfn = take_word(h, t);
	if (unlikely(pfn < 0))
		return buddy_hint_walk(t, 0, 1U << HINT_ANY, sweep_word, &s) ? (int)pfn : 0;
	if (cls <= KEEP_MAX) {
		buddy_node_init(t, 0, (uint64_t)pfn >> RADIX_SHIFT, run_mask(cls) << (64-(1<<cls)));
		if (!buddy_hint_leaf(t, HINT_ANY, (uint64_t)pfn >> RADIX_SHIFT))
		buddy_hint_set(t, 0, HINT_ANY, (uint64_t)pfn >> RADIX_SHIFT);
	} else
		buddy_node_init(t, 0, (uint64_t)pfn >> RADIX_SHIFT, 0);
	fill_stack_whole(h, cls, (uint64_t)pfn);
	h->events.splits++;
	return 0;
}
