/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timed loops. They do nothing besides the workload and the log of what was handed out, and
 * are the same code for every allocator, the null allocator included: what they cost cancels.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include "clock.h"
#include "page_allocator.h"

#define CHURN_PERCENT 100

struct churn_slot {
	int64_t pfn; /* negative: empty */
	uint64_t order;
};

struct churn {
	struct churn_slot *slots;
	uint64_t nr_slots; /* a power of two */
	uint64_t steps;
	uint64_t seed;
	const uint8_t *orders; /* CHURN_PERCENT of them: the order for (x >> 32) % 100 */
};

/* What a loop did. Allocations that failed are in the log, as their negative errors. */
struct loop_result {
	struct bench_stamp time;
	uint64_t logged;
	uint64_t failed_frees;
};

/* @n times: alloc one block of @order, log it, free it. */
void loop_pair(const struct bench_clock *clock, const struct page_allocator *pa, int64_t *log,
	       uint64_t n, unsigned int order, struct loop_result *res);

/* @n order-0 pages into @log; a failed one as its error. */
void loop_alloc(const struct bench_clock *clock, const struct page_allocator *pa, int64_t *log,
		uint64_t n, struct loop_result *res);

/* Frees the @n order-0 pages in the order of @pfns. */
void loop_free(const struct bench_clock *clock, const struct page_allocator *pa,
	       const int64_t *pfns, uint64_t n, struct loop_result *res);

/*
 * The churn: a random slot a step; full: free it; empty: fill it with a block of random order.
 * A failed alloc leaves the slot empty. @log has room for c->steps; all slots start empty.
 */
void loop_churn(const struct bench_clock *clock, const struct page_allocator *pa,
		const struct churn *c, int64_t *log, struct loop_result *res);

#endif
