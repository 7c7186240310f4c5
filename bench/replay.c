/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workloads once more, after the timed part, with the logged blocks in place of allocator
 * calls: each block is checked against the shadow map as it was handed out.
 */
#include "bench_impl.h"
#include "random.h"

/* What the spec's churn amounts to: seed 42, 4096 slots, 200 000 steps, none failing. */
#define SPEC_SEED   42
#define SPEC_SLOTS  4096
#define SPEC_STEPS  200000
#define SPEC_ALLOCS 101027

static struct shadow_map *map_of(struct bench_rep *r)
{
	return &r->place->map;
}

/* Takes log[i], a block of @order; an alloc that failed is a fault of its own. */
static enum bench_verdict take_logged(struct bench_rep *r, struct bench_fault *f,
				      const int64_t *log, uint64_t i, unsigned int order)
{
	int64_t pfn = log[i];
	enum bench_verdict v;

	if (pfn < 0)
		return fault_block(f, BENCH_ALLOC_FAILED, i, pfn, order);
	v = shadow_take(map_of(r), pfn, order);
	return v == BENCH_OK ? BENCH_OK : fault_block(f, v, i, pfn, order);
}

enum bench_verdict replay_trace(struct bench_rep *r, struct bench_fault *f, uint64_t n)
{
	const int64_t *trace = r->b->trace;

	for (uint64_t i = 0; i < n; i++) {
		int64_t pfn = EVENT_PFN(trace[i]);
		enum bench_verdict v;

		if (EVENT_IS_GIVE(trace[i])) {
			shadow_give(map_of(r), pfn, 0);
			continue;
		}
		v = pfn < 0 ? BENCH_ALLOC_FAILED : shadow_take(map_of(r), pfn, 0);
		if (v != BENCH_OK)
			return fault_block(f, v, r->nr_log, pfn, 0);
		r->nr_log++;
	}
	return BENCH_OK;
}

/* Nothing but the held page is there beside each block, so no map is needed for overlaps. */
enum bench_verdict replay_pair(struct bench_rep *r, struct bench_fault *f)
{
	const int64_t *log = r->b->log;
	enum bench_verdict v;

	if (r->held) {
		v = shadow_check(map_of(r), r->held_pfn, 0);
		if (v != BENCH_OK)
			return fault_block(f, r->held_pfn < 0 ? BENCH_ALLOC_FAILED : v, 0,
					   r->held_pfn, 0);
	}
	for (uint64_t i = 0; i < r->nr_log; i++) {
		int64_t size = (int64_t)1 << r->order;

		if (log[i] < 0)
			return fault_block(f, BENCH_ALLOC_FAILED, i, log[i], r->order);
		v = shadow_check(map_of(r), log[i], r->order);
		if (v == BENCH_OK && r->held && r->held_pfn >= log[i] &&
		    r->held_pfn - log[i] < size)
			v = BENCH_OVERLAP;
		if (v != BENCH_OK)
			return fault_block(f, v, i, log[i], r->order);
	}
	return BENCH_OK;
}

enum bench_verdict replay_bulk(struct bench_rep *r, struct bench_fault *f)
{
	uint64_t n = r->ops[0];

	for (uint64_t first = 0; first < r->nr_log; first += n) {
		for (uint64_t i = 0; i < n; i++) {
			enum bench_verdict v = take_logged(r, f, r->b->log, first + i, 0);

			if (v != BENCH_OK)
				return v;
		}
		for (uint64_t i = 0; i < n; i++)
			shadow_give(map_of(r), r->b->log[first + i], 0);
	}
	return BENCH_OK;
}

/* Is this the very churn whose number of allocations is known beforehand? */
static bool is_spec_churn(const struct bench_rep *r, const struct churn *plan)
{
	return r->place->full && plan->seed == SPEC_SEED && plan->nr_slots == SPEC_SLOTS &&
	       plan->steps == SPEC_STEPS;
}

/* One step of the churn: gives a full slot back or fills an empty one with log[*next]. */
static enum bench_verdict churn_step(struct bench_rep *r, struct bench_fault *f,
				     const struct churn *plan, const int64_t *log, uint64_t x,
				     uint64_t *next)
{
	struct churn_slot *slot = &plan->slots[x & (plan->nr_slots - 1)];
	enum bench_verdict v;

	if (slot->pfn >= 0) {
		shadow_give(map_of(r), slot->pfn, (unsigned int)slot->order);
		slot->pfn = -1;
		return BENCH_OK;
	}
	if (*next == r->nr_log)
		return fault_numbers(f, BENCH_COUNT, *next + 1, r->nr_log);
	slot->order = plan->orders[(x >> 32) % CHURN_PERCENT];
	v = take_logged(r, f, log, *next, (unsigned int)slot->order);
	if (v == BENCH_ALLOC_FAILED && (!r->place->full || r->may_fail))
		v = BENCH_OK; /* memory may be short: it is counted, and the slot stays empty */
	else
		slot->pfn = log[*next];
	++*next;
	return v;
}

enum bench_verdict replay_churn_plan(struct bench_rep *r, struct bench_fault *f,
				     const struct churn *plan, const int64_t *log)
{
	uint64_t next = 0, x = plan->seed;

	for (uint64_t i = 0; i < plan->nr_slots; i++)
		plan->slots[i] = (struct churn_slot){ .pfn = -1 };
	for (uint64_t i = 0; i < plan->steps; i++) {
		enum bench_verdict v = churn_step(r, f, plan, log, xorshift64(&x), &next);

		if (v != BENCH_OK)
			return v;
	}
	if (next != r->nr_log)
		return fault_numbers(f, BENCH_COUNT, next, r->nr_log);
	if (is_spec_churn(r, plan) && next != SPEC_ALLOCS)
		return fault_numbers(f, BENCH_COUNT, SPEC_ALLOCS, next);
	return BENCH_OK;
}

enum bench_verdict replay_churn(struct bench_rep *r, struct bench_fault *f)
{
	struct churn plan;

	workload_churn_plan(r, &plan, 0);
	return replay_churn_plan(r, f, &plan, r->b->log);
}
