/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's operations: the fast paths, blocks of large orders, frees with all their checks, and
 * the search through all trees before memory is said to be out.
 */
#include "buddy_tree.h"

/* Searches that may find memory in flight before buddy_alloc() answers -EMM_EAGAIN. */
#define SETTLE_TURNS 64

/* A block from one tree: onto the stack of a small order, or as the frame returned. */
static int64_t search_tree(struct buddy_hart *h, const struct buddy_tree *t, unsigned int order)
{
	int64_t pfn;

	if (order < RADIX_SHIFT)
		return buddy_refill(h, t, order);
	pfn = buddy_take(h, t, order / RADIX_SHIFT, order % RADIX_SHIFT, true);
	if (pfn >= 0 && order / RADIX_SHIFT == 1)
		h->large_idx = (uint64_t)pfn >> WORD_SHIFT(1);
	return pfn;
}

/* All trees, from the one that served last on and round: those below it are likely used up. */
static int64_t search_trees(struct buddy_hart *h, unsigned int order)
{
	const struct buddy *b = h->buddy;
	const struct buddy_tree *t = h->tree ? h->tree : b->trees;
	int64_t ret = -EMM_ENOMEM;

	for (uint32_t i = 0; i < b->nr_trees; i++, t++) {
		int64_t pfn;

		if (t == b->trees + b->nr_trees)
			t = b->trees;
		pfn = search_tree(h, t, order);
		if (pfn >= 0) {
			if (t != h->tree)
				buddy_hart_forget(h);
			h->tree = t;
			return pfn;
		}
		if (pfn == -EMM_EAGAIN)
			ret = pfn;
	}
	return ret;
}

/*
 * Rule 6: the other harts' numbers added up, if none of them is in flight; else false. The same
 * sum before and after a search says that nothing was on its way meanwhile.
 */
static bool harts_settled(const struct buddy_hart *self, uint64_t *sum)
{
	const struct buddy *b = self->buddy;

	*sum = 0;
	for (uint32_t i = 0; i < b->nr_harts; i++) {
		uint64_t seq;

		if (&b->harts[i] == self)
			continue;
		seq = atomic_read_acquire(&b->harts[i].seq);
		if (seq & 1)
			return false;
		*sum += seq;
	}
	return true;
}

/* The next block of a small order, of which the stack is not empty. */
static inline int64_t stack_pop(struct buddy_hart *h, unsigned int order)
{
	return *h->top[order]--;
}

/* The tree that served last has nothing: all trees, with the stacks drained, until it is settled. */
static int64_t __attribute__((noinline)) alloc_anywhere(struct buddy_hart *h, unsigned int order)
{
	int64_t ret;

	for (unsigned int turn = 0; turn < SETTLE_TURNS; turn++) {
		uint64_t before, after;
		bool settled = harts_settled(h, &before);

		seq_begin(h);
		ret = search_trees(h, order);
		seq_end(h);
		if (ret >= 0)
			return ret;
		if (buddy_nr_held(h)) {
			buddy_drain(h);
			continue;
		}
		atomic_fence_acquire();
		if (ret == -EMM_ENOMEM && settled && harts_settled(h, &after) && before == after)
			return ret;
	}
	return -EMM_EAGAIN;
}

/* The first operation of a hart, and what its tree cannot give. */
int64_t buddy_alloc_rest(struct buddy_hart *h, unsigned int order)
{
	int64_t ret;

	if (order > BUDDY_MAX_ORDER)
		return -EMM_EINVAL;
	if (unlikely(!h->nr_orders)) {
		buddy_hart_open(h);
		if (order < RADIX_SHIFT && *h->top[order] >= 0)
			return stack_pop(h, order);
	}
	if (likely(h->tree)) {
		seq_begin(h);
		ret = search_tree(h, h->tree, order);
		seq_end(h);
		if (ret >= 0)
			goto out;
	}
	ret = alloc_anywhere(h, order);
	if (ret < 0) {
		h->events.failures += ret == -EMM_ENOMEM;
		return ret;
	}
out:
	return order < RADIX_SHIFT ? stack_pop(h, order) : ret;
}

/* A block of level 1 from the word that gave or got the last one. -1: none. */
static inline int64_t take_from_last(struct buddy_hart *h, unsigned int cls)
{
	uint64_t idx = h->large_idx;
	uint64_t *word = buddy_node(h->tree, 1, idx);
	uint64_t v = atomic_read(word);
	uint64_t starts = run_starts(v, cls), low = lowest_bit(starts);
	uint64_t run = (low << (1U << cls)) - low;

	if (!starts || !atomic_cmpxchg(word, v, v & ~run))
		return -1;
	if (v == run)
		buddy_word_emptied(h->tree, 1, idx);
	return (int64_t)((idx << RADIX_SHIFT | bit_index(low)) << RADIX_SHIFT);
}

/*
 * Orders of level 1: the block that was freed last, if it is of this order and still there, or
 * one from the same word; else by a search. A hint may say more than there is: it stays.
 */
static int64_t __attribute__((noinline)) alloc_large(struct buddy_hart *h, unsigned int order)
{
	uint64_t pfn = h->large_pfn, mask, v, *word;
	int64_t ret;

	if (likely(order == h->large_order)) {
		word = buddy_node(h->tree, 1, pfn >> WORD_SHIFT(1));
		mask = run_mask(order - RADIX_SHIFT) << BITS_OF(pfn >> BIT_SHIFT(1));
		v = atomic_read(word);
		h->large_order = 0;
		if (likely((v & mask) == mask && atomic_cmpxchg(word, v, v & ~mask)))
			return (int64_t)pfn;
	}
	for (unsigned int turn = 0; turn < 2 && order < 2 * RADIX_SHIFT && h->nr_orders; turn++) {
		uint64_t idx = h->large_idx;

		if (idx == UINT64_MAX)
			break;
		ret = take_from_last(h, order - RADIX_SHIFT);
		if (ret >= 0)
			return ret;
		h->large_idx = h->large_idx2;
		h->large_idx2 = idx;
	}
	return buddy_alloc_rest(h, order);
}

int64_t buddy_alloc(struct buddy_hart *h, unsigned int order)
{
	if (likely(order < h->nr_orders)) {
		int64_t *top = h->top[(int)order];
		int64_t pfn = *top;

		if (likely(pfn >= 0)) {
			h->top[(int)order] = top - 1;
			return pfn;
		}
		return buddy_refill_near(h, order);
	}
	if (order < RADIX_SHIFT)
		return buddy_alloc_rest(h, order);
	return alloc_large(h, order);
}

const struct buddy_tree *buddy_find_tree(const struct buddy *b, uint64_t pfn, uint64_t nr_pages)
{
	uint32_t lo = 0, hi = b->nr_trees;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (b->trees[mid].end_pfn <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == b->nr_trees || !tree_covers(&b->trees[lo], pfn, nr_pages))
		return NULL;
	return &b->trees[lo];
}

/* The fast path frees what lies in @t from now on. */
static inline void open_window(struct buddy_hart *h, const struct buddy_tree *t)
{
	uint64_t start_pfn = (t->start_pfn + BUDDY_RADIX - 1) & ~(uint64_t)(BUDDY_RADIX - 1);
	uint64_t end_pfn = t->end_pfn & ~(uint64_t)(BUDDY_RADIX - 1);

	h->window_pfn = start_pfn;
	h->words = t->node0[0];
	h->window_pages = start_pfn < end_pfn ? end_pfn - start_pfn : 0;
}

/* Is the small block one that the fast path can free? The window has whole words only. */
static inline bool in_window(const struct buddy_hart *h, uint64_t pfn, uint64_t size)
{
	return !(pfn & (size - 1)) && pfn - h->window_pfn < h->window_pages;
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
	if (level == 1)
		h->large_idx = idx;
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

	if (atomic_read(word) || !parent || parent >> BITS_OF(idx) & 1)
		return free_checked(h, t, pfn, order);
	seq_begin(h);
	old = atomic_fetch_or(word, mask);
	if (unlikely(old))
		ret = buddy_put_finish(h, t, 0, idx, mask, old);
	else
		hint_set_word(t, n1, HINT_ANY, idx);
	seq_end(h);
	return ret;
}

/* With another tree than the last, the first free of a hart, or by mistake. */
static int __attribute__((noinline))
free_elsewhere(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t = h->tree;

	if (order > BUDDY_MAX_ORDER || (pfn & ((1ULL << order) - 1)))
		return -EMM_EINVAL;
	if (!h->nr_orders)
		buddy_hart_open(h);
	if (!t || !tree_covers(t, pfn, 1ULL << order)) {
		t = buddy_find_tree(h->buddy, pfn, 1ULL << order);
		if (!t)
			return -EMM_ERANGE;
		h->tree = t;
		buddy_hart_forget(h);
	}
	open_window(h, t);
	return free_checked(h, t, pfn, order);
}

/*
 * A block of level 1: into its word, if that holds something and is not complete with it. Such a
 * word is hinted as one with the largest runs, as a rule, and then that is all.
 */
static int free_large(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t = h->tree;
	uint64_t idx = pfn >> WORD_SHIFT(1);
	uint64_t *hint;

	if (unlikely(order >= 2 * RADIX_SHIFT || TOP < 2 || !in_window(h, pfn, 1ULL << order) ||
		     pfn + (1ULL << order) - h->window_pfn > h->window_pages))
		return free_elsewhere(h, pfn, order);
	if (unlikely(!atomic_or_partial(buddy_node(t, 1, idx),
					run_mask(order - RADIX_SHIFT) << BITS_OF(pfn >> BIT_SHIFT(1)),
					WORD_FULL)))
		return free_checked(h, t, pfn, order);
	hint = node_hint(buddy_node(t, 2, idx >> RADIX_SHIFT), 1, RADIX_SHIFT - 1);
	if (idx != h->large_idx) {
		h->large_idx2 = h->large_idx;
		h->large_idx = idx;
	}
	h->large_pfn = pfn;
	h->large_order = order;
	/* The load comes after the AMO: see hint_set_from(). */
	if (unlikely(!(atomic_read(hint) >> BITS_OF(idx) & 1)))
		buddy_hint_set(t, 1, RADIX_SHIFT - 1, idx);
	return 0;
}

static int __attribute__((noinline)) free_slow(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	if (order >= RADIX_SHIFT)
		return free_large(h, pfn, order);
	if (unlikely(!in_window(h, pfn, 1ULL << order)))
		return free_elsewhere(h, pfn, order);
	return free_first(h, h->tree, pfn, order);
}

int buddy_free(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	if (likely(order == 0)) {
		uint64_t *word = (uint64_t *)(h->words + (pfn >> RADIX_SHIFT) * sizeof(uint64_t));

		if (likely(pfn - h->window_pfn < h->window_pages) &&
		    likely(atomic_or_partial1(word, 1ULL << BITS_OF(pfn))))
			return 0;
	} else if (order < RADIX_SHIFT) {
		uint64_t *word = (uint64_t *)(h->words + (pfn >> RADIX_SHIFT) * sizeof(uint64_t));
		uint64_t size = 1ULL << order;

		if (in_window(h, pfn, size) &&
		    atomic_or_partial(word, ((1ULL << size) - 1) << BITS_OF(pfn), WORD_FULL))
			return 0;
	}
	return free_slow(h, pfn, order);
}
