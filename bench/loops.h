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

/* Pages that age: which are in use, and how the next ones to go are chosen. */
struct aging {
	int64_t *live; /* frames, in no order */
	uint64_t nr_live; /* not 0 */
	uint64_t burst; /* 1 to nr_live */
	uint64_t random; /* xorshift64's state, carried on from call to call */
	int64_t *others; /* frames that do not take part */
	uint64_t nr_others;
};

/* What a call took, and which it was. */
#define CALL_ALLOC(ticks)  ((uint32_t)(ticks)*2)
#define CALL_FREE(ticks)   ((uint32_t)(ticks)*2 + 1)
#define CALL_IS_FREE(call) ((call)&1)
#define CALL_TICKS(call)   ((call) / 2)

/* Events of a trace: a page was handed out (or an error was), or given back. */
#define EVENT_TAKE(pfn)  ((pfn)*2)
#define EVENT_GIVE(pfn)  ((pfn)*2 + 1)
#define EVENT_IS_GIVE(e) ((e)&1)
#define EVENT_PFN(e)     (((e) - ((e)&1)) / 2)

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

/* The same, @batch pages a call; n: a multiple of it. Entries of pages that were not had are left. */
void loop_alloc_bulk(const struct bench_clock *clock, const struct page_allocator *pa, int64_t *log,
		     uint64_t n, uint64_t batch, struct loop_result *res);
void loop_free_bulk(const struct bench_clock *clock, const struct page_allocator *pa,
		    const int64_t *pfns, uint64_t n, uint64_t batch, struct loop_result *res);

/*
 * The churn: a random slot a step; full: free it; empty: fill it with a block of random order.
 * A failed alloc leaves the slot empty. @log has room for c->steps; all slots start empty.
 */
void loop_churn(const struct bench_clock *clock, const struct page_allocator *pa,
		const struct churn *c, int64_t *log, struct loop_result *res);

/*
 * @steps times: frees a random live page and allocates another one in its place. 2 * @steps events
 * go into @trace.
 */
void loop_age(const struct bench_clock *clock, const struct page_allocator *pa, struct aging *a,
	      uint64_t steps, int64_t *trace, struct loop_result *res);

/* @rounds times: frees a->burst random live pages, then allocates as many. Events: as above. */
void loop_burst(const struct bench_clock *clock, const struct page_allocator *pa, struct aging *a,
		uint64_t rounds, int64_t *trace, struct loop_result *res);

/*
 * @steps times: a random one of a->live, of which there are a power of two; one that is negative
 * is filled, another one freed. An event for each in @trace.
 */
void loop_slots(const struct bench_clock *clock, const struct page_allocator *pa, struct aging *a,
		uint64_t steps, int64_t *trace, struct loop_result *res);

/*
 * loop_churn() with each call timed: @calls has room for c->steps. In instructions if @exact, else
 * in ticks of the time counter.
 */
void loop_latency(const struct bench_clock *clock, const struct page_allocator *pa,
		  const struct churn *c, bool exact, int64_t *log, uint32_t *calls,
		  struct loop_result *res);

#endif
