/* SPDX-License-Identifier: BSD-2-Clause */
/* The classic list buddy as a struct page_allocator: a zone in the arena. */
#include <earlymm/error.h>
#include <earlymm/list_buddy.h>
#include "page_allocator.h"

struct arena_list {
	struct list_hart hart; /* of several, all are in the metadata */
	struct list_zone zone;
};

static int64_t adapter_alloc(void *self, unsigned int order)
{
	return list_alloc_pages(self, order, 0);
}

static int adapter_free(void *self, uint64_t pfn, unsigned int order)
{
	return list_free_pages(self, pfn, order);
}

/* The largest blocks that an arena can have, and no memmap beyond it for larger ones. */
static unsigned int arena_max_order(uint64_t pages)
{
	unsigned int order = 0;

	while (order < LIST_MAX_ORDER && (uint64_t)2 << order <= pages)
		order++;
	return order;
}

static uint64_t adapter_meta_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	return list_memmap_bytes(start_pfn, end_pfn, arena_max_order(end_pfn - start_pfn));
}

static void *adapter_self_of(const struct page_allocator *pa, uint32_t hart)
{
	const struct arena_list *a = pa->state;

	return &a->zone.harts[hart];
}

static int adapter_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			 void *meta, uint64_t meta_bytes)
{
	struct arena_list *a = pa->state;
	unsigned int max_order = arena_max_order(end_pfn - start_pfn);
	uint32_t nr_harts = allocator_harts(pa);
	struct list_hart *harts = &a->hart;
	int ret;

	if (nr_harts > 1) {
		harts = meta;
		meta = harts + nr_harts;
		meta_bytes -= nr_harts * sizeof(*harts);
	}
	ret = list_zone_init(&a->zone, harts, nr_harts, start_pfn, end_pfn, max_order,
			     NUMA_NO_NODE);
	if (ret)
		return ret;
	ret = list_set_memmap(&a->zone, meta, meta_bytes);
	if (ret)
		return ret;
	ret = list_memmap_init(&a->zone, NULL);
	if (ret)
		return ret;
	ret = list_add_range(&a->zone, start_pfn, end_pfn);
	if (ret)
		return ret;
	pa->alloc = adapter_alloc;
	pa->free = adapter_free;
	pa->self = harts;
	pa->self_of = adapter_self_of;
	pa->max_order = max_order;
	return 0;
}

static void adapter_drain(struct page_allocator *pa)
{
	const struct arena_list *a = pa->state;

	for (uint32_t i = 0; i < a->zone.nr_harts; i++)
		list_drain(&a->zone.harts[i]);
}

static uint64_t adapter_nr_free(const struct page_allocator *pa)
{
	const struct arena_list *a = pa->state;
	uint64_t nr_pages = list_nr_free(&a->zone);

	for (uint32_t i = 0; i < a->zone.nr_harts; i++)
		nr_pages += list_nr_held(&a->zone.harts[i]);
	return nr_pages;
}

const struct page_allocator_ops bench_alloc_list = {
	.name = "list",
	.setting = "default",
	.state_bytes = sizeof(struct arena_list),
	.hart_bytes = sizeof(struct list_hart),
	.meta_bytes = adapter_meta_bytes,
	.setup = adapter_setup,
	.drain = adapter_drain,
	.nr_free = adapter_nr_free,
};
