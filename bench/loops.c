/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timed loops. In a file of their own, and never inlined, so that one copy of the code
 * serves all allocators.
 */
#include "loops.h"
#include "random.h"

#define NOINLINE __attribute__((noinline))

NOINLINE void loop_pair(const struct bench_clock *clock, const struct page_allocator *pa,
			int64_t *log, uint64_t n, unsigned int order, struct loop_result *res)
{
	int64_t (*alloc)(void *, unsigned int) = pa->alloc;
	int (*free)(void *, uint64_t, unsigned int) = pa->free;
	void *self = pa->self;
	int64_t *end = log + n;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (; log < end; log++) {
		int64_t pfn = alloc(self, order);

		*log = pfn;
		if (pfn >= 0 && free(self, (uint64_t)pfn, order))
			failed_frees++;
	}
	clock_stop(clock, &res->time);
	res->logged = n;
	res->failed_frees = failed_frees;
}

NOINLINE void loop_alloc(const struct bench_clock *clock, const struct page_allocator *pa,
			 int64_t *log, uint64_t n, struct loop_result *res)
{
	int64_t (*alloc)(void *, unsigned int) = pa->alloc;
	void *self = pa->self;
	int64_t *end = log + n;

	clock_start(clock, &res->time);
	for (; log < end; log++)
		*log = alloc(self, 0);
	clock_stop(clock, &res->time);
	res->logged = n;
	res->failed_frees = 0;
}

NOINLINE void loop_free(const struct bench_clock *clock, const struct page_allocator *pa,
			const int64_t *pfns, uint64_t n, struct loop_result *res)
{
	int (*free)(void *, uint64_t, unsigned int) = pa->free;
	void *self = pa->self;
	const int64_t *end = pfns + n;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (; pfns < end; pfns++)
		if (free(self, (uint64_t)*pfns, 0))
			failed_frees++;
	clock_stop(clock, &res->time);
	res->logged = n;
	res->failed_frees = failed_frees;
}

NOINLINE void loop_alloc_bulk(const struct bench_clock *clock, const struct page_allocator *pa,
			      int64_t *log, uint64_t n, uint64_t batch, struct loop_result *res)
{
	int64_t (*alloc)(void *, uint64_t, uint64_t *) = pa->alloc_bulk;
	void *self = pa->self;
	int64_t *end = log + n;

	clock_start(clock, &res->time);
	for (; log < end; log += batch)
		alloc(self, batch, (uint64_t *)log);
	clock_stop(clock, &res->time);
	res->logged = n;
	res->failed_frees = 0;
}

NOINLINE void loop_free_bulk(const struct bench_clock *clock, const struct page_allocator *pa,
			     const int64_t *pfns, uint64_t n, uint64_t batch,
			     struct loop_result *res)
{
	int (*free)(void *, uint64_t, const uint64_t *) = pa->free_bulk;
	void *self = pa->self;
	const int64_t *end = pfns + n;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (; pfns < end; pfns += batch)
		if (free(self, batch, (const uint64_t *)pfns))
			failed_frees++;
	clock_stop(clock, &res->time);
	res->logged = n;
	res->failed_frees = failed_frees;
}

NOINLINE void loop_churn(const struct bench_clock *clock, const struct page_allocator *pa,
			 const struct churn *c, int64_t *log, struct loop_result *res)
{
	int64_t (*alloc)(void *, unsigned int) = pa->alloc;
	int (*free)(void *, uint64_t, unsigned int) = pa->free;
	void *self = pa->self;
	struct churn_slot *slots = c->slots;
	const uint8_t *orders = c->orders;
	const int64_t *log_start = log;
	uint64_t mask = c->nr_slots - 1;
	uint64_t x = c->seed;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (uint64_t left = c->steps; left; left--) {
		struct churn_slot *slot;

		xorshift64(&x);
		slot = &slots[x & mask];
		if (slot->pfn >= 0) {
			uint64_t pfn = (uint64_t)slot->pfn;

			slot->pfn = -1;
			if (free(self, pfn, (unsigned int)slot->order))
				failed_frees++;
		} else {
			unsigned int order = orders[(x >> 32) % CHURN_PERCENT];
			int64_t pfn;

			slot->order = order;
			pfn = alloc(self, order);
			slot->pfn = pfn;
			*log++ = pfn;
		}
	}
	clock_stop(clock, &res->time);
	res->logged = (uint64_t)(log - log_start);
	res->failed_frees = failed_frees;
}

NOINLINE void loop_age(const struct bench_clock *clock, const struct page_allocator *pa,
		       struct aging *a, uint64_t steps, int64_t *trace, struct loop_result *res)
{
	int64_t (*alloc)(void *, unsigned int) = pa->alloc;
	int (*free)(void *, uint64_t, unsigned int) = pa->free;
	void *self = pa->self;
	int64_t *live = a->live;
	uint64_t nr_live = a->nr_live;
	uint64_t x = a->random;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (uint64_t left = steps; left; left--) {
		int64_t *page = &live[xorshift64(&x) % nr_live];
		int64_t pfn = *page;

		*trace++ = EVENT_GIVE(pfn);
		if (pfn >= 0 && free(self, (uint64_t)pfn, 0))
			failed_frees++;
		pfn = alloc(self, 0);
		*page = pfn;
		*trace++ = EVENT_TAKE(pfn);
	}
	clock_stop(clock, &res->time);
	a->random = x;
	res->logged = steps;
	res->failed_frees = failed_frees;
}

NOINLINE void loop_burst(const struct bench_clock *clock, const struct page_allocator *pa,
			 struct aging *a, uint64_t rounds, int64_t *trace, struct loop_result *res)
{
	int64_t (*alloc)(void *, unsigned int) = pa->alloc;
	int (*free)(void *, uint64_t, unsigned int) = pa->free;
	void *self = pa->self;
	int64_t *live = a->live;
	uint64_t nr_live = a->nr_live;
	uint64_t x = a->random;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (uint64_t left = rounds; left; left--) {
		for (uint64_t i = a->burst; i; i--) {
			int64_t *page = &live[xorshift64(&x) % nr_live];
			int64_t pfn = *page;

			*page = live[--nr_live];
			*trace++ = EVENT_GIVE(pfn);
			if (pfn >= 0 && free(self, (uint64_t)pfn, 0))
				failed_frees++;
		}
		for (uint64_t i = a->burst; i; i--) {
			int64_t pfn = alloc(self, 0);

			live[nr_live++] = pfn;
			*trace++ = EVENT_TAKE(pfn);
		}
	}
	clock_stop(clock, &res->time);
	a->random = x;
	res->logged = rounds * a->burst;
	res->failed_frees = failed_frees;
}

NOINLINE void loop_slots(const struct bench_clock *clock, const struct page_allocator *pa,
			 struct aging *a, uint64_t steps, int64_t *trace, struct loop_result *res)
{
	int64_t (*alloc)(void *, unsigned int) = pa->alloc;
	int (*free)(void *, uint64_t, unsigned int) = pa->free;
	void *self = pa->self;
	int64_t *live = a->live;
	uint64_t mask = a->nr_live - 1;
	uint64_t x = a->random;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (uint64_t left = steps; left; left--) {
		int64_t *slot = &live[xorshift64(&x) & mask];
		int64_t pfn = *slot;

		if (pfn >= 0) {
			*slot = -1;
			*trace++ = EVENT_GIVE(pfn);
			if (free(self, (uint64_t)pfn, 0))
				failed_frees++;
		} else {
			pfn = alloc(self, 0);
			*slot = pfn;
			*trace++ = EVENT_TAKE(pfn);
		}
	}
	clock_stop(clock, &res->time);
	a->random = x;
	res->logged = steps;
	res->failed_frees = failed_frees;
}

/* Twice in the image, so that nothing but the call is between the two looks at the clock. */
static inline __attribute__((always_inline)) void
churn_by_call(const struct bench_clock *clock, const struct page_allocator *pa,
	      const struct churn *c, const bool exact, int64_t *log, uint32_t *calls,
	      struct loop_result *res)
{
	const int64_t *log_start = log;
	uint64_t mask = c->nr_slots - 1;
	uint64_t x = c->seed;
	uint64_t failed_frees = 0;

	clock_start(clock, &res->time);
	for (uint64_t left = c->steps; left; left--) {
		struct churn_slot *slot;
		uint64_t start;

		xorshift64(&x);
		slot = &c->slots[x & mask];
		if (slot->pfn >= 0) {
			uint64_t pfn = (uint64_t)slot->pfn;
			int err;

			slot->pfn = -1;
			start = clock_ticks(clock, exact);
			err = pa->free(pa->self, pfn, (unsigned int)slot->order);
			*calls++ = CALL_FREE(clock_ticks(clock, exact) - start);
			failed_frees += err != 0;
		} else {
			unsigned int order = c->orders[(x >> 32) % CHURN_PERCENT];
			int64_t pfn;

			slot->order = order;
			start = clock_ticks(clock, exact);
			pfn = pa->alloc(pa->self, order);
			*calls++ = CALL_ALLOC(clock_ticks(clock, exact) - start);
			slot->pfn = pfn;
			*log++ = pfn;
		}
	}
	clock_stop(clock, &res->time);
	res->logged = (uint64_t)(log - log_start);
	res->failed_frees = failed_frees;
}

NOINLINE void loop_latency(const struct bench_clock *clock, const struct page_allocator *pa,
			   const struct churn *c, bool exact, int64_t *log, uint32_t *calls,
			   struct loop_result *res)
{
	if (exact)
		churn_by_call(clock, pa, c, true, log, calls, res);
	else
		churn_by_call(clock, pa, c, false, log, calls, res);
}
