/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hart's own blocks: a stack of frames for each small order. Filled from a word, drained into
 * the trees, on another hart's request too (rule 7). Only their hart reads or writes them.
 */
#include "buddy_tree.h"

/* The hart's tree is @t now: what it remembers of another is void. The free window is closed. */
void buddy_hart_turn_to(struct buddy_hart *h, const struct buddy_tree *t)
{
	h->tree = t;
	atomic_set(&h->window_pages, 0);
	UNROLL
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		h->scan[order] = (struct buddy_scan){
			.next = UINT64_MAX,
			.first = UINT64_MAX,
			.width = NARROW_SCAN,
		};
	h->frontier_pfn = UINT64_MAX;
	h->group_pfn = 0;
	h->ample_pfn = 0;
	if (TOP > 2 && t && h->setting != BUDDY_HEALING)
		h->ample_pfn = t->start_pfn + ((t->end_pfn - t->start_pfn) >> AMPLE_SHIFT);
	h->large = 0;
	UNROLL
	for (unsigned int i = 0; i < BUDDY_NR_LARGE; i++)
		h->large_before[i] = 0;
	h->large_at = 0;
	h->large_idx = UINT64_MAX;
}

/*
 * What a hart's first operation needs, and the first one after a request: the stacks are there,
 * and empty if that was asked for; the allocating fast path is open.
 */
void buddy_hart_open(struct buddy_hart *h)
{
	if (!h->is_ready) {
		UNROLL
		for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++) {
			h->top[order] = &h->stack[stack_bottom(order)];
			*h->top[order] = -1;
		}
		h->setting = h->buddy->setting;
		buddy_hart_turn_to(h, h->tree);
		h->is_ready = 1;
	}
	do {
		if (atomic_read_acquire(&h->request)) {
			buddy_drain(h);
			atomic_set_release(&h->request, 0);
		}
		atomic_set32(&h->nr_orders, BUDDY_NR_STACKS);
		/* A request that came before this has closed the path in vain. */
	} while (atomic_fetch_or(&h->request, 0));
}

uint32_t buddy_request_drain(struct buddy_hart *self)
{
	const struct buddy *b = self->buddy;
	uint32_t nr_asked = 0;

	for (uint32_t i = 0; i < b->nr_harts; i++) {
		struct buddy_hart *h = &b->harts[i];

		if (h == self || !atomic_read(&h->holds))
			continue;
		/* In this order: who finds a path closed finds the request. */
		atomic_fetch_or(&h->request, 1);
		atomic_set32(&h->nr_orders, 0);
		atomic_set(&h->window_pages, 0);
		nr_asked++;
	}
	return nr_asked;
}

/* Puts back all blocks of @order: those of one word together. */
static void drain_stack(struct buddy_hart *h, unsigned int order)
{
	int64_t *bottom = &h->stack[stack_bottom(order)], *top = h->top[order];

	while (top != bottom) {
		uint64_t idx = (uint64_t)*top >> RADIX_SHIFT, bits = 0;

		for (; top != bottom && (uint64_t)*top >> RADIX_SHIFT == idx; top--)
			bits |= run_mask(order) << BITS_OF(*top);
		buddy_put(h, buddy_find_tree(h->buddy, idx << RADIX_SHIFT | ffs64(bits), 1), 0, idx,
			  bits);
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
	/* Whoever sees this sees the number: without a block there was no AMO that ordered it. */
	atomic_set_release(&h->holds, 0);
	seq_end(h);
	h->events.drains++;
}

void buddy_prefer(struct buddy_hart *h, const struct buddy_tree *t)
{
	if (h->is_ready) {
		buddy_drain(h);
		buddy_hart_turn_to(h, t);
	} else {
		h->tree = t;
	}
}

uint64_t buddy_nr_held(const struct buddy_hart *h)
{
	uint64_t nr_pages = 0;

	for (unsigned int order = 0; h->is_ready && order < BUDDY_NR_STACKS; order++)
		nr_pages += (uint64_t)(h->top[order] - &h->stack[stack_bottom(order)]) << order;
	return nr_pages;
}
