/* SPDX-License-Identifier: BSD-2-Clause */
/* earlymm's buddy as a struct page_allocator: one tree in the arena, or a live one. */
#include <earlymm/buddy.h>
#include <earlymm/error.h>
#include "page_allocator.h"

struct arena_buddy {
	struct buddy_hart hart; /* of several, all are in the metadata */
	struct buddy buddy;
	struct buddy_tree tree;
};

/* One jump each when compiled: the cost of the interface is the indirect call alone. */
static int64_t adapter_alloc(void *self, unsigned int order)
{
	return buddy_alloc(self, order);
}

static int adapter_free(void *self, uint64_t pfn, unsigned int order)
{
	return buddy_free(self, pfn, order);
}

static void *adapter_self_of(const struct page_allocator *pa, uint32_t hart)
{
	const struct buddy_hart *self = pa->self;

	return &self->buddy->harts[hart];
}

static int adapter_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			 void *meta, uint64_t meta_bytes)
{
	struct arena_buddy *a = pa->state;
	uint32_t nr_harts = allocator_harts(pa);
	struct buddy_hart *harts = &a->hart;
	int ret;

	if (nr_harts > 1) {
		harts = meta;
		meta = harts + nr_harts;
		meta_bytes -= nr_harts * sizeof(*harts);
	}
	ret = buddy_init(&a->buddy, &a->tree, 1, harts, nr_harts);
	if (ret)
		return ret;
	ret = buddy_add_tree(&a->buddy, start_pfn, end_pfn, meta, meta_bytes);
	if (ret)
		return ret;
	ret = buddy_add_range(harts, start_pfn, end_pfn, 0, UINT64_MAX);
	if (ret)
		return ret;
	pa->alloc = adapter_alloc;
	pa->free = adapter_free;
	pa->self = harts;
	pa->self_of = adapter_self_of;
	pa->max_order = BUDDY_MAX_ORDER;
	return 0;
}

static int healing_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			 void *meta, uint64_t meta_bytes)
{
	struct arena_buddy *a = pa->state;
	int ret = adapter_setup(pa, start_pfn, end_pfn, meta, meta_bytes);

	if (!ret)
		buddy_tune(&a->buddy, BUDDY_HEALING);
	return ret;
}

static void adapter_drain(struct page_allocator *pa)
{
	const struct buddy_hart *self = pa->self;
	const struct buddy *b = self->buddy;

	for (uint32_t i = 0; i < b->nr_harts; i++)
		buddy_drain(&b->harts[i]);
}

/* Free in the trees and in the harts' caches: for a quiet moment. */
static uint64_t adapter_nr_free(const struct page_allocator *pa)
{
	const struct buddy_hart *hart = pa->self;
	const struct buddy *b = hart->buddy;
	uint64_t nr_pages = buddy_nr_free(b);

	for (uint32_t i = 0; i < b->nr_harts; i++)
		nr_pages += buddy_nr_held(&b->harts[i]);
	return nr_pages;
}

const struct page_allocator_ops bench_alloc_buddy = {
	.name = "buddy",
	.setting = "default",
	.hot = BENCH_HOT,
	.state_bytes = sizeof(struct arena_buddy),
	.hart_bytes = sizeof(struct buddy_hart),
	.meta_bytes = buddy_tree_bytes,
	.setup = adapter_setup,
	.drain = adapter_drain,
	.nr_free = adapter_nr_free,
};

const struct page_allocator_ops bench_alloc_buddy_healing = {
	.name = "buddy",
	.setting = "healing",
	.hot = BENCH_HOT,
	.state_bytes = sizeof(struct arena_buddy),
	.hart_bytes = sizeof(struct buddy_hart),
	.meta_bytes = buddy_tree_bytes,
	.setup = healing_setup,
	.drain = adapter_drain,
	.nr_free = adapter_nr_free,
};

static const struct page_allocator_ops live_ops[] = {
	[BUDDY_DEFAULT] = {
		.name = "buddy",
		.setting = "default",
		.hot = BENCH_HOT,
		.drain = adapter_drain,
		.nr_free = adapter_nr_free,
	},
	[BUDDY_HEALING] = {
		.name = "buddy",
		.setting = "healing",
		.hot = BENCH_HOT,
		.drain = adapter_drain,
		.nr_free = adapter_nr_free,
	},
};

void page_allocator_from_buddy(struct page_allocator *pa, struct buddy *b, struct buddy_hart *hart,
			       enum buddy_setting setting)
{
	*pa = (struct page_allocator){
		.alloc = adapter_alloc,
		.free = adapter_free,
		.self = hart,
		.self_of = adapter_self_of,
		.nr_harts = b->nr_harts,
		.max_order = BUDDY_MAX_ORDER,
		.state = b,
		.ops = &live_ops[setting],
	};
}
