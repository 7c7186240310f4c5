/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's allocations: the fast path, and the search through all trees before memory is said
 * to be out.
 */
#include "buddy_tree.h"

/* Searches that may find memory in flight before buddy_alloc() answers -EMM_EAGAIN. */
#ifndef SETTLE_TURNS
#define SETTLE_TURNS 64
#endif

/* Looks at the harts that were asked for a drain, before it is given up. */
#ifndef DRAIN_TURNS
#define DRAIN_TURNS 4096
#endif

/* A block from one tree: onto the stack of a small order, or as the frame returned. */
static int64_t search_tree(struct buddy_hart *h, const struct buddy_tree *t, unsigned int order)
{
	int64_t pfn;

	if (order < RADIX_SHIFT)
		return buddy_refill(h, order);
	if (TOP > 1 && unlikely(h->is_shared)) {
		pfn = buddy_take_large_in_span(h, order);
		if (pfn >= 0)
			return pfn;
	}
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
		if (t != h->tree)
			buddy_hart_turn_to(h, t);
		pfn = search_tree(h, t, order);
		if (pfn >= 0)
			return pfn;
		if (pfn == -EMM_EAGAIN)
			ret = pfn;
	}
	return ret;
}

/*
 * Rule 6: the other harts' numbers added up, if none of them is in flight; else false. The same
 * sum before and after a search says that nothing was on its way meanwhile.
 */
bool buddy_harts_settled(const struct buddy_hart *self, uint64_t *sum)
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

/*
 * Rule 7: asks the others for what they hold and waits, not for ever; answers who asks meanwhile.
 * False if one of them has not answered. *@asked: it is worth another search.
 */
bool buddy_drain_others(struct buddy_hart *h, bool *asked)
{
	const struct buddy *b = h->buddy;
	uint32_t i = 0;

	*asked = buddy_request_drain(h) != 0;
	for (unsigned int turn = 0; turn < DRAIN_TURNS && *asked && i < b->nr_harts; turn++) {
		if (atomic_read_acquire(&h->request))
			buddy_hart_open(h);
		if (&b->harts[i] == h || &b->harts[i] == h->sibling ||
		    !atomic_read_acquire(&b->harts[i].request))
			i++;
	}
	return !*asked || i == b->nr_harts;
}

/*
 * The tree that served last has nothing: all trees, until nothing is in flight and no hart holds
 * anything. A hart that does not answer is waited for twice.
 */
static int64_t __attribute__((noinline)) alloc_anywhere(struct buddy_hart *h, unsigned int order)
{
	unsigned int unanswered = 0;
	int64_t ret;

	for (unsigned int turn = 0; turn < SETTLE_TURNS && unanswered < 2; turn++) {
		uint64_t before, after;
		bool settled = buddy_harts_settled(h, &before), asked;

		seq_begin(h);
		ret = search_trees(h, order);
		/* Refills that came to nothing have said otherwise. */
		if (ret < 0 && !buddy_nr_held(h))
			atomic_set_release(&h->holds, 0);
		seq_end(h);
		if (ret >= 0)
			return ret;
		if (buddy_drain_own(h))
			continue;
		if (!buddy_drain_others(h, &asked))
			unanswered++;
		/* The search and what others hold come before the second look at the numbers. */
		atomic_fence_acquire();
		if (ret == -EMM_ENOMEM && settled && !asked && buddy_harts_settled(h, &after) &&
		    before == after)
			return ret;
	}
	return -EMM_EAGAIN;
}

/* The first operation of a hart, a drain that was asked for, and what is not found nearby. */
int64_t __attribute__((noinline)) buddy_alloc_rest(struct buddy_hart *h, unsigned int order)
{
	int64_t ret = -EMM_ENOMEM;

	if (order > BUDDY_MAX_ORDER)
		return -EMM_EINVAL;
	if (unlikely(!atomic_read32(&h->nr_orders)))
		buddy_hart_open(h);
	if (order < RADIX_SHIFT && *h->top[order] >= 0)
		return stack_pop(h, order);
	if (likely(h->tree)) {
		seq_begin(h);
		ret = search_tree(h, h->tree, order);
		seq_end(h);
	}
	if (unlikely(ret < 0)) {
		ret = alloc_anywhere(h, order);
		if (ret < 0) {
			h->events.failures += ret == -EMM_ENOMEM;
			return ret;
		}
	}
	return order < RADIX_SHIFT ? stack_pop(h, order) : ret;
}

int64_t buddy_alloc(struct buddy_hart *h, unsigned int order)
{
	if (likely(order < atomic_read32(&h->nr_orders))) {
		/* Signed, as the ABI has it: an index without a conversion. */
		int64_t **at = &h->top[(int)order], *top = *at;
		int64_t pfn = *top;

		/* The hart is known by @at: one register less to keep. */
		if (unlikely(pfn < 0))
			return buddy_alloc_refill(at, order);
		*at = top - 1;
		return pfn;
	}
	return buddy_alloc_large(h, order);
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
