/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy's set-up as inline code: the handover's cost is counted in single instructions. */
#ifndef MM_BUDDY_INIT_H
#define MM_BUDDY_INIT_H

#include "buddy_tree.h"

/*
 * A hart's struct, of any content. The fast paths are closed: buddy_hart_open() does the rest when
 * it is needed. This is part of the handover's cost.
 */
static inline void buddy_setup_hart(struct buddy *b, struct buddy_hart *h)
{
	atomic_set32(&h->nr_orders, 0);
	atomic_set(&h->window_pages, 0);
	atomic_set(&h->seq, 0);
	atomic_set(&h->request, 0);
	atomic_set(&h->holds, 0);
	h->is_ready = 0;
	h->is_movable = 0;
	h->sibling = NULL;
	h->tree = NULL;
	h->buddy = b;
}

/* buddy_init() with arguments that are known to be good. */
static inline void buddy_setup(struct buddy *b, struct buddy_tree *trees, uint32_t max_trees,
			       struct buddy_hart *harts, uint32_t nr_harts)
{
	*b = (struct buddy){
		.trees = trees,
		.max_trees = max_trees,
		.harts = harts,
		.nr_harts = nr_harts,
		.setting = BUDDY_DEFAULT,
		.nr_sharers = nr_harts,
	};
	for (uint32_t i = 0; i < nr_harts; i++)
		buddy_setup_hart(b, &harts[i]);
}

/* buddy_add_laid_out() with arguments that are known to be good. */
static inline void buddy_setup_tree(struct buddy *b, const struct buddy_tree *layout, void *meta)
{
	struct buddy_tree *t = &b->trees[b->nr_trees];
	uint64_t *n = meta, *end;

	t->start_pfn = layout->start_pfn;
	t->end_pfn = layout->end_pfn;
	UNROLL
	for (unsigned int level = 0; level < BUDDY_LEVELS; level++)
		t->node0[level] = layout->node0[level] + (uintptr_t)meta;
	end = buddy_node(t, TOP, ((t->end_pfn - 1) >> WORD_SHIFT(TOP)) + 1);
	for (; n < end; n += NODE_WORDS(TOP)) {
		UNROLL
		for (unsigned int i = 0; i < NODE_WORDS(TOP); i++)
			atomic_set(&n[i], 0);
	}
	b->nr_trees++;
}

#endif
