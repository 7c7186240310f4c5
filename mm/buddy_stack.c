/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hart's own blocks: a stack of frames for each small order. Filled from a word, drained into
 * the trees, on another hart's request too (rule 7). Only their hart reads or writes them.
 */
#include "buddy_tree.h"

/* The hart's small blocks come from these frames of its tree from now on. */
static inline void begin_in(struct buddy_hart *h, uint64_t start_pfn, uint64_t end_pfn)
{
	uint64_t low = start_pfn >> RADIX_SHIFT, ample_pfn = 0;

	if (TOP > 2 && h->setting != BUDDY_HEALING)
		ample_pfn = start_pfn + ((end_pfn - start_pfn) >> AMPLE_SHIFT);
	h->span_pfn = start_pfn;
	h->span_end = end_pfn;
	UNROLL
	for (unsigned int order = 0; order <= MAX_SCANNED_ORDER; order++)
		h->scan[order] = (struct buddy_scan){
			.next = UINT64_MAX,
			.first = UINT64_MAX,
			.width = NARROW_SCAN,
			.low = low,
		};
	h->noted_from = low;
	h->frontier_pfn = UINT64_MAX;
	h->group_pfn = 0;
	h->ample_pfn = ample_pfn;
	if (unlikely(h->is_movable) && end_pfn)
		buddy_turn_movable(h);
}

void buddy_go_to(struct buddy_hart *h, const struct buddy_span *s)
{
	h->word_mask = s->word_mask;
	h->is_shared = s->is_shared;
	begin_in(h, s->start_pfn, s->end_pfn);
}

/* The hart's tree is @t now: what it remembers of another is void. The free window is closed. */
void buddy_hart_turn_to(struct buddy_hart *h, const struct buddy_tree *t)
{
	uint64_t start_pfn = 0, end_pfn = 0;

	h->tree = t;
	atomic_set(&h->window_pages, 0);
	h->large = 0;
	h->large_before[0] = 0; /* who looks at older ones stops here until all have been written */
	h->large_at = 0;
	h->is_shared = 0;
	h->large_idx = UINT64_MAX;
	if (unlikely(h->buddy->nr_sharers >= SHARE_FROM) && t) {
		buddy_begin_at_home(h);
		return;
	}
	if (likely(t)) {
		start_pfn = t->start_pfn;
		end_pfn = t->end_pfn;
	}
	h->word_mask = ~0ULL;
	begin_in(h, start_pfn, end_pfn);
}

/* All that buddy_setup() has left. */
static inline void set_up(struct buddy_hart *h)
{
	const struct buddy_tree *t = h->tree;

	UNROLL
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++) {
		h->top[order] = &h->stack[stack_bottom(order)];
		*h->top[order] = -1;
		h->drained[order] = 0;
	}
	h->events = (struct buddy_events){ 0 };
	h->setting = h->buddy->setting;
	if (!t && h->buddy->nr_trees)
		t = h->buddy->trees;
	buddy_hart_turn_to(h, t);
	/* Others that see it see the counters, which were garbage. */
	atomic_set_release32(&h->is_ready, 1);
}

/* Opens the allocating fast path. False: a request that came before has closed it in vain. */
static inline bool open_path(struct buddy_hart *h)
{
	atomic_set32(&h->nr_orders, BUDDY_NR_STACKS);
	return !atomic_fetch_or(&h->request, 0);
}

static void answer_request(struct buddy_hart *h)
{
	buddy_drain(h);
	atomic_set_release(&h->request, 0);
}

static void __attribute__((noinline)) answer_and_open(struct buddy_hart *h)
{
	do
		answer_request(h);
	while (!open_path(h));
}

/*
 * What a hart's first operation needs, and the first one after a request: the stacks are there,
 * and empty if that was asked for; the allocating fast path is open. So for the sibling's, whose path
 * stays closed until it is used: that may be long.
 */
void buddy_hart_open(struct buddy_hart *h)
{
	if (!atomic_read32(&h->is_ready))
		set_up(h);
	if (unlikely(atomic_read_acquire(&h->request)) || unlikely(!open_path(h)))
		answer_and_open(h);
	if (h->sibling && atomic_read_acquire(&h->sibling->request))
		answer_request(h->sibling);
}

static void close_paths(struct buddy_hart *h)
{
	atomic_set32(&h->nr_orders, 0);
	atomic_set(&h->window_pages, 0);
}

/* May the hart, or its sibling, hold blocks? */
static bool may_hold(const struct buddy_hart *h)
{
	return atomic_read(&h->holds) || (h->sibling && atomic_read(&h->sibling->holds));
}

uint32_t buddy_request_drain(struct buddy_hart *self)
{
	const struct buddy *b = self->buddy;
	uint32_t nr_asked = 0;

	for (uint32_t i = 0; i < b->nr_harts; i++) {
		struct buddy_hart *h = &b->harts[i], *sibling = h->sibling;

		if (h == self || h == self->sibling || !may_hold(h))
			continue;
		/* In this order: who finds a path closed finds the request, of both siblings. */
		atomic_fetch_or(&h->request, 1);
		if (sibling) {
			atomic_fetch_or(&sibling->request, 1);
			close_paths(sibling);
		}
		close_paths(h);
		nr_asked++;
	}
	return nr_asked;
}

/* Puts back all blocks of @order: those of one word together. */
static void drain_stack(struct buddy_hart *h, unsigned int order)
{
	int64_t *bottom = &h->stack[stack_bottom(order)], *top = h->top[order];

	/* Before the puts: whoever counts what is free may find too much for a moment, not too little. */
	atomic_set(&h->drained[order], atomic_read(&h->drained[order]) + (uint64_t)(top - bottom));
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
	if (!atomic_read32(&h->is_ready))
		return;
	seq_begin(h);
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		drain_stack(h, order);
	/* Whoever sees this sees the number: without a block there was no AMO that ordered it. */
	atomic_set_release(&h->holds, 0);
	seq_end(h);
	h->events.drains++;
	/* What it went elsewhere for has gone back. */
	if (unlikely(h->buddy->nr_sharers >= SHARE_FROM))
		buddy_go_home(h);
}

/* Drains what this hart holds in both of its stacks' sets. False: that was nothing. */
bool buddy_drain_own(struct buddy_hart *h)
{
	struct buddy_hart *sibling = h->sibling;
	bool is_held = buddy_nr_held(h) != 0;

	if (is_held)
		buddy_drain(h);
	if (!sibling || !buddy_nr_held(sibling))
		return is_held;
	buddy_drain(sibling);
	return true;
}

void buddy_prefer(struct buddy_hart *h, const struct buddy_tree *t)
{
	if (!atomic_read32(&h->is_ready))
		buddy_hart_open(h);
	buddy_drain(h);
	buddy_hart_turn_to(h, t);
}

uint64_t buddy_nr_held(const struct buddy_hart *h)
{
	uint64_t nr_pages = 0;

	for (unsigned int order = 0; atomic_read32(&h->is_ready) && order < BUDDY_NR_STACKS;
	     order++)
		nr_pages += stack_depth(h, order) << order;
	return nr_pages;
}
