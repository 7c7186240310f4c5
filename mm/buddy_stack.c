/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hart's own blocks: a stack of frames for each order. Filled from a word, drained into the
 * trees, on another hart's request too (rule 7). Only their hart reads or writes them.
 */
#include "buddy_tree.h"

/* The fast paths work from here on, unless somebody wants a drain. */
static void open_paths(struct buddy_hart *h)
{
	atomic_set32(&h->nr_orders, BUDDY_NR_STACKS);
}

/* What the hart remembers of its tree, which is another one now. */
void buddy_hart_forget(struct buddy_hart *h)
{
	h->window_pages = 0;
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		h->scan[order] = (struct buddy_scan){ UINT64_MAX, UINT64_MAX, 0, 0 };
	h->frontier_pfn = UINT64_MAX;
	h->large_idx = h->large_idx2 = UINT64_MAX;
	h->large_order = 0;
}

/*
 * What the first operation of a hart needs, and the first one after a request: the stacks are
 * there, and empty if that was asked for.
 */
void buddy_hart_open(struct buddy_hart *h)
{
	if (!h->is_ready) {
		for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++) {
			h->top[order] = stack_bottom(h, order);
			*h->top[order] = -1;
		}
		h->setting = h->buddy->setting;
		buddy_hart_forget(h);
		h->is_ready = 1;
	}
	for (;;) {
		if (atomic_read_acquire(&h->request)) {
			buddy_drain(h);
			atomic_set_release(&h->request, 0);
		}
		open_paths(h);
		/* A request that came meanwhile closed them before, in vain. */
		if (!atomic_fetch_or(&h->request, 0))
			return;
	}
}

/* Puts back all blocks of @order: those of one word together. */
static void drain_stack(struct buddy_hart *h, unsigned int order)
{
	int64_t *bottom = stack_bottom(h, order);
	int64_t *top = h->top[order];

	while (top != bottom) {
		uint64_t idx = (uint64_t)*top >> RADIX_SHIFT;
		uint64_t bits = 0;

		for (; top != bottom && (uint64_t)*top >> RADIX_SHIFT == idx; top--)
			bits |= run_mask(order) << BITS_OF(*top);
		buddy_put(h, buddy_find_tree(h->buddy, (uint64_t)top[1], 1), 0, idx, bits);
	}
	h->top[order] = bottom;
}

void buddy_drain(struct buddy_hart *h)
{
	if (!h->is_ready)
		return;
	seq_begin(h);
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		drain_stack(h, order);
	seq_end(h);
	h->events.drains++;
}

uint64_t buddy_nr_held(const struct buddy_hart *h)
{
	uint64_t nr_pages = 0;

	for (unsigned int order = 0; h->is_ready && order < BUDDY_NR_STACKS; order++)
		nr_pages += (uint64_t)(h->top[order] - stack_bottom((struct buddy_hart *)h, order))
			    << order;
	return nr_pages;
}
