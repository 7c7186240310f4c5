/* SPDX-License-Identifier: BSD-2-Clause */
/* Many pages at once: whole stacks are copied, and pages of one word are freed together. */
#include "page_alloc_internal.h"

/* Up to @nr pages from the stack of @c. Returns how many there were. */
static uint64_t pop_pages(struct buddy_hart *c, uint64_t nr, uint64_t *pfns)
{
	const int64_t *bottom = &c->stack[stack_bottom(0)], *from = c->top[0];
	uint64_t left;

	/* Closed: another hart waits for a drain, or nothing is set up. */
	if (!atomic_read32(&c->nr_orders))
		return 0;
	if ((uint64_t)(from - bottom) < nr)
		nr = (uint64_t)(from - bottom);
	for (left = nr; left >= 4; left -= 4, from -= 4, pfns += 4) {
		pfns[0] = (uint64_t)from[0];
		pfns[1] = (uint64_t)from[-1];
		pfns[2] = (uint64_t)from[-2];
		pfns[3] = (uint64_t)from[-3];
	}
	for (; left; left--)
		*pfns++ = (uint64_t)*from--;
	c->top[0] -= nr;
	return nr;
}

int64_t alloc_pages_bulk(struct page_hart *h, gfp_t gfp, uint64_t nr, uint64_t *pfns)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	uint64_t done = 0;
	int64_t pfn;

	for (;;) {
		if (gfp <= GFP_FAST_MASK)
			done += pop_pages(h->fast[gfp], nr - done, pfns + done);
		if (done == nr)
			return (int64_t)done;
		/* One page, and a stack that is full again. */
		pfn = page_alloc_slow(h, gfp, 0, caller);
		if (pfn < 0)
			return done ? (int64_t)done : pfn;
		pfns[done++] = (uint64_t)pfn;
	}
}

/* The pages one by one. Returns the first error. */
static int free_singly(struct page_hart *h, uint64_t nr, const uint64_t *pfns, uint64_t *nr_failed,
		       uintptr_t caller)
{
	int ret = 0;

	for (uint64_t i = 0; i < nr; i++) {
		int err = page_free_slow(h, pfns[i], 0, caller);

		if (err) {
			(*nr_failed)++;
			ret = ret ? ret : err;
		}
	}
	return ret;
}

/* How many pages in a row, upwards in one word, the array begins with. */
static uint64_t count_row(const uint64_t *pfns, uint64_t nr)
{
	uint64_t pfn = pfns[0], last = pfn | (BUDDY_RADIX - 1);
	const uint64_t *at = pfns + 1, *end;

	end = pfns + (nr <= last - pfn ? nr : last - pfn + 1);
	while (at < end && *at == ++pfn)
		at++;
	return (uint64_t)(at - pfns);
}

int free_pages_bulk(struct page_hart *h, uint64_t nr, const uint64_t *pfns, uint64_t *nr_failed)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	uint64_t failed = 0, n;
	int ret = 0, err;

	for (; nr; nr -= n, pfns += n) {
		uint64_t idx = pfns[0] >> RADIX_SHIFT, bits;

		/* One page of its word, as most are in no order. */
		n = 1;
		if ((nr == 1 || pfns[1] >> RADIX_SHIFT != idx) &&
		    buddy_free_page_fast(h->free_ctx, pfns[0])) {
			page_count_free(&h->freed[0]);
			continue;
		}
		n = count_row(pfns, nr);
		bits = ~0ULL >> (64 - n) << BITS_OF(pfns[0]);
		/* A page that is there twice begins a word of its own: the second free is refused. */
		for (; n < nr && pfns[n] >> RADIX_SHIFT == idx; n++) {
			uint64_t bit = 1ULL << BITS_OF(pfns[n]);

			if (unlikely(bits & bit))
				break;
			bits |= bit;
		}
		if (likely(!buddy_free_bits(h->free_ctx, idx, bits))) {
			atomic_set(&h->freed[0], h->freed[0] + n);
			continue;
		}
		/* Elsewhere, and the first turns to its zone; or one is refused; or all is recorded. */
		err = free_singly(h, n, pfns, &failed, caller);
		ret = ret ? ret : err;
	}
	if (nr_failed)
		*nr_failed = failed;
	return ret;
}
