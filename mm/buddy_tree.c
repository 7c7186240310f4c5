/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's shared words: putting bits back (with the carry), taking blocks (with the split).
 * Callers are in flight (seq_begin) throughout, but for reads.
 */
#include "buddy_tree.h"

/*
 * Turns of a search that lose against stale hints or other harts before it gives up. On one hart
 * each turn removes a stale hint for good; the bound is there for harts that fight.
 */
#define TAKE_TURNS (1U << 16)

/*
 * Writes a node for the first time, or again after its parent's bit was taken: @word is what is
 * free in it. No hart can reach it by now but through a stale hint, which finds 0 or @word, both
 * true. Rule 3: before any block of it leaves the hart. The word by an AMO: the load of its hint
 * that follows must not come first, or a stale hint could be seen, and then be cleared by a hart
 * that has not seen the word.
 */
void buddy_node_init(const struct buddy_tree *t, unsigned int level, uint64_t idx, uint64_t word)
{
	uint64_t *n = buddy_node(t, level, idx), *end = n + NODE_WORDS(level);

	for (uint64_t *hint = n + 1; hint < end; hint++)
		atomic_set(hint, 0);
	atomic_xchg(n, word);
}

/* Is the word @idx of @level part of a larger free block? */
bool buddy_ancestor_is_free(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	for (unsigned int up = level + 1; up < BUDDY_LEVELS; up++) {
		uint64_t word = atomic_read(buddy_node(t, up, idx >> RADIX_SHIFT));

		if (word >> BITS_OF(idx) & 1)
			return true;
		/* A word that holds something is not itself part of a larger block. */
		if (word)
			return false;
		idx >>= RADIX_SHIFT;
	}
	return false;
}

/*
 * Rule 4: the one way by which bits return. Sets @mask in the word; a full word is emptied and
 * its parent's bit put in the same way. Returns -EMM_EDOUBLE if some bit was set already.
 */
int buddy_put(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level, uint64_t idx,
	      uint64_t mask)
{
	uint64_t old = atomic_fetch_or(buddy_node(t, level, idx), mask);

	return buddy_put_finish(h, t, level, idx, mask, old);
}

/*
 * Is a run of class @cls, or a larger one, in the word @idx of @level hinted already? The loads
 * come after the AMO that put the word's bits (.aq): whoever clears a hint that is still seen will
 * look at the word later and find them.
 */
static bool run_is_hinted(const struct buddy_tree *t, unsigned int level, uint64_t idx,
			  unsigned int cls)
{
	const uint64_t *hint = node_hint(buddy_node(t, level + 1, idx >> RADIX_SHIFT), level, 0);

	/* The last first: words begin with it, and keep it as long as nobody searched in vain. */
	for (unsigned int kind = RADIX_SHIFT; kind-- > cls;)
		if (atomic_read(&hint[kind]) >> BITS_OF(idx) & 1)
			return true;
	return false;
}

/* Out of line: most carries are those of a free, and its own. */
static int __attribute__((noinline))
carry_rarely(struct buddy_hart *h, const struct buddy_tree *t, uint64_t idx)
{
	return buddy_carry(h, t, idx);
}

static void note_free_group(struct buddy_hart *h, const struct buddy_tree *t, uint64_t idx)
{
	uint64_t pfn = idx << WORD_SHIFT(1);

	if (t != h->tree || pfn >= h->group_pfn || pfn >= h->span_end ||
	    pfn + (1ULL << WORD_SHIFT(1)) <= h->span_pfn)
		return;
	/* Where several spans share it, its part of this one. */
	h->group_pfn = pfn > h->span_pfn ? pfn : h->span_pfn;
}

/* What follows the AMO of a put, which found @old. */
int buddy_put_finish(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level,
		     uint64_t idx, uint64_t mask, uint64_t old)
{
	for (;;) {
		if (unlikely(old & mask))
			return -EMM_EDOUBLE;
		if (level == TOP)
			return 0;
		if ((old | mask) != WORD_FULL) {
			if (level) {
				if (!run_is_hinted(t, level, idx, RADIX_SHIFT - 1)) {
					unsigned int cls = largest_class(old | mask);

					if (!run_is_hinted(t, level, idx, cls))
						buddy_hint_set(t, level, cls, idx);
				}
			} else if (!old) {
				/* One that holds something already is known to. */
				buddy_hint_set(t, 0, HINT_ANY, idx);
			}
			return 0;
		}
		if (unlikely(!atomic_cmpxchg(buddy_node(t, level, idx), WORD_FULL, 0))) {
			/* Who changed it since owns what is gone, and knew less of the rest. */
			buddy_hint_set(t, level, NR_KINDS(level) - 1, idx);
			return 0;
		}
		/* The word is ours as a whole: nobody can put into it, and its hints are stale. */
		if (!level)
			return carry_rarely(h, t, idx);
		buddy_hint_clear_all(t, level, 0, idx);
		h->events.carries++;
		if (level == 1)
			note_free_group(h, t, idx);
		if (level == 1 && h->sibling)
			note_free_group(h->sibling, t, idx);
		mask = 1ULL << BITS_OF(idx);
		idx >>= RADIX_SHIFT;
		level++;
		old = atomic_fetch_or(buddy_node(t, level, idx), mask);
	}
}

/*
 * Takes the wholly free level 1 word @idx of the hart's tree from its parent; what is left of it for
 * all is @word. False if another hart was faster.
 */
bool buddy_open_group(struct buddy_hart *h, uint64_t idx, uint64_t word)
{
	const struct buddy_tree *t = h->tree;
	uint64_t bit = 1ULL << BITS_OF(idx);

	if (TOP < 2 || !(atomic_fetch_and(buddy_node(t, 2, idx >> RADIX_SHIFT), ~bit) & bit))
		return false;
	buddy_node_init(t, 1, idx, word);
	buddy_hint_set(t, 1, RADIX_SHIFT - 1, idx);
	h->events.splits++;
	return true;
}

/* A run of class @cls in @word, lowest or highest, as a mask; 0 if there is none. */
static inline uint64_t pick_run(uint64_t word, unsigned int cls, bool from_top)
{
	uint64_t starts = run_starts(word, cls);

	if (!starts)
		return 0;
	return run_mask(cls) << (from_top ? fls64(starts) : ffs64(starts));
}

/*
 * Claims a run of class @cls from the word @idx, which a hint of class @found named, and puts the
 * hint right. Returns the run as a mask; 0 if there was none or another hart was faster.
 */
static uint64_t claim_run(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level,
			  uint64_t idx, unsigned int cls, unsigned int found, bool from_top)
{
	uint64_t *word = buddy_node(t, level, idx);
	uint64_t run = pick_run(atomic_read(word), cls, from_top);
	uint64_t rest;

	if (run) {
		uint64_t got = atomic_fetch_and(word, ~run);

		rest = got & ~run;
		got &= run;
		if (got != run) {
			if (got)
				buddy_put(h, t, level, idx, got);
			run = 0;
		} else if (rest && run_starts(rest, found)) {
			return run; /* the hint is still true */
		}
	}
	/* Rule 5: clear the hint, then look at the word; say what is there. */
	buddy_hint_clear(t, level, found, idx);
	rest = atomic_read(word);
	if (rest)
		buddy_hint_set(t, level, rest == WORD_FULL ? RADIX_SHIFT - 1 : largest_class(rest),
			       idx);
	if (!run)
		h->events.stale_hints++;
	return run;
}

/* The hints of a word of @level say more than it holds, or may: clears them and looks again (rule 5). */
void buddy_hint_correct(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	uint64_t rest;

	buddy_hint_clear_all(t, level, 0, idx);
	rest = atomic_read(buddy_node(t, level, idx));
	if (rest)
		buddy_hint_set(t, level,
			       !level              ? HINT_ANY
			       : rest == WORD_FULL ? RADIX_SHIFT - 1
						   : largest_class(rest),
			       idx);
}

/* A block (one bit) of the top level, which is scanned: it is always valid and never carries. */
static inline __attribute__((always_inline)) int64_t scan_top(const struct buddy_tree *t,
							      bool from_top)
{
	uint64_t first = t->start_pfn >> WORD_SHIFT(TOP);
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(TOP);

	for (uint64_t i = first; i <= last; i++) {
		uint64_t idx = from_top ? first + last - i : i;
		uint64_t *word = buddy_node(t, TOP, idx);
		uint64_t v;

		while ((v = atomic_read(word))) {
			unsigned int bit = from_top ? fls64(v) : ffs64(v);

			if (atomic_fetch_and(word, ~(1ULL << bit)) >> bit & 1)
				return (int64_t)(((idx << RADIX_SHIFT) | bit) << BIT_SHIFT(TOP));
		}
	}
	return -EMM_ENOMEM;
}

static int64_t __attribute__((noinline)) take_top(const struct buddy_tree *t, bool from_top)
{
	return from_top ? scan_top(t, true) : scan_top(t, false);
}

/* A run that hints lead to: the best fitting class first. */
static int64_t __attribute__((noinline))
take_hinted(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level, unsigned int cls,
	    bool from_top)
{
	for (unsigned int turn = 0; turn < TAKE_TURNS; turn++) {
		unsigned int found = cls;
		int64_t idx = buddy_hint_find(t, level, &found, from_top);
		uint64_t run;

		if (idx < 0)
			return -EMM_ENOMEM;
		run = claim_run(h, t, level, (uint64_t)idx, cls, found, from_top);
		if (run)
			return (int64_t)((((uint64_t)idx << RADIX_SHIFT) | ffs64(run))
					 << BIT_SHIFT(level));
	}
	return -EMM_EAGAIN;
}

/*
 * Takes a block of 2^@cls children of @level. Returns its first frame; -EMM_ENOMEM or -EMM_EAGAIN
 * if there is none in this tree. A block that has to be split comes from the level above.
 */
int64_t buddy_take(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level,
		   unsigned int cls, bool from_top)
{
	unsigned int up = level;
	int64_t pfn;

	/* Up to the first level that has something: a run there, or a whole word above it. */
	for (;;) {
		unsigned int want = up == level ? cls : 0;

		if (up == TOP)
			pfn = take_top(t, from_top);
		else if (!buddy_hint_any(t, up, want))
			pfn = -EMM_ENOMEM;
		else
			pfn = take_hinted(h, t, up, want, from_top);
		if (pfn >= 0)
			break;
		if (pfn != -EMM_ENOMEM || up == TOP)
			return pfn;
		up++;
	}
	/* Down again: each word on the way loses one run and keeps the rest. */
	while (up-- > level) {
		uint64_t idx = (uint64_t)pfn >> WORD_SHIFT(up);
		unsigned int take = up == level ? cls : 0;
		uint64_t run = run_mask(take) << (from_top ? BUDDY_RADIX - (1U << take) : 0);

		buddy_node_init(t, up, idx, WORD_FULL & ~run);
		buddy_hint_set(t, up, RADIX_SHIFT - 1, idx);
		h->events.splits++;
		if (up == 2 && t == h->tree)
			h->group_pfn = 0;
		pfn = (int64_t)(((idx << RADIX_SHIFT) | ffs64(run)) << BIT_SHIFT(up));
	}
	return pfn;
}
