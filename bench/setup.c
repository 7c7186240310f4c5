/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets an allocator up in the arena, afresh for each case, on memory full of garbage. */
#include "bench_impl.h"

#define GARBAGE 0xdeadbeefcafef00dULL

/* Not memset: metadata may be megabytes, and the C library's may go byte by byte. */
static void fill_garbage(void *at, uint64_t bytes)
{
	volatile uint64_t *word = at;

	for (uint64_t i = 0; i < (bytes + 7) / 8; i++)
		word[i] = GARBAGE + i;
}

enum bench_verdict bench_setup(struct bench_rep *r, const struct page_allocator_ops *ops,
			       struct bench_fault *f)
{
	const struct bench_range *range = &r->place->map.ranges[0];
	struct page_allocator *pa = r->pa;
	struct bench *b = r->b;
	uint64_t bytes = ops->meta_bytes ? ops->meta_bytes(range->start_pfn, range->end_pfn) : 0;
	uint64_t nr_free = 0;

	if (r->nr_harts > 1)
		bytes += r->nr_harts * ops->hart_bytes;
	*pa = (struct page_allocator){
		.ops = ops,
		.state = b->state,
		.map = b->cfg.map,
		.nr_harts = r->nr_harts,
	};
	if (bytes <= b->meta_bytes && ops->state_bytes <= b->state_bytes) {
		fill_garbage(b->state, ops->state_bytes);
		fill_garbage(b->meta, bytes);
		if (!ops->setup(pa, range->start_pfn, range->end_pfn, b->meta, bytes))
			nr_free = ops->nr_free(pa);
	}
	if (nr_free == r->place->pages || ops == &bench_alloc_null)
		return BENCH_OK;
	return fault_numbers(f, BENCH_SETUP, r->place->pages, nr_free);
}

uint64_t bench_reserve(const struct bench_rep *r)
{
	return r->pa->ops->reserve ? r->pa->ops->reserve(r->pa) : 0;
}

enum bench_verdict bench_check_left(const struct bench_rep *r, struct bench_fault *f,
				    unsigned int order, uint64_t left)
{
	uint64_t reserve = bench_reserve(r), size = (uint64_t)1 << order;

	if (left >= reserve + size)
		return fault_numbers(f, BENCH_NOT_ALL, r->place->pages - reserve,
				     r->place->pages - left);
	if (left < reserve)
		return fault_numbers(f, BENCH_RESERVE, reserve, left);
	return BENCH_OK;
}

void bench_teardown(struct page_allocator *pa)
{
	if (pa->ops->teardown)
		pa->ops->teardown(pa);
}

void bench_drain(struct page_allocator *pa)
{
	if (pa->ops->drain)
		pa->ops->drain(pa);
}
