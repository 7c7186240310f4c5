/* SPDX-License-Identifier: BSD-2-Clause */
/* The null allocator: every call succeeds and does nothing. It measures the loops themselves. */
#include "page_allocator.h"

static int64_t null_alloc(void *self, unsigned int order)
{
	(void)self;
	(void)order;
	return 0;
}

static int null_free(void *self, uint64_t pfn, unsigned int order)
{
	(void)self;
	(void)pfn;
	(void)order;
	return 0;
}

static int64_t null_alloc_bulk(void *self, uint64_t nr, uint64_t *pfns)
{
	(void)self;
	(void)pfns;
	return (int64_t)nr;
}

static int null_free_bulk(void *self, uint64_t nr, const uint64_t *pfns)
{
	(void)self;
	(void)nr;
	(void)pfns;
	return 0;
}

static uint64_t null_meta_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	(void)start_pfn;
	(void)end_pfn;
	return 0;
}

static void *null_self_of(const struct page_allocator *pa, uint32_t hart)
{
	(void)hart;
	return pa->self;
}

static int null_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn, void *meta,
		      uint64_t meta_bytes)
{
	(void)start_pfn;
	(void)end_pfn;
	(void)meta;
	(void)meta_bytes;
	pa->alloc = null_alloc;
	pa->free = null_free;
	pa->self = pa;
	pa->self_of = null_self_of;
	pa->max_order = 63;
	pa->alloc_movable = null_alloc;
	pa->alloc_bulk = null_alloc_bulk;
	pa->free_bulk = null_free_bulk;
	return 0;
}

static uint64_t null_nr_free(const struct page_allocator *pa)
{
	(void)pa;
	return 0;
}

const struct page_allocator_ops bench_alloc_null = {
	.name = "null",
	.setting = "default",
	.meta_bytes = null_meta_bytes,
	.setup = null_setup,
	.nr_free = null_nr_free,
};
