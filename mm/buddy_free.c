/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's frees. A block goes into its word at once, with one AMO, and with the checks that cost
 * next to nothing; all that is rare, and a carry, is behind the fast path.
 */
#include "buddy_fast.h"

/* The fast path frees what lies in @t from now on. */
static void open_window(struct buddy_hart *h, const struct buddy_tree *t)
{
	uint64_t start_pfn = (t->start_pfn + BUDDY_RADIX - 1) & ~(uint64_t)(BUDDY_RADIX - 1);
	uint64_t end_pfn = t->end_pfn & ~(uint64_t)(BUDDY_RADIX - 1);

	h->window_pfn = start_pfn;
	h->words = t->node0[0];
	atomic_set(&h->window_pages, start_pfn < end_pfn ? end_pfn - start_pfn : 0);
	/* One that came before this has closed the window in vain. */
	if (atomic_fetch_or(&h->request, 0))
		atomic_set(&h->window_pages, 0);
}

static int __attribute__((noinline)) double_free(struct buddy_hart *h)
{
	h->events.double_frees++;
	return -EMM_EDOUBLE;
}

/*
 * A free with everything checked before a bit is changed. A word that is 0 may be part of a larger
 * free block: then this is a double free (rule 9).
 */
static int free_checked(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn,
			unsigned int order)
{
	unsigned int level = order / RADIX_SHIFT;
	uint64_t idx = pfn >> WORD_SHIFT(level);
	uint64_t mask = run_mask(order % RADIX_SHIFT) << BITS_OF(pfn >> BIT_SHIFT(level));
	uint64_t *word = buddy_node(t, level, idx);
	uint64_t old = atomic_read(word);
	int ret;

	if (unlikely((old & mask) || (!old && buddy_ancestor_is_free(t, level, idx))))
		return double_free(h);
	seq_begin(h);
	old = atomic_fetch_or(word, mask);
	ret = buddy_put_finish(h, t, level, idx, mask, old);
	seq_end(h);
	if (ret)
		return double_free(h);
	if (level == 2)
		h->group_pfn = 0; /* to be looked for again */
	return 0;
}

/*
 * The same for a small block in the window, where it is the first in its word. The parent's word
 * tells whether that is part of a larger free block.
 */
static int free_first(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn,
		      unsigned int order)
{
	uint64_t idx = pfn >> RADIX_SHIFT;
	uint64_t *n1 = buddy_node(t, 1, idx >> RADIX_SHIFT);
	uint64_t *word = buddy_node(t, 0, idx);
	uint64_t parent = atomic_read(n1), mask = run_mask(order) << BITS_OF(pfn), old;
	int ret = 0;

	if (!parent || parent >> BITS_OF(idx) & 1)
		return free_checked(h, t, pfn, order);
	seq_begin(h);
	old = atomic_fetch_or(word, mask);
	if (unlikely(old))
		ret = buddy_put_finish(h, t, 0, idx, mask, old);
	else
		hint_set_word(t, n1, idx);
	seq_end(h);
	return unlikely(ret) ? double_free(h) : 0;
}

/* With another tree than the last, the first free of a hart, or by mistake. */
static int __attribute__((noinline))
free_elsewhere(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t = h->tree;

	if (order > BUDDY_MAX_ORDER || (pfn & ((1ULL << order) - 1)))
		return -EMM_EINVAL;
	if (!atomic_read32(&h->nr_orders))
		buddy_hart_open(h);
	if (!t || !tree_covers(t, pfn, 1ULL << order)) {
		t = buddy_find_tree(h->buddy, pfn, 1ULL << order);
		if (!t)
			return -EMM_ERANGE;
		buddy_hart_turn_to(h, t);
	}
	open_window(h, t);
	return free_checked(h, t, pfn, order);
}

/* In flight: another free relies on a hint whose summaries are not there yet. */
static int __attribute__((noinline))
hint_large(struct buddy_hart *h, const struct buddy_tree *t, uint64_t idx)
{
	seq_begin(h);
	buddy_hint_set(t, 1, RADIX_SHIFT - 1, idx);
	seq_end(h);
	return 0;
}

/*
 * A block of level 1: into its word, if that holds something and is not complete with it. Such a
 * word is hinted as one with the largest runs, as a rule, and then that is all.
 */
static int __attribute__((noinline))
free_large(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t = h->tree;
	uint64_t pages = atomic_read(&h->window_pages), offset = pfn - h->window_pfn;
	uint64_t idx = pfn >> WORD_SHIFT(1), last, *hint;

	if (unlikely(order >= 2 * RADIX_SHIFT || TOP < 2))
		return free_elsewhere(h, pfn, order);
	last = (1ULL << order) - 1;
	if (unlikely((pfn & last) || offset >= pages || offset + last >= pages))
		return free_elsewhere(h, pfn, order);
	if (unlikely(!atomic_or_partial(buddy_node(t, 1, idx), large_mask(pfn, order), WORD_FULL)))
		return free_checked(h, t, pfn, order);
	hint = node_hint(buddy_node(t, 2, idx >> RADIX_SHIFT), 1, RADIX_SHIFT - 1);
	if (h->large)
		h->large_before[++h->large_at % BUDDY_NR_LARGE] = h->large;
	/* Signed, as the ABI has it. */
	h->large = pfn | (uint64_t)(int)order;
	/* The load comes after the AMO: see hint_set_from(). */
	if (unlikely(!(atomic_read(hint) >> BITS_OF(idx) & 1)))
		return hint_large(h, t, idx);
	return 0;
}

/* What is not a small block in the window whose word holds something, and is not full with it. */
int __attribute__((noinline))
buddy_free_slow(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	uint64_t *word, v, mask;
	int ret;

	if (order >= RADIX_SHIFT)
		return free_large(h, pfn, order);
	if (unlikely(!in_window(h, pfn, 1ULL << order)))
		return free_elsewhere(h, pfn, order);
	word = buddy_node(h->tree, 0, pfn >> RADIX_SHIFT);
	v = atomic_read(word);
	mask = run_mask(order) << BITS_OF(pfn);
	if (!v)
		return free_first(h, h->tree, pfn, order);
	if (likely((v ^ mask) == WORD_FULL)) {
		seq_begin(h);
		if (likely(atomic_cmpxchg(word, v, 0))) {
			ret = buddy_carry(h, h->tree, pfn >> RADIX_SHIFT);
			seq_end(h);
			return unlikely(ret) ? double_free(h) : 0;
		}
		seq_end(h);
	}
	return free_checked(h, h->tree, pfn, order);
}

int buddy_free(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	if (likely(order == 0)) {
		if (buddy_free_page_fast(h, pfn))
			return 0;
	} else if (order < RADIX_SHIFT) {
		if (buddy_free_run_fast(h, pfn, order))
			return 0;
	}
	return buddy_free_slow(h, pfn, order);
}
